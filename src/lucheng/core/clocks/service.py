"""Starting, stopping, pausing and extending the clocks of a case.

Due times are never typed in: they follow from the table of limits, the calendar, and what happened when. Every change
comes back to the caller as a small dictionary for the case's event, so that the ledger can show how each due time came
about.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from lucheng.core.clocks.holidays import calendar
from lucheng.core.clocks.limits import limit_for
from lucheng.core.clocks.models import Clock, ClockKind, TimeUnit
from lucheng.core.errors import Conflict

if TYPE_CHECKING:
    from lucheng.core.cases.models import Case

__all__ = ["PlannedClock", "apply", "extend", "limit_for", "plan"]

#: A clock in one of these states is one that the case has: at most one of each kind.
LIVE = (Clock.State.RUNNING, Clock.State.PAUSED)

#: The time in which a unit may return an order is a right, not a duty: when it is over, nobody is urged.
SILENT = (ClockKind.RETURN,)

#: How far over its limit a clock escalates where the table of limits has no row for it any more, in percent.
_ESCALATE_PERCENT = 50

Change = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedClock:
    """A clock as it will start. ``next_at`` is when the sweeper first has something to say about it."""

    kind: str
    amount: int
    unit: str
    basis: str
    started_at: dt.datetime
    warn_at: dt.datetime
    due_at: dt.datetime
    next_at: dt.datetime | None


def plan(
    kinds: Iterable[str], *, case_kind: str, nature: str, urgency: str, matter: str, now: dt.datetime
) -> list[PlannedClock]:
    """The clocks of these kinds as they start ``now``. Reads only what is held in memory.

    A kind for which the table sets no limit has no clock and is left out.
    """
    days = calendar()
    planned = []
    for kind in kinds:
        limit = limit_for(kind, case_kind, nature, urgency, matter)
        if limit is None:
            continue
        due_at = days.add(now, limit.amount, limit.unit)
        warn_at = days.part(now, due_at, limit.warn_percent / 100, limit.unit)
        next_at = None if kind in SILENT else warn_at
        planned.append(
            PlannedClock(kind, limit.amount, limit.unit, limit.basis, now, warn_at, due_at, next_at)
        )
    return planned


def apply(case: Case, operations: Sequence[str], now: dt.datetime, *, cause: str = "") -> list[Change]:
    """Carry out operations such as ``"start:reply"`` on the clocks of ``case``, in order, and set ``case.due_at``.

    - ``start`` starts a clock; one of the kind that runs or is paused is left as it is.
    - ``restart`` cancels the one there is and starts anew.
    - ``stop`` ends it as met, or as missed where it was due before ``now`` (a paused one: before the pause).
    - ``cancel`` ends it without a verdict.
    - ``pause`` holds it, for ``cause``; ``resume`` lets it run on with as much of its own unit left as when it paused.
      One that was overdue when it paused stays overdue.

    ``*`` stands for every clock that the case has. An operation on a clock that it does not have does nothing.

    The caller holds the case row locked, and saves the case. Three statements at most: a read, an update, an insert.

    Returns what was done, for the event's body: ``clock``, ``op``, and as they apply ``due_at`` (UTC, ISO 8601),
    ``amount``, ``unit`` and ``result``. Raises ValueError for an operation that does not exist and for a pause without
    cause.
    """
    if not operations:
        return []
    live = _live(case)
    written, done = turn(live, case, operations, now, cause=cause)
    _write(written)
    case.due_at = first_due(live)
    return done


def turn(
    live: dict[str, Clock],
    case: Case,
    operations: Sequence[str],
    now: dt.datetime,
    *,
    cause: str = "",
    start: Callable[[Case, PlannedClock], Clock] | None = None,
) -> tuple[list[Clock], list[Change]]:
    """What :func:`apply` does, on clocks that have been read already, without touching the database.

    ``live`` holds the case's live clocks by kind and is changed in place; ``start`` makes a new clock of its plan.
    Returns the clocks that have changed, new ones among them, and what was done.
    """
    start = start or _start
    written: list[Clock] = []
    done: list[Change] = []
    for operation in operations:
        verb, _colon, name = operation.partition(":")
        if verb not in ("start", "restart", "stop", "cancel", "pause", "resume"):
            raise ValueError(f"no such operation: {operation}")
        if verb == "pause" and not cause:
            raise ValueError("a clock is paused for a cause")
        for kind in list(live) if name == "*" else [ClockKind(name).value]:
            clock = live.get(kind)
            if clock is not None and verb in ("stop", "cancel", "restart"):
                del live[kind]
                written.append(clock)
                done.append(_end(clock, verb, now))
                clock = None
            if clock is None:
                if verb in ("start", "restart"):
                    for planned in plan(
                        [kind],
                        case_kind=case.kind,
                        nature=case.nature,
                        urgency=case.urgency,
                        matter=case.matter,
                        now=now,
                    ):
                        clock = live[kind] = start(case, planned)
                        written.append(clock)
                        done.append(_change("start", clock))
            elif verb == "pause" and clock.state == Clock.State.RUNNING:
                clock.state, clock.paused_at, clock.pause_cause = Clock.State.PAUSED, now, cause[:200]
                clock.next_at = None
                written.append(clock)
                done.append(_change("pause", clock))
            elif verb == "resume" and clock.state == Clock.State.PAUSED:
                _resume(case, clock, now)
                written.append(clock)
                done.append(_change("resume", clock))
    return written, done


def extend(case: Case, kind: str, amount: int, unit: str, now: dt.datetime) -> Change:
    """Lengthen a limit by ``amount`` units, counted from its due time, and set ``case.due_at``.

    Who may grant how much is for the caller to check. Where the units differ, the limit goes on in the new unit. An
    extension that leads beyond ``now`` begins the warnings anew: there is again something to be warned of.

    The caller holds the case row locked, and saves the case. Returns what was done, for the event's body.

    Raises Conflict where no clock of the kind runs or is paused, ValueError for an amount below 1.
    """
    if amount < 1:
        raise ValueError("an extension adds time")
    live = _live(case)
    clock = live.get(kind)
    if clock is None:
        raise Conflict(_("No limit of this kind is running: there is nothing to extend."))
    change = lengthen(clock, amount, unit, now)
    _write([clock])
    case.due_at = first_due(live)
    return change


def lengthen(clock: Clock, amount: int, unit: str, now: dt.datetime) -> Change:
    """What :func:`extend` does to the clock, without touching the database."""
    days = calendar()
    due_at = days.add(clock.due_at, amount, unit)
    since = clock.paused_at or now
    _move(clock, since, due_at, unit)
    if unit == clock.unit:
        clock.amount += amount
    else:
        clock.unit, clock.amount = unit, math.ceil(days.elapsed(clock.started_at, due_at, unit))
    if due_at > since:
        clock.stage = Clock.Stage.QUIET
        if clock.state == Clock.State.RUNNING:
            clock.next_at = None if clock.kind in SILENT else clock.warn_at
    return _change("extend", clock)


def escalate_at(case: Case, clock: Clock, since: dt.datetime) -> dt.datetime:
    """When a clock that is over its limit escalates: a further share of the limit after ``since``.

    A share of days is rounded up to whole days.
    """
    limit = limit_for(clock.kind, case.kind, case.nature, case.urgency, case.matter)
    share = clock.amount * (limit.escalate_percent if limit else _ESCALATE_PERCENT) / 100
    if clock.unit in (TimeUnit.WORKING_DAYS, TimeUnit.CALENDAR_DAYS):
        share = math.ceil(share)
    return calendar().add(since, share, clock.unit)


def _live(case: Case) -> dict[str, Clock]:
    return {c.kind: c for c in Clock.objects.filter(case=case, state__in=LIVE).order_by("id")}


def first_due(live: dict[str, Clock]) -> dt.datetime | None:
    """The earliest due time of the running ones among a case's live clocks."""
    return min((c.due_at for c in live.values() if c.state == Clock.State.RUNNING), default=None)


def _start(case: Case, planned: PlannedClock) -> Clock:
    return Clock(
        case=case,
        kind=planned.kind,
        state=Clock.State.RUNNING,
        amount=planned.amount,
        unit=planned.unit,
        basis=planned.basis,
        started_at=planned.started_at,
        warn_at=planned.warn_at,
        due_at=planned.due_at,
        next_at=planned.next_at,
    )


def _end(clock: Clock, verb: str, now: dt.datetime) -> Change:
    """End a clock: by ``stop`` with a verdict, by ``cancel`` or ``restart`` without."""
    if verb != "stop":
        clock.state = Clock.State.CANCELLED
    elif (clock.paused_at or now) <= clock.due_at:
        clock.state = Clock.State.MET
    else:
        clock.state = Clock.State.MISSED
    clock.ended_at, clock.next_at = now, None
    return {"clock": clock.kind, "op": "stop" if verb == "stop" else "cancel", "result": str(clock.state)}


def _resume(case: Case, clock: Clock, now: dt.datetime) -> None:
    assert clock.paused_at is not None  # it is paused
    if clock.due_at > clock.paused_at:
        days = calendar()
        left = days.remaining(clock.paused_at, clock.due_at, clock.unit)
        _move(clock, now, days.add(now, left, clock.unit), clock.unit)
    clock.state, clock.paused_at = Clock.State.RUNNING, None
    if clock.kind in SILENT or clock.stage == Clock.Stage.ESCALATED:
        clock.next_at = None
    elif clock.stage == Clock.Stage.URGED:
        clock.next_at = escalate_at(case, clock, now)
    else:
        clock.next_at = clock.warn_at if clock.stage == Clock.Stage.QUIET else clock.due_at


def _move(clock: Clock, start: dt.datetime, due_at: dt.datetime, unit: str) -> None:
    """Give the clock a new due time; it warns as long before it as it would have before the old one."""
    days = calendar()
    reserve = days.elapsed(clock.warn_at, clock.due_at, _measure(clock.unit))
    left = days.elapsed(start, due_at, _measure(unit))
    if left > reserve:
        clock.warn_at = days.part(start, due_at, 1 - reserve / left, unit)
    else:
        clock.warn_at = min(start, due_at)
    clock.due_at = due_at


def _measure(unit: str) -> str:
    return TimeUnit.HOURS if unit == TimeUnit.HOURS else TimeUnit.WORKING_HOURS


def _change(op: str, clock: Clock) -> Change:
    return {
        "clock": clock.kind,
        "op": op,
        "due_at": clock.due_at.astimezone(dt.UTC).isoformat(),
        "amount": clock.amount,
        "unit": str(clock.unit),
    }


def _write(clocks: Sequence[Clock]) -> None:
    """Save each clock once. Updates go first: a clock that is restarted makes room for its successor."""
    once = list({id(c): c for c in clocks}.values())
    if old := [c for c in once if c.pk is not None]:
        Clock.objects.bulk_update(old, _WRITTEN)
    Clock.objects.bulk_create([c for c in once if c.pk is None])


_WRITTEN = (
    "state",
    "amount",
    "unit",
    "warn_at",
    "due_at",
    "paused_at",
    "pause_cause",
    "ended_at",
    "stage",
    "next_at",
)
