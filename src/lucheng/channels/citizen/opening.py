"""Which cases a browser may see whole: those it has just sent, those whose digits were typed in it of late, those of a
number that it holds, and those that need nothing but their code."""

from __future__ import annotations

import datetime as dt

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy

from lucheng.channels.citizen import drafts, mine
from lucheng.core.cases import codes, following
from lucheng.core.cases.models import Case
from lucheng.core.errors import NotFound
from lucheng.web.addresses import client_address

TYPING_ERROR = gettext_lazy(
    "This code has a typing error. Compare it with the one you were given, sign by sign."
)

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


def open_codes(session: SessionBase, now: dt.datetime) -> list[str]:
    """The tracking codes (as stored) of the cases that were sent from this browser, or whose digits it has given."""
    typed = [code for code in session.get("opened", {}) if is_open(session, code, now)]
    sent = (codes.read(written) for written in session.get("sent", {}).values())
    return list(dict.fromkeys([*typed, *(code for code in sent if code is not None)]))


def found(request: HttpRequest, typed: str) -> Case | HttpResponseRedirect:
    """The case under the code as it stands in the address, or the way to its one right spelling."""
    code = codes.read(typed)
    if code is None:
        raise NotFound(TYPING_ERROR)
    if typed != codes.written(code):
        return redirect("tracking", codes.written(code))
    return following.by_code(code, client_address(request), timezone.now())


def shows_all(request: HttpRequest, case: Case) -> bool:
    """Whether everything of the case may be shown here: who asks has typed the digits, holds the number, has just sent
    it, or left no number."""
    session, now = request.session, timezone.now()
    return (
        not following.needs_digits(case)
        or is_open(session, case.code, now)
        or mine.is_mine(session, case, now)
    )
