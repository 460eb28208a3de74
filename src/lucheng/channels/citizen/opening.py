"""Which cases a browser may see whole: those it has just sent, and those whose digits were typed in it of late."""

from __future__ import annotations

import datetime as dt

from django.contrib.sessions.backends.base import SessionBase

from lucheng.channels.citizen import drafts
from lucheng.core.cases import codes

#: How long digits that were typed hold.
HOLDS = dt.timedelta(minutes=30)
_KEPT = 20  # cases of one session; an older one makes room


def keep(session: SessionBase, code: str, now: dt.datetime) -> None:
    """The digits were right: the case with this tracking code (as stored) is open in this browser for a while."""
    kept = session.get("opened", {})
    kept.pop(code, None)
    kept[code] = (now + HOLDS).isoformat()
    session["opened"] = dict(list(kept.items())[-_KEPT:])
    drafts.end_by_tomorrow(session)


def is_open(session: SessionBase, code: str, now: dt.datetime) -> bool:
    """Whether the case may be shown whole in this browser."""
    if codes.written(code) in session.get("sent", {}).values():
        return True
    until = session.get("opened", {}).get(code)
    return until is not None and now < dt.datetime.fromisoformat(until)
