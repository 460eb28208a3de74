"""What a resident has entered so far, kept sealed in their session until it is sent.

Each step has an address of its own, so that the back button works and nothing typed is lost; the draft's number is the
idempotency key of the create, so that neither a double click nor the back button makes a second case. The form of each
step carries the sealed draft as well, so that a session that ended in the middle costs nobody what they had written.
"""

from __future__ import annotations

import base64
import uuid

import msgspec
from django.contrib.sessions.backends.base import SessionBase

from lucheng.core.privacy.sealing import SealError, seal, unseal

KEPT = 5  # drafts in one session; an older one makes room
_DAY = 24 * 3600


class Draft(msgspec.Struct, kw_only=True):
    """A report on its way. ``photo`` is the name under which its photograph waits (core.cases.attachments)."""

    text: str
    photo: str = ""
    #: Words for the place, as typed.
    address: str = ""
    #: The choice made on the place page: a candidate, "point" or "unknown".
    where: str = ""
    #: How far they have gone down the list of places: a division code.
    browse: str = ""
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    #: The look-alikes shown, and which of them the resident says is the same.
    nearby: list[int] = msgspec.field(default_factory=list)
    same: int | None = None


def new_id() -> str:
    return uuid.uuid4().hex


def _purpose(draft_id: str) -> str:
    return f"draft/{draft_id}"


def load(session: SessionBase, draft_id: str) -> Draft | None:
    """The draft, or None where the session does not have it (any more)."""
    return opened(session.get("drafts", {}).get(draft_id, ""), draft_id)


def sealed(draft_id: str, draft: Draft) -> str:
    """The draft as a session and a form carry it: whoever holds it can neither read nor change it."""
    return base64.b64encode(seal(msgspec.json.encode(draft).decode(), _purpose(draft_id))).decode()


def opened(carried: str, draft_id: str) -> Draft | None:
    """The draft out of :func:`sealed`; None where it is no draft of ours, or that of another report."""
    try:
        value = unseal(base64.b64decode(carried, validate=True), _purpose(draft_id))
        return msgspec.json.decode(value, type=Draft)
    except (SealError, ValueError, msgspec.DecodeError):
        return None


def save(session: SessionBase, draft_id: str, draft: Draft) -> None:
    drafts = session.get("drafts", {})
    drafts.pop(draft_id, None)
    drafts[draft_id] = sealed(draft_id, draft)
    session["drafts"] = dict(list(drafts.items())[-KEPT:])
    end_by_tomorrow(session)


def end_by_tomorrow(session: SessionBase) -> None:
    """A borrowed telephone forgets by tomorrow; who is signed in as staff stays so."""
    if "_auth_user_id" not in session:
        session.set_expiry(_DAY)


def sent(session: SessionBase, draft_id: str, code: str | None = None) -> str | None:
    """The tracking code that the draft was sent under; with ``code``, note it and let the draft go."""
    if code is not None:
        drafts = session.get("drafts", {})
        drafts.pop(draft_id, None)
        session["drafts"] = drafts
        session["sent"] = dict([*session.get("sent", {}).items(), (draft_id, code)][-4 * KEPT :])
    found: str | None = session.get("sent", {}).get(draft_id)
    return found
