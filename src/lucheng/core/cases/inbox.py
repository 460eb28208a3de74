"""A unit's inbox: what waits for its people, in trays, the most pressing first; and how its work is shared out.

Everything starts from what the reader handles (``case.handle``) or, for the sharing out, leads (``case.lead``). Work is
counted as work in hand: what is open, what is overdue, what is due next. Nothing is counted that somebody has finished,
and nobody is compared with anybody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Case as When
from django.db.models import Count, F, IntegerField, Min, Q, QuerySet, Value
from django.db.models import When as Where
from django.db.models.functions import Substr

from lucheng.core.cases.lifecycle import BY_ACTION, IN_HAND
from lucheng.core.cases.models import Assist, Case, State
from lucheng.core.cases.queries import COUNT_LIMIT, visible
from lucheng.core.fields import within
from lucheng.core.organisation.access import Scope


class Tray(StrEnum):
    """Where an order lies in the inbox of the unit that leads it, or is asked to assist."""

    TO_SIGN = "to_sign"
    IN_HAND = "in_hand"
    SENT_BACK = "sent_back"
    ASSIST = "assist"
    DECISION = "decision"  # a return or an extension is asked for
    SUSPENDED = "suspended"
    REPLIED = "replied"


#: What the unit has to do something about. In the others it waits for somebody else, or for a date.
TO_DO = (Tray.TO_SIGN, Tray.IN_HAND, Tray.SENT_BACK, Tray.ASSIST)

_STATES: dict[Tray, tuple[State, ...]] = {
    Tray.TO_SIGN: (State.DISPATCHED,),
    Tray.IN_HAND: (State.SIGNED,),
    Tray.SENT_BACK: (State.REWORK,),
    Tray.DECISION: (State.RETURN_REQ, State.EXTEND_REQ),
    Tray.SUSPENDED: (State.SUSPENDED,),
    Tray.REPLIED: (State.REPLIED,),
}
_ASSISTS = tuple(state for action, state in BY_ACTION if action == "assist")

#: Whose orders: a person's id, or one of these.
MINE, NOBODY = "me", "none"


@dataclass(frozen=True)
class Wanted:
    """What a reader asked of the inbox; empty means any. ``tray`` None: all there is to do."""

    tray: Tray | None = None
    person: str = ""
    place: str = ""
    matter: str = ""


def units(scope: Scope, capability: str = "case.handle") -> tuple[int, ...]:
    """The units over whose orders the reader has the capability, those below their own among them."""
    return tuple(sorted({u for g in scope.grants if capability in g.capabilities for u in g.units}))


def _asked(of: tuple[int, ...]) -> QuerySet[Assist, int]:
    return Assist.objects.filter(unit__in=of, replied_at=None).values_list("case_id", flat=True)


def in_tray(tray: Tray, of: tuple[int, ...]) -> Q:
    """The condition that an open case lies in the tray of the units."""
    if tray is Tray.ASSIST:
        return Q(state__in=_ASSISTS, pk__in=_asked(of))
    return Q(state__in=_STATES[tray], lead_unit__in=of)


def is_asked(case: Case, scope: Scope) -> bool:
    """Whether a unit of the reader's is asked to assist and has not reported."""
    return case.assists.filter(unit__in=units(scope), replied_at=None).exists()


def counts(scope: Scope) -> dict[Tray, int]:
    """How many lie in each tray, in one query."""
    of = units(scope)
    rows = visible(scope, "case.handle").filter(open=True)
    found = rows.aggregate(**{t.value: Count("pk", filter=in_tray(t, of)) for t in Tray})
    return {t: found[t.value] for t in Tray}


def listed(scope: Scope, wanted: Wanted) -> QuerySet[Case]:
    """The orders a reader asked for, the most pressing first: by due time, then those without one. Slice it."""
    of = units(scope)
    condition = Q()
    for tray in TO_DO if wanted.tray is None else (wanted.tray,):
        condition |= in_tray(tray, of)
    rows = visible(scope, "case.handle").filter(condition, open=True)
    if wanted.person == NOBODY:
        rows = rows.filter(handler=None)
    elif wanted.person:
        rows = rows.filter(handler=scope.person_id if wanted.person == MINE else int(wanted.person))
    if wanted.place:
        rows = rows.filter(within("place", wanted.place))
    if wanted.matter:
        rows = rows.filter(within("matter", wanted.matter))
    return rows.order_by("due_at", "id")


def following(scope: Scope, number: str) -> str | None:
    """The number of the next order to do something about after ``number``: the reader's own first, by due time, then
    the unit's. After one that is no longer to do, the most pressing; None where nothing is left."""
    mine = When(Where(handler=scope.person_id, then=Value(0)), default=Value(1), output_field=IntegerField())
    ordered = listed(scope, Wanted()).annotate(whose=mine).order_by("whose", "due_at", "id")
    numbers = list(ordered.values_list("number", flat=True)[:COUNT_LIMIT])
    at = numbers.index(number) + 1 if number in numbers else 0
    return numbers[at] if at < len(numbers) else None


@dataclass(frozen=True)
class Load:
    """Work in hand under one heading (a person, a unit, a matter): how much, how much overdue, what is due next."""

    key: int | str | None
    open: int
    overdue: int
    next_due: dt.datetime | None


def _load(rows: QuerySet[Case], by: str, now: dt.datetime) -> list[Load]:
    found = (
        rows.order_by()
        .values(by)
        .annotate(open_=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=now)), next_due=Min("due_at"))
    )
    return [Load(r[by], r["open_"], r["overdue"], r["next_due"]) for r in found]


def _in_hand(scope: Scope, of: tuple[int, ...]) -> QuerySet[Case]:
    return visible(scope, "case.lead").filter(open=True, lead_unit__in=of, state__in=IN_HAND)


def load_by_person(scope: Scope, of: tuple[int, ...], now: dt.datetime) -> list[Load]:
    """Work in hand of the units ``of`` by the person in charge; under None what nobody has yet."""
    return _load(_in_hand(scope, of), "handler", now)


def load_by_unit(scope: Scope, now: dt.datetime) -> list[Load]:
    """Work in hand of every unit the reader leads."""
    return _load(_in_hand(scope, units(scope, "case.lead")), "lead_unit", now)


def load_by_matter(scope: Scope, of: tuple[int, ...], now: dt.datetime) -> list[Load]:
    """Work in hand of the units ``of`` by middle class of matter, in the order of the codes."""
    rows = _in_hand(scope, of).annotate(middle=Substr(F("matter"), 1, 4))
    return sorted(_load(rows, "middle", now), key=lambda load: str(load.key))
