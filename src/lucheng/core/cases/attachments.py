"""Photographs of a case: checked by what they are, drawn anew so that position and device are gone, kept by their hash.

A photograph first arrives (:func:`receive`) and waits in a folder of its own, since a resident may still be writing;
then it is attached to a case (:func:`attach`). The file is safe on disk before the row that names it is committed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import re
import secrets
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from lucheng import files
from lucheng.core.cases.models import Attachment, Case
from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.ledger.append import append
from lucheng.core.organisation.models import Person
from lucheng.postgresql.context import everything

log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP")  # by content, never by name
MOST = 9  # photographs a case
LONGEST_EDGE = 2560  # pixels: enough to read a sign, small enough for a slow line
#: Most pixels of what must be held in memory whole. A baseline JPEG is decoded at a fraction of its size, so that
#: only Pillow's own limit (179 million pixels) binds it: the largest telephones take 108 million.
MOST_PIXELS = 40_000_000
#: How long a photograph waits for its case.
PATIENCE = dt.timedelta(days=2)

_HEIF = re.compile(rb"....ftyp(hei|hev|mif|msf|avi)", re.DOTALL)
_NAME = re.compile(r"[0-9a-f]{64}")


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def _stored(name: str) -> Path:
    return Path(settings.ATTACHMENTS) / name[:2] / f"{name[2:]}.jpg"


def _waiting(name: str = "") -> Path:
    folder = Path(settings.ATTACHMENTS) / "waiting"
    return folder / f"{name}.jpg" if name else folder


def clean(data: bytes) -> bytes:
    """The picture alone, as JPEG: upright, no larger than needed, without any metadata. Same bytes, same picture.

    Raises Invalid (field ``photo``) for what is not a photograph, is cut off, or would unfold too large.
    """
    if _HEIF.match(data):
        raise Invalid(
            {
                "photo": _(
                    "HEIC pictures cannot be read here. Send it as JPEG (“most compatible” in the camera)."
                )
            }
        )
    too_many = Invalid({"photo": _("This picture has too many pixels. Send a smaller one.")})
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise too_many from None
    except Exception as error:  # whatever a decoder may stumble on
        log.info("not a photograph: %s", error)
        raise Invalid(
            {"photo": _("This file is not a photograph that can be read. Send a JPEG, PNG or WebP picture.")}
        ) from None
    # MPO is the JPEG of telephones that add a second picture; the first is taken.
    in_parts = image.format in ("JPEG", "MPO") and "progressive" not in image.info
    if image.width * image.height > MOST_PIXELS and not in_parts:
        raise too_many
    try:
        image.thumbnail(
            (LONGEST_EDGE, LONGEST_EDGE), Image.Resampling.LANCZOS
        )  # a JPEG is read at the size needed
        image.load()
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception as error:
        log.info("damaged photograph: %s", error)
        raise Invalid(
            {"photo": _("This photograph is damaged or did not arrive whole. Send it again.")}
        ) from None
    # A new picture of the pixels alone: nothing that came along in the file can come along here.
    plain = Image.new("RGB", upright.size, "white")
    plain.paste(upright, mask=upright)
    out = BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()


def _folder(file: Path) -> Path:
    """The folder of ``file``, made where it is missing, and durable."""
    folder = file.parent
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.sync(folder.parent)
    return folder


def receive(upload: Readable | bytes) -> str:
    """Take a photograph in and let it wait for its case. Returns the name under which it waits: its SHA-256.

    It is safe on disk when this returns. The name is no secret: a door never takes one from outside unsealed.

    Raises Invalid (field ``photo``) where it is empty, too large, not a photograph by its content, or cut off.
    """
    most = settings.ATTACHMENT_MAX_BYTES
    data = upload if isinstance(upload, bytes) else upload.read(most + 1)
    if not data:
        raise Invalid({"photo": _("This file is empty: choose another photograph.")})
    if len(data) > most:
        raise Invalid(
            {
                "photo": _("This file is larger than %(limit)s MB: choose a smaller one.")
                % {"limit": most // 1024**2}
            }
        )
    picture = clean(data)
    name = hashlib.sha256(picture).hexdigest()
    file = _waiting(name)
    folder = _folder(file)
    draft = file.with_suffix(f".{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(picture)
            f.flush()
            os.fsync(f.fileno())
        draft.replace(file)
        files.sync(folder)
    except OSError:  # a full disk: half a picture would only take more of it
        draft.unlink(missing_ok=True)
        raise
    return name


def _place(name: str) -> Path:
    """Move a photograph from where it waits to where it stays, durably. Raises NotFound where none waits."""
    file = _stored(name)
    folder = _folder(file)
    try:
        _waiting(name).replace(file)
        files.sync(folder)
    except FileNotFoundError:
        if not file.exists():  # an earlier try, or another case, has put it there
            raise NotFound(_("This photograph is no longer here. Send it again.")) from None
    return file


def _alone(name: str) -> None:
    """Until the transaction ends nobody else attaches or erases the picture of this name: one file serves all cases
    that have the same picture."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


@everything("a photograph for a case that its door has found")
@transaction.atomic
def attach(case_id: int, name: str, *, person: Person | None, role: str, now: dt.datetime) -> Attachment:
    """Attach a photograph that was received to a case. The same one twice is attached once.

    The door has checked that whoever asks may add to the case. The case moves on by one version.

    Raises NotFound where no such photograph waits, Conflict where the case is closed, Invalid (field ``photo``) where
    it has its most.
    """
    if not _NAME.fullmatch(name):
        raise NotFound(_("There is no such photograph."))
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    known = case.attachments.filter(sha256=name).first()
    if known is not None:
        return known
    if not case.open:
        raise Conflict(_("This case is closed: no photograph can be added to it any more."))
    if case.attachments.count() >= MOST:
        raise Invalid({"photo": _("A case takes %(most)s photographs at most.") % {"most": MOST}})
    _alone(name)
    file = _place(name)
    with Image.open(file, formats=("JPEG",)) as picture:
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
        log.error("the file of photograph %s is missing", attachment.sha256)
        raise NotFound(_("The file of this photograph is missing.")) from None


@transaction.atomic
def erase(name: str) -> None:
    """Take a picture off the disk, unless a case still has it. It may be gone already."""
    _alone(name)
    if not Attachment.objects.filter(sha256=name).exists():
        file = _stored(name)
        file.unlink(missing_ok=True)
        if file.parent.exists():
            files.sync(file.parent)


def forget_unattached(now: dt.datetime) -> int:
    """Delete photographs whose case never came: somebody began a report and went away. Returns how many."""
    gone = 0
    oldest = (now - PATIENCE).timestamp()
    for file in _waiting().glob("*"):
        try:
            if file.stat().st_mtime < oldest:
                file.unlink()
                gone += 1
        except FileNotFoundError:
            continue  # attached, or deleted, by somebody else meanwhile
    return gone
