"""Why each clock of a case stands where it stands: its row of the table, its start, and all that moved it since.

Nothing here is kept: it is read from the clocks and from what the case's events say of them, so that what a page tells
is what the ledger can prove.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Nature, Urgency
from lucheng.core.clocks.holidays import calendar
from lucheng.core.clocks.limits import limit_for
from lucheng.core.clocks.models import Clock, TimeLimit, TimeUnit
from lucheng.core.dispatch import matters

if TYPE_CHECKING:
    from lucheng.core.cases.models import Case
    from lucheng.core.ledger.models import Event

#: Units that count business days or hours only: what lies between them is left out of the count.
_OF_BUSINESS = (TimeUnit.WORKING_DAYS, TimeUnit.WORKING_HOURS)


@dataclass(frozen=True)
class Change:
    """One thing that moved a clock: a pause, a resumption, an extension. ``seq`` is the event that says so."""

    op: str
    at: dt.datetime
    seq: int
    action: str
    who: str
    role: str
    #: Why, in the words of the step; of an extension granted without words, those in which it was asked for.
    cause: str
    #: What an extension added, in the clock's unit; 0 for the rest.
    added: int
    due_at: dt.datetime | None


@dataclass(frozen=True)
class Account:
    """One clock with everything that made it what it is."""

    clock: Clock
    #: The limit as it started, before any extension.
    amount: int
    unit: str
    #: The row of the table of limits, in words; "" where the table no longer has the row by which it started.
    row: str
    #: The event that started it; None where the chain does not say (it began with the case).
    started_by: Event | None
    changes: list[Change] = field(default_factory=list)
    #: Days between start and due time on which the clock did not count.
    days_off: list[dt.date] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The whole account as one sentence: "5 working days from July 2, 09:40; 2 days off not counted; due …"."""
        clock = self.clock
        parts = [
            _("%(limit)s from %(start)s")
            % {"limit": length(self.amount, self.unit), "start": moment(clock.started_at)}
        ]
        for change in self.changes:
            if change.op == "extend":
                parts.append(
                    _("extended by %(limit)s on %(at)s")
                    % {"limit": length(change.added, clock.unit), "at": moment(change.at)}
                )
            elif change.op == "pause":
                parts.append(_("held from %(at)s") % {"at": moment(change.at)})
            elif change.op == "resume":
                parts.append(_("runs on from %(at)s") % {"at": moment(change.at)})
        if self.days_off:
            n = len(self.days_off)
            parts.append(ngettext("%(n)s day off not counted", "%(n)s days off not counted", n) % {"n": n})
        if clock.state == Clock.State.PAUSED:
            parts.append(_("stands still; what is left runs on when it is resumed"))
        else:
            parts.append(_("due %(at)s") % {"at": moment(clock.due_at)})
        if clock.ended_at is not None and clock.state == Clock.State.MET:
            parts.append(_("met %(at)s") % {"at": moment(clock.ended_at)})
        elif clock.ended_at is not None and clock.state == Clock.State.MISSED:
            parts.append(_("met late, %(at)s") % {"at": moment(clock.ended_at)})
        elif clock.ended_at is not None:
            parts.append(_("cancelled %(at)s: no longer owed") % {"at": moment(clock.ended_at)})
        return _("; ").join(parts) + _(".")


def length(amount: int, unit: str) -> str:
    """A limit in words: "5 working days"."""
    return _("%(amount)s %(unit)s") % {"amount": amount, "unit": TimeUnit(unit).label}


def moment(at: dt.datetime) -> str:
    """A moment as an account names it: day and minute, with the year: it may be read much later."""
    local = timezone.localtime(at)
    day = date_format(local, _("F j, Y"))
    return f"{day} {local:%H:%M}"


def row_words(row: TimeLimit) -> str:
    """For which cases a row of the table holds: "12345 work order · complaint · urgent"."""
    words = []
    if row.case_kind:
        words.append(str(KINDS[row.case_kind].name if row.case_kind in KINDS else row.case_kind))
    if row.nature in Nature.values:
        words.append(str(Nature(row.nature).label))
    if row.matter:
        words.append(str(matters.name(row.matter)))
    if row.urgency in Urgency.values:
        words.append(str(Urgency(row.urgency).label))
    return " · ".join(words) or _("every case")


def accounts(
    case: Case, clocks: Iterable[Clock], events: Sequence[Event], texts: Mapping[int, Mapping[str, str]]
) -> list[Account]:
    """The account of every clock of ``case``, in the order given.

    ``events`` are the case's events in order, with their actors; ``texts`` what was written in each, by its number and
    the field's name. Asks the database nothing that is not in memory.
    """
    return [_account(case, clock, events, texts) for clock in clocks]


def _account(
    case: Case, clock: Clock, events: Sequence[Event], texts: Mapping[int, Mapping[str, str]]
) -> Account:
    started_by: Event | None = None
    changes: list[Change] = []
    amount, unit = clock.amount, str(clock.unit)
    asked = ""
    known = False
    for event in events:
        words = texts.get(event.seq, {})
        if event.action == "extend":
            asked = words.get("reason", "")
        if event.at < clock.started_at or (clock.ended_at is not None and event.at > clock.ended_at):
            continue
        if started_by is None and event.at == clock.started_at:
            started_by = event
        for said in event.body.get("clocks") or ():
            if said.get("clock") != clock.kind:
                continue
            op = said.get("op", "")
            if op == "start" and event.at == clock.started_at:
                started_by, amount, unit, known = event, said["amount"], said["unit"], True
                changes = []
            elif op in ("pause", "resume", "extend") and (known or event.at > clock.started_at):
                changes.append(_change(event, said, words, asked))
    if not known:
        amount = clock.amount - sum(c.added for c in changes)
    row = limit_for(clock.kind, case.kind, case.nature, case.urgency, case.matter)
    holds = row is not None and (row.amount, row.unit, row.basis) == (amount, unit, clock.basis)
    return Account(
        clock,
        amount,
        unit,
        row_words(row) if row is not None and holds else "",
        started_by,
        changes,
        _days_off(clock, changes),
    )


def _change(event: Event, said: Mapping[str, object], words: Mapping[str, str], asked: str) -> Change:
    due = said.get("due_at")
    op = str(said.get("op", ""))
    cause = words.get("reason") or words.get("note") or (asked if op == "extend" else "")
    days = event.body.get("days")
    return Change(
        op=op,
        at=event.at,
        seq=event.seq,
        action=event.action,
        who=event.actor.name if event.actor is not None else "",
        role=event.actor_role,
        cause=cause,
        added=days if op == "extend" and isinstance(days, int) else 0,
        due_at=dt.datetime.fromisoformat(due) if isinstance(due, str) else None,
    )


def _days_off(clock: Clock, changes: Sequence[Change]) -> list[dt.date]:
    """The days off between start and due time, those of a pause apart. None for a limit that counts every hour."""
    if clock.unit not in _OF_BUSINESS:
        return []
    first = timezone.localdate(clock.started_at)
    last = timezone.localdate(clock.due_at)
    held: list[tuple[dt.date, dt.date]] = []
    since: dt.date | None = None
    for change in changes:
        if change.op == "pause":
            since = timezone.localdate(change.at)
        elif change.op == "resume" and since is not None:
            held.append((since, timezone.localdate(change.at)))
            since = None
    days = calendar()
    return [
        day
        for day in (first + dt.timedelta(n) for n in range((last - first).days + 1))
        if not days.is_working(day) and not any(a <= day < b for a, b in held)
    ]
