"""Photographs of a case: checked by what they are, re-encoded so that position and device are gone, kept by their hash.

A photograph first arrives (:func:`receive`) and waits in a folder of its own, since a resident may still be writing;
then it is attached to a case (:func:`attach`). The file is safe on disk before the row that names it is committed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import secrets
import warnings
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from lucheng.core.cases.models import Attachment, Case
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.ledger.append import append
from lucheng.core.organisation.models import Person

FORMATS = ("JPEG", "PNG", "WEBP")
MOST = 9  # photographs a case
LONGEST_EDGE = 2560  # pixels: enough to read a sign, small enough for a slow line
_MOST_PIXELS = 100_000_000  # more than any telephone takes; a small file may unfold into far more
_NAME = re.compile(r"[0-9a-f]{64}")
#: How long a photograph waits for its case.
PATIENCE = dt.timedelta(days=2)


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def _stored(name: str) -> Path:
    return Path(settings.ATTACHMENTS) / name[:2] / f"{name}.jpg"


def _waiting(name: str = "") -> Path:
    folder = Path(settings.ATTACHMENTS) / "waiting"
    return folder / f"{name}.jpg" if name else folder


def _clean(data: bytes) -> bytes:
    """The picture alone, as JPEG: upright, no larger than needed, without any metadata.

    Raises Invalid (field ``photo``) for what is not a photograph, is cut off, or would unfold too large.
    """
    not_one = Invalid(
        {"photo": _("This file is not a photograph that can be read. Send a JPEG, PNG or WebP picture.")}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise Invalid({"photo": _("This picture has too many pixels. Send a smaller one.")})
                opened.draft(
                    "RGB", (LONGEST_EDGE, LONGEST_EDGE)
                )  # a JPEG is decoded at the size that is needed
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
                # A new picture of the pixels alone: nothing that came along in the file can come along here.
                plain = Image.new("RGB", upright.size, "white")
                flat = upright.convert("RGBA")
                plain.paste(flat, mask=flat.getchannel("A"))
    except Invalid:
        raise
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombWarning,
    ) as e:
        raise not_one from e
    except Image.DecompressionBombError as e:
        raise Invalid({"photo": _("This picture has too many pixels. Send a smaller one.")}) from e
    out = BytesIO()
    plain.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _write(file: Path, data: bytes) -> None:
    """Write a file so that it is either there whole or not at all, also after a crash."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{secrets.token_hex(4)}")
    with draft.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    draft.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def receive(upload: Readable | bytes) -> str:
    """Take a photograph in and let it wait for its case. Returns the name under which it waits: its SHA-256.

    Raises Invalid (field ``photo``) where it is too large, not a photograph by its content, or cut off.
    """
    most = settings.ATTACHMENT_MAX_BYTES
    data = upload if isinstance(upload, bytes) else upload.read(most + 1)
    if len(data) > most:
        raise Invalid(
            {
                "photo": _("This file is larger than %(limit)s MB. Send a smaller one.")
                % {"limit": most // 1024**2}
            }
        )
    picture = _clean(data)
    name = hashlib.sha256(picture).hexdigest()
    if not _stored(name).exists():
        _write(_waiting(name), picture)
    return name


@transaction.atomic
def attach(case_id: int, name: str, *, person: Person | None, role: str, now: dt.datetime) -> Attachment:
    """Attach a photograph that was received to a case. The same one twice is attached once.

    The door has checked that whoever asks may add to the case.

    Raises NotFound where no such photograph waits, Invalid (field ``photo``) where the case has its most.
    """
    if not _NAME.fullmatch(name):
        raise NotFound(_("There is no such photograph."))
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    known = case.attachments.filter(sha256=name).first()
    if known is not None:
        return known
    if case.attachments.count() >= MOST:
        raise Invalid({"photo": _("A case takes %(most)s photographs at most.") % {"most": MOST}})
    file = _stored(name)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            _waiting(name).replace(file)
        except FileNotFoundError:
            raise NotFound(_("There is no such photograph.")) from None
        _sync(file.parent)
    with Image.open(file) as picture:
        width, height = picture.size
    made = Attachment.objects.create(
        case=case,
        sha256=name,
        media_type="image/jpeg",
        size=file.stat().st_size,
        width=width,
        height=height,
        added_at=now,
        added_by=person,
    )
    body = {"from": case.state, "to": case.state, "sha256": name, "size": made.size}
    append(case, "attached", body, actor=person, role=role, now=now)
    case.save(update_fields=["chain_length", "chain_head", "version"])
    return made


def store(
    case_id: int, upload: Readable | bytes, *, person: Person | None, role: str, now: dt.datetime
) -> Attachment:
    """Receive a photograph and attach it at once. Raises what :func:`receive` and :func:`attach` raise."""
    return attach(case_id, receive(upload), person=person, role=role, now=now)


def open_file(attachment: Attachment) -> IO[bytes]:
    """The picture of an attachment. Raises NotFound where its file is gone from the disk."""
    try:
        return _stored(attachment.sha256).open("rb")
    except FileNotFoundError:
        raise NotFound(_("There is no such photograph.")) from None


def forget_unattached(now: dt.datetime) -> int:
    """Delete photographs whose case never came: somebody began a report and went away. Returns how many."""
    gone = 0
    folder = _waiting()
    for file in folder.iterdir() if folder.exists() else ():
        if dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC) < now - PATIENCE:
            file.unlink(missing_ok=True)
            gone += 1
    return gone
