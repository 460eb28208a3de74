"""Every parser of what comes from outside, as a function of bytes that may refuse in words and do nothing else wrong.

A target raises whatever is a fault of ours: an exception that no caller expects, or an assertion on what came out. A
new parser gets its target here; ``python -m tests.fuzz`` and ``tests/fuzz/test_targets.py`` find it by itself.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from openpyxl import Workbook
from PIL import Image

from lucheng.channels.api import create, hot, problems, public, work
from lucheng.channels.api.auth import bearer
from lucheng.channels.hotline import replay
from lucheng.core import outgoing, packs, sheets
from lucheng.core.cases import attachments, codes, following
from lucheng.core.cases.text import clean, one_line
from lucheng.core.errors import Invalid, Refused
from lucheng.core.faults import Faulty
from lucheng.core.ledger import wording
from lucheng.core.places import boundaries, lists
from lucheng.core.places.crs import Crs
from lucheng.core.privacy import contacts
from lucheng.core.triage import reply, urgent, words
from lucheng.web import addresses, numbers

Target = Callable[[bytes], None]
#: By name: the target and valid inputs to start from.
TARGETS: dict[str, tuple[Target, list[bytes]]] = {}


def target(*seeds: bytes) -> Callable[[Target], Target]:
    """Make a function a target, with inputs from which a fuzzer finds its way in."""

    def register(function: Target) -> Target:
        TARGETS[function.__name__] = function, list(seeds)
        return function

    return register


def _text(data: bytes) -> str:
    """What a browser or a JSON body can bring: any code points, surrogates left out."""
    return data.decode("utf-8", "replace")


def _file(data: bytes, suffix: str) -> Path:
    """The bytes as a file; written over by the next."""
    path = Path(tempfile.gettempdir()) / f"lucheng-fuzz-2026-{os.getpid()}{suffix}"
    path.write_bytes(data)
    return path


def _xlsx() -> bytes:
    book, out = Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(("编码", "名称"))
    book.active.append(("01", "甲"))
    book.save(out)
    return out.getvalue()


def _picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (5, 4), "orange").save(out, kind)
    return out.getvalue()


_COLUMNS = (sheets.Column("编码", required=True, longest=4), sheets.Column("名称"))


@target(_xlsx(), "编码,名称\n01,甲\n".encode(), "编码,名称\n01,甲\n".encode("gb18030"))
def sheet(data: bytes) -> None:
    try:
        entries, _faults = sheets.read(io.BytesIO(data), _COLUMNS)
    except Faulty:
        return
    assert all(set(e.cells) == {"编码", "名称"} and e.cells["编码"] for e in entries)


@target("编号,标题,内容,时间\n1,路灯,路灯不亮,2019/2/28 11:25:05\n".encode(), b"text\nx\n")
def replay_file(data: bytes) -> None:
    try:
        for message in replay.messages(_file(data, ".csv")):
            assert len(message.ref) <= 80
    except replay.NotReplayable:
        pass


@target("code,name,year\n150200000000,包头市,2023\n".encode(), b"code\tname\n15\tx\n")
def code_list(data: bytes) -> None:
    with contextlib.suppress(Faulty):
        lists.read([_file(data, ".csv")])


@target(
    json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"code": "150202"},
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[110, 40], [110.1, 40], [110.1, 40.1], [110, 40]]],
                    },
                }
            ],
        }
    ).encode()
)
def outlines(data: bytes) -> None:
    for crs in (Crs.WGS84, Crs.GCJ02):
        with contextlib.suppress(Faulty):
            boundaries.read(_file(data, ".json"), crs)


@target(b'[[message]]\nname="x"\nto="requester"\nzh="{code}"\nen="{code}"\n')
def texts_of_a_city(data: bytes) -> None:
    with contextlib.suppress(Faulty):
        wording.read(_file(data, ".toml"))


@target(b'[[row]]\ncode = "a"\n')
def pack(data: bytes) -> None:
    with contextlib.suppress(Faulty):
        packs.read(_file(data, ".toml"), "row", {"code": packs.Field(required=True)}, "code")


@target(_picture("PNG"), _picture("JPEG"), _picture("WEBP"), b"....ftypheic")
def photograph(data: bytes) -> None:
    try:
        picture = attachments.clean(data)
    except Invalid:
        return
    assert attachments.clean(picture)[:2] == b"\xff\xd8"


_BODY = b'{"kind":"x","nature":"help","content":"x","lon":110.0,"occurred_at":"2026-01-01T00:00:00Z"}'


@target(_BODY, b'{"nature":"help","content":"\\ud800"}', b"[" * 2000)
def json_body(data: bytes) -> None:
    for decode in (create._decode, public._decode):
        try:
            decode(data)
        except Exception as error:
            refused = problems.of(error)
            assert refused.status in (400, 422), error
            problems.encode(refused)


@target(b'["2026-01-01T00:00:00Z",5]', b"WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsNV0=")
def page_mark(data: bytes) -> None:
    for mark in (_text(data)[:200], base64.urlsafe_b64encode(data).decode()[:200]):
        for by_deadline in (True, False):
            with contextlib.suppress(Invalid):
                work._past(mark, by_deadline)


@target(b'"12"', b"Bearer lck_abc", b"zh-CN,en;q=0.8", b"idempotency-1")
def header(data: bytes) -> None:
    text = data.decode("latin-1")
    for parse in (work.version, lambda t: create.scoped_key("api:1", t), create.check_json):
        with contextlib.suppress(Refused):
            parse(text)
    bearer(text)
    hot.language(text)


@target(b"LC-7Q4K-29XM-5TAB", codes.written(codes.of_bits(12345)).encode())
def tracking_code(data: bytes) -> None:
    found = codes.read(_text(data))
    assert found is None or (len(found) == 12 and codes.read(codes.written(found)) == found)


@target(b"138 0013 2210", "+86（0472）5123456转8".encode(), "１３８００００００００".encode())
def telephone(data: bytes) -> None:
    try:
        number = contacts.normalise_phone(_text(data))
    except Invalid:
        return
    assert contacts.normalise_phone(number) == number
    assert len(number) < 7 or number not in contacts.mask_phone(number)


@target("电话 138 0013 2210，钢铁大街18号院3号楼2单元501，我叫张三".encode(), b"150202199001011234")
def text_for_the_public(data: bytes) -> None:
    text = _text(data)
    masked = reply.mask_text(text)
    assert reply.mask_text(masked) == masked
    following.own_words(text)
    for limit in (20, 200):
        assert len(one_line(text, limit)) <= limit
    with contextlib.suppress(Invalid):
        clean(text)


@target("有人掉井里了，着火了".encode(), "尊敬的市民，您反映的路灯问题已修复。".encode())
def words_of_a_report(data: bytes) -> None:
    text = _text(data)
    urgent.words_in(text)
    words.cut(text)
    words.grams([text, text[::-1]])
    reply.check(text, text[::-1])


@target("【鹿城】{number}：{code}".encode(), b"{number!r:>5}", b"{{}}")
def words_of_a_message(data: bytes) -> None:
    text = _text(data)
    given = wording.of_pack("received")
    if wording.fault(given, "zh", text) is None:
        made = wording.Wording(given.name, True, {"zh": text}, given.params)
        made.render("zh", {"number": "1", "code": "2", **dict.fromkeys(given.params, "3")})


@target(b"/board/?page=2", b"//x", b"/\\x", b"https://x/")
def address_to_lead_to(data: bytes) -> None:
    found = addresses.ours(_text(data), "/otherwise/").replace("\\", "/")
    assert found.startswith("/")
    assert not "".join(c for c in found if c > " ").startswith("//")


@target(b"https://example.com:8443/a?b", b"http://[::1]/", b"http://127.1/")
def address_to_call(data: bytes) -> None:
    try:
        parts = outgoing._split(_text(data))
    except outgoing.NotAllowed:
        return
    assert parts.scheme in ("http", "https") and parts.hostname


@target(b"12", b"2026-13-01", b"2019/2/28 11:25:05", "１２".encode())
def small_things(data: bytes) -> None:
    text = _text(data)
    assert 0 <= numbers.whole(text) < 10**18
    replay.moment(text)
    lists.level_of(text)


_PART = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\nxx\r\n--x--\r\n'


@target(_PART, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n')
def multipart(data: bytes) -> None:
    request: Any = RequestFactory().generic("POST", "/", data, content_type="multipart/form-data; boundary=x")
    try:
        for upload in request.FILES.values():
            upload.read()
        request.POST.items()
    except (MultiPartParserError, SuspiciousOperation):
        pass
