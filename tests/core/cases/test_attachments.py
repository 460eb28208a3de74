"""A photograph is kept without position and device, once, on disk before its row; all else is refused in words."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import translation
from PIL import Image, ImageDraw

from lucheng.core.cases import attachments
from lucheng.core.cases.attachments import (
    LONGEST_EDGE,
    MOST,
    PATIENCE,
    attach,
    clean,
    forget_unattached,
    open_file,
    receive,
    store,
)
from lucheng.core.cases.models import Attachment, Case
from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.ledger.models import Event
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp

BAOTOU = (40.0, 39.0, 26.0)  # degrees, minutes, seconds


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS = tmp_path / "attachments"


@pytest.fixture
def case(db: None) -> Case:
    return case_of_a_broken_lamp()


def picture(width: int = 64, height: int = 48, kind: str = "JPEG", mode: str = "RGB", **save: Any) -> bytes:
    image = Image.new(mode, (width, height), 200 if mode == "L" else "white")
    ImageDraw.Draw(image).rectangle((0, 0, width // 2, height // 2), fill=0 if mode == "L" else "red")
    out = io.BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


def photograph_of_a_telephone(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Deerphone"
    exif[0x0110] = "DP-1 serial 8675309"
    exif[0x0112] = orientation
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", BAOTOU, "E", (109.0, 50.0, 0.0)
    return picture(
        400, 300, exif=exif, comment=b"taken by Deerphone at home", icc_profile=b"Deerphone display"
    )


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def refusal(data: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        receive(data)
    assert list(refused.value.fields) == ["photo"]
    return str(refused.value.detail)


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_position_device_comment_and_profile_are_gone() -> None:
    raw = photograph_of_a_telephone()
    assert b"Deerphone" in raw
    assert opened(raw).getexif().get_ifd(0x8825)
    kept = clean(raw)
    assert b"Deerphone" not in kept
    assert b"Exif" not in kept
    image = opened(kept)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_photograph_taken_sideways_stands_upright() -> None:
    assert opened(clean(photograph_of_a_telephone(orientation=1))).size == (400, 300)
    turned = opened(clean(photograph_of_a_telephone(orientation=6)))
    assert turned.size == (300, 400)
    r, g, b = turned.getpixel((290, 10))  # type: ignore[misc]
    assert r > 200 and g < 60 and b < 60


def test_a_large_photograph_is_made_smaller_and_keeps_its_shape() -> None:
    assert opened(clean(picture(4000, 3000))).size == (LONGEST_EDGE, LONGEST_EDGE * 3 // 4)


def test_a_small_one_keeps_its_size() -> None:
    assert opened(clean(picture(64, 48))).size == (64, 48)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "L"),
        ("WEBP", "RGB"),
        ("JPEG", "CMYK"),
        ("JPEG", "L"),
    ],
)
def test_other_kinds_become_jpeg(kind: str, mode: str) -> None:
    raw = picture(kind=kind, mode=mode) if mode != "P" else _palette()
    image = opened(clean(raw))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 48))


def test_of_a_telephones_double_picture_the_first_is_taken() -> None:
    out = io.BytesIO()
    second = Image.new("RGB", (32, 24), "blue")
    Image.new("RGB", (64, 48), "red").save(out, "MPO", save_all=True, append_images=[second])
    assert opened(out.getvalue()).format == "MPO"
    image = opened(clean(out.getvalue()))
    assert (image.format, image.size) == ("JPEG", (64, 48))


def _palette() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").quantize(4).save(out, "PNG", transparency=0)
    return out.getvalue()


def test_the_same_bytes_give_the_same_photograph() -> None:
    raw = photograph_of_a_telephone()
    assert clean(raw) == clean(raw)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 not a photograph",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b"\x00" * 1000,
        b"\xff\xd8\xff",
    ],
)
def test_what_is_not_a_photograph_is_refused_whatever_its_name(data: bytes) -> None:
    with translation.override("en"), pytest.raises(Invalid, match="not a photograph"):
        receive(SimpleUploadedFile("lamp.jpg", data, content_type="image/jpeg"))


def test_a_photograph_counts_by_its_content_not_by_its_name(case: Case) -> None:
    upload = SimpleUploadedFile("virus.exe", picture(), content_type="application/octet-stream")
    assert store(case.pk, upload, person=None, role=REQUESTER, now=NOW).media_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_photograph_is_refused(kind: str) -> None:
    raw = picture(400, 300, kind)
    with translation.override("en"):
        assert "damaged" in refusal(raw[: len(raw) * 2 // 3]) or kind == "WEBP"


def test_an_empty_file_and_one_too_large_are_refused(settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    refusal(b"")
    assert "1 MB" in refusal(bytes(1024 * 1024 + 1))
    assert "1 MB" in _refused_upload(SimpleUploadedFile("a.jpg", bytes(1024 * 1024 + 1)))


def _refused_upload(upload: Any) -> str:
    with pytest.raises(Invalid) as refused:
        receive(upload)
    return str(refused.value.detail)


def test_heic_is_refused_with_what_to_do() -> None:
    assert "HEIC" in refusal(b"\x00\x00\x00\x18ftypheic" + bytes(200))


def png_bomb(width: int, height: int) -> bytes:
    """A few hundred bytes that claim to be a picture of ``width`` by ``height``."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(7000, 7000), (12000, 12000), (30000, 30000)])
def test_a_decompression_bomb_is_refused_before_it_unfolds(size: tuple[int, int]) -> None:
    with translation.override("en"):
        assert "too many pixels" in refusal(png_bomb(*size))


def test_a_progressive_jpeg_of_many_pixels_is_refused_since_it_must_be_held_whole() -> None:
    with translation.override("en"):
        assert "too many pixels" in refusal(picture(7000, 7000, mode="L", progressive=True, quality=10))


# --- rows, files and the ledger ---------------------------------------------------------------------------------------


def test_a_photograph_is_a_file_named_by_its_hash_a_row_and_an_event(case: Case, settings: Any) -> None:
    made = store(case.pk, photograph_of_a_telephone(), person=None, role=REQUESTER, now=NOW)
    with open_file(made) as f:
        data = f.read()
    assert hashlib.sha256(data).hexdigest() == made.sha256
    assert (made.size, made.width, made.height) == (len(data), 400, 300)
    file = settings.ATTACHMENTS / made.sha256[:2] / f"{made.sha256[2:]}.jpg"
    assert file.read_bytes() == data
    assert file.stat().st_mode & 0o077 == 0
    event = Event.objects.get(case=case, action="attached")
    assert event.body == {"from": "received", "to": "received", "sha256": made.sha256, "size": made.size}
    case.refresh_from_db()
    assert (case.version, case.chain_length, bytes(case.chain_head)) == (2, 2, bytes(event.hash))


def test_the_same_photograph_twice_is_one_row_and_one_event(case: Case) -> None:
    first = store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)
    second = store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)
    assert first == second
    assert Event.objects.filter(case=case, action="attached").count() == 1


def test_two_cases_may_have_the_same_photograph(case: Case) -> None:
    other = case_of_a_broken_lamp()
    for c in (case, other):
        with open_file(store(c.pk, picture(), person=None, role=REQUESTER, now=NOW)) as f:
            assert f.read()


def test_a_case_has_nine_photographs_at_most(case: Case) -> None:
    for n in range(MOST):
        store(case.pk, picture(64 + n, 48), person=None, role=REQUESTER, now=NOW)
    with pytest.raises(Invalid, match="9"):
        store(case.pk, picture(200, 48), person=None, role=REQUESTER, now=NOW)
    assert Attachment.objects.filter(case=case).count() == MOST


def test_nothing_is_added_to_a_closed_case(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(state="closed")
    with pytest.raises(Conflict):
        store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)
    assert not Attachment.objects.exists()


def test_a_photograph_may_wait_until_its_case_exists_and_is_then_attached_once(db: None) -> None:
    name = receive(picture())
    case = case_of_a_broken_lamp()
    assert attach(case.pk, name, person=None, role=REQUESTER, now=NOW) == attach(
        case.pk, name, person=None, role=REQUESTER, now=NOW
    )


def test_what_was_never_received_cannot_be_attached(case: Case) -> None:
    with pytest.raises(NotFound):
        attach(case.pk, "0" * 64, person=None, role=REQUESTER, now=NOW)
    assert Event.objects.filter(case=case).count() == 1


def test_what_waits_too_long_is_thrown_away_and_what_is_attached_stays(case: Case, settings: Any) -> None:
    kept = store(case.pk, picture(100, 100), person=None, role=REQUESTER, now=NOW)
    name = receive(picture())
    file = settings.ATTACHMENTS / "waiting" / f"{name}.jpg"
    received = NOW.timestamp()
    os.utime(file, (received, received))
    assert forget_unattached(NOW + PATIENCE) == 0
    assert forget_unattached(NOW + PATIENCE + dt.timedelta(minutes=1)) == 1
    assert not file.exists()
    with open_file(kept) as f:
        assert f.read()


def test_a_crash_after_the_file_and_before_the_row_leaves_a_case_without_a_hole(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*args: Any, **kwargs: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as m:
        m.setattr(attachments, "append", cut)
        with pytest.raises(PowerCut):
            store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)
    assert not Attachment.objects.exists()
    assert Case.objects.get(pk=case.pk).chain_length == 1
    with open_file(store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)) as f:
        assert f.read()


def test_a_missing_file_says_so(case: Case, settings: Any) -> None:
    made = store(case.pk, picture(), person=None, role=REQUESTER, now=NOW)
    (settings.ATTACHMENTS / made.sha256[:2] / f"{made.sha256[2:]}.jpg").unlink()
    with pytest.raises(NotFound):
        open_file(made)


@pytest.mark.django_db(transaction=True)
def test_the_same_photograph_sent_by_two_clicks_at_once_is_one() -> None:
    case = case_of_a_broken_lamp()
    start = threading.Barrier(2)
    made: list[Attachment] = []

    def click() -> None:
        start.wait()
        made.append(store(case.pk, picture(), person=None, role=REQUESTER, now=NOW))
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(made) == 2
    assert made[0] == made[1]
    assert Event.objects.filter(case=case, action="attached").count() == 1
