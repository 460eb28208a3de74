"""A case told to the one who asked: plain words, what comes next and by when. No name of staff, no personal data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import following
from lucheng.core.cases.lifecycle import BY_REQUESTER, FIELDS, TRANSITIONS
from lucheng.core.cases.models import Case, State, Text
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.models import Unit

S = State
Words = str | Promise

#: State → where it stands, and what comes next. ``%(unit)s`` is the unit in charge.
_WHERE: dict[S, tuple[Words, Words]] = {
    S.RECEIVED: (
        _("We have it and are finding out who is in charge"),
        _("It is passed on to the unit in charge"),
    ),
    S.ACCEPTED: (
        _("Accepted, about to go to the unit in charge"),
        _("It is passed on to the unit in charge"),
    ),
    S.DISPATCHED: (_("Sent to %(unit)s"), _("%(unit)s contacts you and replies")),
    S.RETURN_REQ: (
        _("We are checking again which unit is in charge"),
        _("The unit in charge replies"),
    ),
    S.SIGNED: (_("%(unit)s is working on it"), _("%(unit)s replies")),
    S.EXTEND_REQ: (
        _("%(unit)s is working on it and has asked for more time"),
        _("%(unit)s replies"),
    ),
    S.SUSPENDED: (
        _("On hold: it cannot go on for now"),
        _("It goes on as planned below"),
    ),
    S.REPLIED: (
        _("%(unit)s has dealt with it; the reply is being reviewed"),
        _("The reply appears on this page"),
    ),
    S.REWORK: (
        _("The result was not good enough: %(unit)s does it again"),
        _("%(unit)s replies again"),
    ),
    S.CALLBACK: (
        _("There is a reply"),
        _("We ask you whether it is solved; you can answer here now"),
    ),
    S.ANSWERED: (_("Answered"), ""),
    S.MERGED: (
        _("Being dealt with together with the same request from others"),
        _("You receive the reply here as well"),
    ),
    S.TRANSFERRED: (_("Handed over to the body in charge"), ""),
    S.REJECTED: (_("We cannot deal with this; the reason stands below"), ""),
    S.CLOSED: (_("Closed"), ""),
    S.REOPENED: (_("Opened again"), _("It is passed on to the unit in charge")),
    S.ARCHIVED: (_("Closed"), ""),
    S.WITHDRAWN: (_("You withdrew it"), ""),
    S.DRAFT: (_("Not sent yet"), ""),
}

#: The same of what only its keeper answers: no unit is looked for.
_KEPT: dict[S, tuple[Words, Words]] = {
    **dict.fromkeys(
        (S.RECEIVED, S.REOPENED), (_("We have it and look into it"), _("We answer you on this page"))
    ),
    **dict.fromkeys((S.CLOSED, S.ARCHIVED), (_("We have answered you"), "")),
}

#: The clock that a requester waits for, by state.
_AWAITED: dict[S, ClockKind] = {
    **dict.fromkeys((S.RECEIVED, S.ACCEPTED, S.REOPENED), ClockKind.DISPATCH),
    **dict.fromkeys(
        (S.DISPATCHED, S.RETURN_REQ, S.SIGNED, S.EXTEND_REQ, S.SUSPENDED, S.REWORK, S.MERGED), ClockKind.REPLY
    ),
    S.CALLBACK: ClockKind.CALLBACK,
}


def _handed_over(unit: str, body: dict[str, Any]) -> str:
    targets = dict(FIELDS["target"].choices)
    return gettext("Handed over to: %(target)s") % {"target": targets.get(body.get("target", ""), "")}


def _more_time(unit: str, body: dict[str, Any]) -> str:
    n = int(body.get("days", 0))
    return ngettext("%(n)s working day more was granted", "%(n)s working days more were granted", n) % {
        "n": n
    }


def _on_hold(unit: str, body: dict[str, Any]) -> str:
    day = parse_date(str(body.get("until", "")))
    return gettext("On hold, planned to go on by %(day)s") % {
        "day": date_format(day, gettext("F j, Y")) if day else "–"
    }


def _refused(unit: str, body: dict[str, Any]) -> str:
    grounds = dict(FIELDS["exemption"].choices)
    return gettext("Refused: %(ground)s") % {"ground": grounds.get(body.get("exemption", ""), "")}


def _says(words: Words) -> Callable[[str, dict[str, Any]], str]:
    return lambda unit, body: str(words) % {"unit": unit}


#: Steps that are told; what units and the desk settle among themselves is not the requester's burden.
_STEPS: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "create": _says(_("Received")),
    "accept": _says(_("Accepted")),
    "reject": _says(_("Not accepted")),
    "answer": _says(_("Answered")),
    "transfer": _handed_over,
    "merge": _says(_("Joined with the same request from others; you keep your own code and callback")),
    "unmerge": _says(_("Taken out again, to be dealt with on its own")),
    "release": _says(_("Taken out again, to be dealt with on its own")),
    "dispatch": _says(_("Sent to %(unit)s")),
    "redispatch": _says(_("Sent to %(unit)s")),
    "sign": _says(_("%(unit)s took it on")),
    "contact": _says(_("%(unit)s contacted you")),
    "try_contact": _says(_("%(unit)s tried to reach you and could not")),
    "grant_extension": _more_time,
    "suspend": _on_hold,
    "resume": _says(_("Taken up again")),
    "resume_as_planned": _says(_("Taken up again")),
    "approve": _says(_("The reply was reviewed and is here")),
    "follow": _says(_("The reply was reviewed and is here")),
    "send_back": _says(_("Sent back to be done again")),
    "supervise": _says(_("Put under supervision, so that it gets done")),
    "close": _says(_("Closed")),
    "verify": _says(_("Looked at on site and closed")),
    "reopen": _says(_("Opened again")),
    "answer_appeal": _says(_("Your objection was answered")),
    "grant": _says(_("Granted")),
    "refuse": _refused,
    "answer_objection": _says(_("Your objection was answered")),
    "resume_request": _says(_("Taken up again")),
    "supplement": _says(_("You added information")),
    "withdraw": _says(_("You withdrew it")),
    "rate": _says(_("You said how it went")),
    "appeal": _says(_("You objected")),
}

#: (action, field) of the texts that the requester may read.
_SHOWN = {(t.action, name) for t in TRANSITIONS for name in t.shows}


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    at: dt.datetime
    title: str
    text: str = ""


@dataclass(frozen=True)
class Stage:
    """How far a case has come. ``due`` is when what comes ``next`` is due, ``warn`` when that is near, ``paused`` while
    its clock rests."""

    where: str
    next: str
    due: dt.datetime | None
    warn: dt.datetime | None
    paused: bool


@dataclass(frozen=True)
class Story:
    """What the tracking page tells whoever may see all of it."""

    stage: Stage
    entries: list[Entry]


def _said(words: Words, case: Case) -> str:
    unit = case.lead_unit.name if case.lead_unit is not None else gettext("the unit in charge")
    return str(words) % {"unit": unit}


def _stands(case: Case) -> tuple[Words, Words]:
    state = S(case.state)
    return _KEPT[state] if case.kept_by and state in _KEPT else _WHERE[state]


def where(case: Case) -> str:
    """Where a case stands, in plain words. ``case`` comes with its ``lead_unit``."""
    return _said(_stands(case)[0], case)


def stage(case: Case) -> Stage:
    """How far a case has come, in one query: nothing of what it is about. ``case`` comes with its ``lead_unit``."""
    state = S(case.state)
    clock = None
    awaited = ClockKind.REPLY if case.kept_by else _AWAITED.get(state)
    if awaited is not None:
        clock = Clock.objects.filter(
            case=case, kind=awaited, state__in=(Clock.State.RUNNING, Clock.State.PAUSED)
        ).first()
    return Stage(
        where=where(case),
        next=_said(_stands(case)[1], case),
        due=clock.due_at if clock else None,
        warn=clock.warn_at if clock else None,
        paused=clock is not None and clock.state == Clock.State.PAUSED,
    )


def tell(case: Case) -> Story:
    """The story of one case, in four queries. ``case`` comes with its ``lead_unit``."""
    events = list(
        Event.objects.filter(case_id=case.pk, action__in=_STEPS)
        .order_by("seq")
        .values("seq", "at", "action", "body")
    )
    written: dict[int, list[str]] = {}
    actions = {e["seq"]: e["action"] for e in events}
    for seq, name, text in (
        Text.objects.filter(case=case, seq__in=actions).order_by("id").values_list("seq", "name", "text")
    ):
        if (actions[seq], name) in _SHOWN:
            written.setdefault(seq, []).append(text)
    units = Unit.objects.in_bulk({e["body"]["lead"] for e in events if "lead" in e["body"]})
    unit = gettext("the unit in charge")
    entries = []
    for e in events:
        if e["body"].get("lead") in units:
            unit = units[e["body"]["lead"]].name
        title = _STEPS[e["action"]](unit, e["body"])
        said = "\n".join(written.get(e["seq"], ()))
        entries.append(Entry(e["at"], title, following.told(case, said, own=e["action"] in BY_REQUESTER)))
    return Story(stage(case), entries)
