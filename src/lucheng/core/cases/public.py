"""What anyone may know of the matters of a neighbourhood: how many, of what kind, and how they stand. Never who or what
was said.

Counts are told in whole fives ("20 or more"), and fewer than five are told as such, none among them. Every count is
rounded down by itself, so that neither a total less its parts, nor a township less its communities, nor ninety days
less thirty, gives a small number away (docs/decisions/0210). No text that anybody wrote, no address and no point is
read here at all.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.core.cache import cache as kept
from django.db.models import Aggregate, Count, DurationField, F, Max, OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from lucheng.core.cases.models import Case, Nature, State
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.fields import within
from lucheng.core.places.models import LEVELS
from lucheng.postgresql.context import everything

NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "public_matters.toml"

#: Fewer are not told apart from none.
LEAST = 5
#: The places that are told of: small enough to be somebody's neighbourhood, and for one pass over an index.
PLACES = (LEVELS["township"], LEVELS["community"])
#: The periods that may be asked for, in days.
PERIODS = (30, 90)
#: How long an answer is given again. The moment of its data goes with it.
FRESH = dt.timedelta(minutes=10)

#: Kinds are told by their middle class.
_CLASS = 4
#: States in which the requester has an answer.
ANSWERED = (State.ANSWERED, State.CALLBACK, State.CLOSED, State.ARCHIVED)
_NOT_TOLD = (State.DRAFT, State.REJECTED, State.WITHDRAWN, State.TRANSFERRED, State.MERGED)


@cache
def _public_matters() -> Q:
    """Cases of the classes that lie open in the street, as the pack lists them."""
    q = Q(pk__in=[])
    for prefix in tomllib.loads(NATIONAL.read_text(encoding="utf-8"))["public_matters"]:
        q |= within("matter", prefix)
    return q


def anyone_may_know() -> Q:
    """The cases of which anyone may be told that there is one.

    Left out are complaints and reports, confidential cases, cases that complain of a unit, cases with a keeper, and
    every class that is not on the pack's list of public ones: that a neighbour quarrels or seeks relief is nobody's
    business.
    """
    return (
        _public_matters()
        & Q(confidential=False, accused_unit=None, kept_by="")
        & ~Q(nature__in=[Nature.COMPLAINT, Nature.REPORT])
    )


def told(n: int) -> int | None:
    """A count as it is told: at least so many, in whole fives, and None for fewer than five.

    >>> told(4), told(9), told(10)
    (None, 5, 10)
    """
    return None if n < LEAST else n // LEAST * LEAST


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of matter with at least five cases; ``latest`` is the day on which the newest came in."""

    matter: str
    cases: int | None
    in_hand: int | None
    answered: int | None
    latest: dt.date


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The matters of a place over the last ``days``, as they stood ``at`` a moment. Counts are :func:`told` ones."""

    place: str
    days: int
    at: dt.datetime
    cases: int | None
    in_hand: int | None
    answered: int | None
    #: Whole days within which half of the replies came, where there are five; from coming in to the reply.
    median_days: int | None
    #: The most frequent kind first. Kinds with fewer than five cases are left out.
    kinds: tuple[Kind, ...]


class _Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def neighbourhood(place: str, days: int, now: dt.datetime) -> Neighbourhood:
    """The matters of a township or community over the last ``days``; at most :data:`FRESH` old.

    Two queries over the index of place and time, or none.

    Raises ValueError for a place or period that is not told of (:data:`PLACES`, :data:`PERIODS`).
    """
    if len(place) not in PLACES or days not in PERIODS:
        raise ValueError(f"not told of: {place}, {days} days")
    name = f"neighbourhood:{place}:{days}"
    known: Neighbourhood | None = kept.get(name)
    if known is None or not known.at <= now < known.at + FRESH:
        known = _counted(place, days, now)
        kept.set(name, known, FRESH.total_seconds())
    return known


@everything("anybody may know how many there are, in fives")
def _counted(place: str, days: int, now: dt.datetime) -> Neighbourhood:
    cases = Case.objects.filter(
        anyone_may_know(),
        within("place", place),
        created_at__gt=now - dt.timedelta(days=days),
        created_at__lte=now,
        main=None,
    ).exclude(state__in=_NOT_TOLD)
    answered: dict[str, int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    latest: dict[str, dt.datetime] = {}
    for matter, state, n, newest in (
        cases.annotate(kind_of=Left("matter", _CLASS))
        .values_list("kind_of", "state")
        .annotate(n=Count("pk"), newest=Max("created_at"))
        .order_by("kind_of")
    ):
        whole[matter] += n
        answered[matter] += n if state in ANSWERED else 0
        latest[matter] = max(newest, latest.get(matter, newest))
    every, done = sum(whole.values()), sum(answered.values())
    return Neighbourhood(
        place=place,
        days=days,
        at=now,
        cases=told(every),
        in_hand=told(every - done),
        answered=told(done),
        median_days=_median_days(cases),
        kinds=tuple(
            Kind(
                matter,
                told(n),
                told(n - answered[matter]),
                told(answered[matter]),
                timezone.localdate(latest[matter]),
            )
            # In the order of what is told: an order by the exact numbers would tell of them.
            for matter, n in sorted(whole.items(), key=lambda m: (-(told(m[1]) or 0), m[0]))
            if n >= LEAST
        ),
    )


def _median_days(cases: Any) -> int | None:
    first = (
        Clock.objects.filter(
            case=OuterRef("pk"), kind=ClockKind.REPLY, state__in=(Clock.State.MET, Clock.State.MISSED)
        )
        .order_by("ended_at")
        .values("ended_at")[:1]
    )
    replied = (
        cases.annotate(replied_at=Subquery(first))
        .exclude(replied_at=None)
        .aggregate(n=Count("pk"), median=_Median(F("replied_at") - F("created_at")))
    )
    if replied["n"] < LEAST:
        return None
    median: dt.timedelta = replied["median"]
    return max(1, math.ceil(median / dt.timedelta(days=1)))
