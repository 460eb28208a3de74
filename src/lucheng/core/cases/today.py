"""Today in figures: what came in, what was done and what stands, within what the reader may see.

Each figure is the count of a :class:`lucheng.core.cases.queries.Filter`, and the list that it opens is that filter: the
two cannot come apart. "Today" is the city's day. Flows are counted over ranges of an index and stocks over the open
cases, so that nothing grows with the age of the installation; what was usual is reckoned once a day for each scope.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import Left, TruncHour, TruncMinute
from django.utils import timezone

from lucheng.core.cases import engine, queries
from lucheng.core.cases.lifecycle import TRANSITIONS
from lucheng.core.cases.models import Case, State, Urgency
from lucheng.core.cases.queries import Filter, Happened, Queue, midnight
from lucheng.core.clocks.models import Clock
from lucheng.core.ledger.models import Event
from lucheng.core.organisation import walls
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Role
from lucheng.core.places import names
from lucheng.core.places.models import LEVELS
from lucheng.core.revisions.snapshot import Snapshot
from lucheng.postgresql.context import everything

T = TypeVar("T")

MINUTE, DAY, WEEK = dt.timedelta(minutes=1), dt.timedelta(days=1), dt.timedelta(weeks=1)
#: What is usual is the median of the same weekday in so many weeks before.
WEEKS = 8
#: The newest events are looked for among so many of the city's: a quiet place has few, and must not cost a long search.
EVENTS, EVENTS_AMONG = 12, 5000
#: No more than this is put before people as theirs to decide now.
NEEDS = 3
#: A matter is hot when it came in at least this often, this many times its usual, and this many standard deviations
#: (of a count, the square root of the usual) above it.
HOT, HOT_AT_LEAST, HOT_TIMES, HOT_DEVIATIONS = 5, 5, 2.0, 3.0
_CLASS = 6  # digits of a class of matter


class Figure(StrEnum):
    RECEIVED = "received"
    ANSWERED = "answered"
    DISPATCHED = "dispatched"
    CLOSED = "closed"
    OVERDUE = "overdue"
    OPEN = "open"


FLOWS = {
    Figure.RECEIVED: Happened.RECEIVED,
    Figure.ANSWERED: Happened.ANSWERED,
    Figure.DISPATCHED: Happened.DISPATCHED,
    Figure.CLOSED: Happened.CLOSED,
}


@dataclass(frozen=True)
class Number:
    """One figure. ``usual`` is the median at the same time of the same weekday over ``weeks`` weeks, None where nothing
    is known of any."""

    figure: Figure
    count: int
    wanted: Filter
    usual: float | None = None
    weeks: int = 0
    usual_at: dt.datetime | None = None


@dataclass(frozen=True)
class Hour:
    """What came in within one hour of today; ``count`` is None for an hour that has not begun."""

    hour: int
    count: int | None
    usual: float | None
    wanted: Filter


@dataclass(frozen=True)
class Place:
    """What stands open at one division."""

    code: str
    open: int
    overdue: int

    @property
    def wanted(self) -> Filter:
        return Filter(place=self.code)

    @property
    def wanted_overdue(self) -> Filter:
        return Filter(place=self.code, queue=Queue.OVERDUE)


class Rule(StrEnum):
    """Why something needs a person now; the first stands first."""

    CRITICAL_OVERDUE = "critical_overdue"
    OBJECTION = "objection"
    NO_RULE = "no_rule"
    APPEAL = "appeal"
    URGENT_OVERDUE = "urgent_overdue"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Need:
    """One matter that waits for a decision, the one that has waited longest under its rule, and how many wait with it.

    ``action`` is the step that decides it, "" where the reader may only look.
    """

    rule: Rule
    number: str
    place: str
    matter: str
    since: dt.datetime
    count: int
    wanted: Filter
    action: str


@dataclass(frozen=True)
class Hot:
    """A class of matter that came in well above its usual: ``count`` of ``of`` in ``hours`` hours."""

    matter: str
    count: int
    of: int
    usual: float
    hours: int
    wanted: Filter


@dataclass(frozen=True)
class Entry:
    """One event of the ledger without anybody in it."""

    at: dt.datetime
    action: str
    number: str
    place: str
    matter: str


@dataclass(frozen=True)
class Overview:
    """Everything about today, as it stood at ``as_of``."""

    as_of: dt.datetime
    numbers: tuple[Number, ...]
    hours: tuple[Hour, ...]
    counties: tuple[Place, ...]
    townships: tuple[Place, ...]
    needs: tuple[Need, ...]
    hot: tuple[Hot, ...]
    events: tuple[Entry, ...]
    #: How many of the last weeks are known, for the medians of the day.
    weeks: int


def may_read(scope: Scope) -> bool:
    """Whether the overview is for this person: whose post reaches the cases of a place. A unit has its own inbox."""
    return scope.can("case.view", Role.Reach.PLACE)


# --- what is kept for a while ---------------------------------------------------------------------------------------


class _Kept:
    """Values by key, each reckoned by one thread while the others wait for it, and forgotten after its time."""

    def __init__(self) -> None:
        self._values: dict[Any, tuple[float, Any]] = {}
        self._locks: dict[Any, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, seconds: float, reckon: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            kept = self._values.get(key)
            if kept is None or kept[0] < time.monotonic():
                value = reckon()
                with self._lock:
                    now = time.monotonic()
                    for old in [k for k, (until, _value) in self._values.items() if until < now and k != key]:
                        del self._values[old]
                        self._locks.pop(old, None)
                    self._values[key] = kept = (now + seconds, value)
            found: T = kept[1]
            return found


_kept = Snapshot("overview", _Kept)


def _reader(scope: Scope) -> Scope:
    """People with the same posts see the same figures: only a post that reaches its unit depends on the person."""
    own = any(g.reach == Role.Reach.UNIT for g in scope.grants)
    return scope if own else replace(scope, person_id=None)


# --- what was usual -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Usual:
    """For each flow and each past day of the same weekday, how many had come by each minute of the day."""

    days: tuple[dt.datetime, ...]
    by_minute: dict[Happened, tuple[tuple[int, ...], ...]]

    def median(self, what: Happened, minute: int) -> float | None:
        return statistics.median(day[minute] for day in self.by_minute[what]) if self.days else None

    def in_hour(self, hour: int) -> float | None:
        if not self.days:
            return None
        return statistics.median(
            day[60 * hour + 60] - day[60 * hour] for day in self.by_minute[Happened.RECEIVED]
        )


def past_days(scope: Scope, now: dt.datetime) -> tuple[dt.datetime, ...]:
    """The same weekday in the weeks before, as far back as there are cases at all."""
    first = queries.visible(scope).aggregate(first=Min("created_at"))["first"]
    start = midnight(now)
    days = [start - n * WEEK for n in range(1, WEEKS + 1)]
    return tuple(d for d in days if first is not None and d >= midnight(first))


def _usual(scope: Scope, now: dt.datetime) -> _Usual:
    days = past_days(scope, now)
    held: dict[Happened, tuple[tuple[int, ...], ...]] = {}
    for what, at in (
        (Happened.RECEIVED, "created_at"),
        (Happened.DISPATCHED, "dispatched_at"),
        (Happened.CLOSED, "closed_at"),
    ):
        both = what is Happened.RECEIVED
        found: Counter[dt.datetime] = Counter()
        answered: Counter[dt.datetime] = Counter()
        span = Q(pk__in=[])
        for day in days:
            span |= Q(**{f"{at}__gte": day, f"{at}__lt": day + DAY})
        rows = queries.visible(scope).filter(span).order_by().annotate(minute=TruncMinute(at))
        # Only what came in is asked whether it was answered at once.
        at_once = queries.answered() if both else Q(pk__in=[])
        for minute, n, a in rows.values_list("minute").annotate(n=Count("pk"), a=Count("pk", filter=at_once)):
            found[minute], answered[minute] = n, a
        held[what] = tuple(_by_minute(found, day) for day in days)
        if both:
            held[Happened.ANSWERED] = tuple(_by_minute(answered, day) for day in days)
    return _Usual(days, held)


def _by_minute(counts: Counter[dt.datetime], day: dt.datetime) -> tuple[int, ...]:
    total, sums = 0, [0]
    for minute in range(24 * 60):
        total += counts.get(day + dt.timedelta(minutes=minute), 0)
        sums.append(total)
    return tuple(sums)


def overdue_at(scope: Scope, moments: Sequence[dt.datetime]) -> list[int]:
    """How many cases had run over a limit at each moment, by the limits as they stand in the record today: what was
    extended since counts as on time."""
    if not moments:
        return []
    late = Q(ended_at__gt=F("due_at")) & Q(ended_at__gt=min(moments))
    running = Q(state=Clock.State.RUNNING, due_at__lt=max(moments))
    counts = {
        f"n{i}": Count(
            "case",
            distinct=True,
            filter=Q(started_at__lte=t, due_at__lt=t) & (Q(ended_at=None) | Q(ended_at__gt=t)),
        )
        for i, t in enumerate(moments)
    }
    found = Clock.objects.filter(late | running, case__in=queries.visible(scope)).aggregate(**counts)
    return [found[f"n{i}"] for i in range(len(moments))]


# --- what stands and what happened ----------------------------------------------------------------------------------


def _places(scope: Scope, now: dt.datetime) -> tuple[int, int, tuple[Place, ...], tuple[Place, ...]]:
    """All open and overdue cases, and the same by county and by township, in one pass over the open cases."""
    rows = (
        queries.visible(scope)
        .filter(open=True)
        .order_by()
        .values(at=Left("place", LEVELS["township"]))
        .annotate(n=Count("pk"), late=Count("pk", filter=queries.queue(Queue.OVERDUE, now)))
    )
    by: dict[int, dict[str, list[int]]] = {LEVELS["county"]: {}, LEVELS["township"]: {}}
    total = [0, 0]
    for row in rows:
        found = (row["n"], row["late"])
        total = [a + b for a, b in zip(total, found, strict=True)]
        for level, places in by.items():
            if len(row["at"]) >= level:
                place = places.setdefault(row["at"][:level], [0, 0])
                place[0] += found[0]
                place[1] += found[1]
    # A county in which nothing stands is shown with its nought.
    for county in names.children(names.root()):
        if any(county.code.startswith(g.place) for g in scope.grants):
            by[LEVELS["county"]].setdefault(county.code, [0, 0])
    counties, townships = (
        tuple(Place(code, *counts) for code, counts in sorted(places.items())) for places in by.values()
    )
    return total[0], total[1], counties, townships


_NEEDS: dict[Rule, tuple[Filter, tuple[str, ...]]] = {
    Rule.CRITICAL_OVERDUE: (Filter(queue=Queue.OVERDUE, urgency=Urgency.CRITICAL), ("supervise",)),
    Rule.OBJECTION: (Filter(queue=Queue.RETURNS, state=State.RETURN_REQ), ("redispatch",)),
    Rule.NO_RULE: (Filter(queue=Queue.NO_RULE), ("dispatch", "accept")),
    Rule.APPEAL: (Filter(queue=Queue.APPEALS), ("answer_appeal",)),
    Rule.URGENT_OVERDUE: (Filter(queue=Queue.OVERDUE, urgency=Urgency.URGENT), ("supervise",)),
    Rule.OVERDUE: (Filter(queue=Queue.OVERDUE), ("supervise",)),
}
_SINCE = {Rule.NO_RULE: "alarm__raised_at", Rule.APPEAL: "appealed_at"}


def _longest(rule: Rule, rows: QuerySet[Case]) -> Case | None:
    """The case that has waited longest, with ``waits`` the moment since when."""
    if rule is Rule.OBJECTION:
        waiting = rows.annotate(waits=Max("events__at", filter=Q(events__action="return")))
    else:
        waiting = rows.annotate(waits=F(_SINCE.get(rule, "due_at")))
    return waiting.order_by("waits", "id").first()


def needs(scope: Scope, now: dt.datetime) -> tuple[Need, ...]:
    """What waits for a decision, by rule: of each rule the case that has waited longest."""
    found: list[Need] = []
    for rule, (wanted, actions) in _NEEDS.items():
        rows = queries.listed(scope, wanted, now)
        case = _longest(rule, rows)
        if case is None or case.number in {n.number for n in found}:
            continue
        open_to_reader = {row.action for row in engine.actions_for(case, scope)}
        found.append(
            Need(
                rule=rule,
                number=case.number,
                place=case.place,
                matter=case.matter,
                since=case.waits,  # type: ignore[attr-defined]
                count=queries.count(rows),
                wanted=wanted,
                action=next((a for a in actions if a in open_to_reader), ""),
            )
        )
        if len(found) == NEEDS:
            break
    return tuple(found)


def _by_matter(scope: Scope, since: dt.datetime, until: dt.datetime) -> Counter[str]:
    span = queries.happened(Happened.RECEIVED, since, until)
    by_class = queries.visible(scope).filter(span).order_by().values(of=Left("matter", _CLASS))
    return Counter({row["of"]: row["n"] for row in by_class.annotate(n=Count("pk"))})


@dataclass(frozen=True)
class _Before:
    """What came in by matter in the weeks before the last one, and how many days of those there were."""

    days: int
    counts: Counter[str]


def _before(scope: Scope, now: dt.datetime) -> _Before:
    until = midnight(now) - WEEK
    since = until - WEEKS * WEEK
    first = queries.visible(scope).aggregate(first=Min("created_at"))["first"]
    if first is None or first >= until:
        return _Before(0, Counter())
    since = max(since, midnight(first))
    return _Before(max(1, (until - since) // DAY), _by_matter(scope, since, until))


def _hot(scope: Scope, now: dt.datetime, before: _Before) -> tuple[Hot, ...]:
    """Matters well above their usual in the last day, else in the last week."""
    if not before.days:
        return ()
    minute = now.replace(second=0, microsecond=0)
    found: dict[str, tuple[float, Hot]] = {}
    for hours in (24, 7 * 24):
        since = minute - dt.timedelta(hours=hours)
        counts = _by_matter(scope, since, minute)
        of = counts.total()
        for matter, count in counts.items():
            usual = before.counts[matter] / before.days * hours / 24
            deviation = max(usual, 1.0) ** 0.5
            if (
                len(matter) == _CLASS  # a shorter code is a choice not finished
                and matter not in found
                and count >= HOT_AT_LEAST
                and count >= HOT_TIMES * usual
                and count >= usual + HOT_DEVIATIONS * deviation
            ):
                wanted = Filter(
                    matter=matter, happened=Happened.RECEIVED, since=since, until=minute, open_only=False
                )
                found[matter] = (
                    (count - usual) / deviation,
                    Hot(matter, count, of, usual, hours, wanted),
                )
    strongest = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].matter))
    return tuple(hot for _strength, hot in strongest[:HOT])


#: The events that are told: steps of a case, its beginning, and a clock that ran out. Who looked at what is not.
TOLD = tuple(sorted({t.action for t in TRANSITIONS} | {"create", "clock.urged", "clock.escalated"}))


@everything("how far the ledger has come: ids, of no case")
def _newest() -> int:
    return Event.objects.aggregate(newest=Max("id"))["newest"] or 0


def _events(scope: Scope) -> tuple[Entry, ...]:
    rows = Event.objects.filter(
        id__gt=_newest() - EVENTS_AMONG, action__in=TOLD, case__in=queries.visible(scope)
    ).order_by("-id")
    return tuple(
        Entry(*row)
        for row in rows.values_list("at", "action", "case__number", "case__place", "case__matter")[:EVENTS]
    )


def reckon(scope: Scope, now: dt.datetime) -> Overview:
    """Count everything anew, save what was usual, which is kept for the day."""
    kept, start = _kept.get(), midnight(now)
    usual = kept.get(("usual", scope, start), 86400.0, lambda: _usual(scope, now))
    hour = now.replace(minute=0, second=0, microsecond=0)
    overdue_then = kept.get(
        ("overdue", scope, hour),
        3600.0,
        lambda: overdue_at(scope, [day + (hour - start) for day in usual.days]),
    )
    before = kept.get(("before", scope, start), 86400.0, lambda: _before(scope, now))
    minute = now.replace(second=0, microsecond=0)
    hot = kept.get(("hot", scope, minute), 60.0, lambda: _hot(scope, now, before))

    today = (start, start + DAY)
    counts: dict[Figure, int] = {}
    by_hour: Counter[int] = Counter()
    received = queries.visible(scope).filter(queries.happened(Happened.RECEIVED, *today)).order_by()
    by = received.annotate(hour=TruncHour("created_at")).values("hour")
    counts[Figure.RECEIVED] = counts[Figure.ANSWERED] = 0
    for row in by.annotate(n=Count("pk"), a=Count("pk", filter=queries.answered())):
        by_hour[timezone.localtime(row["hour"]).hour] += row["n"]
        counts[Figure.RECEIVED] += row["n"]
        counts[Figure.ANSWERED] += row["a"]
    for figure in (Figure.DISPATCHED, Figure.CLOSED):
        span = queries.happened(FLOWS[figure], *today)
        counts[figure] = queries.visible(scope).filter(span).order_by().count()
    counts[Figure.OPEN], counts[Figure.OVERDUE], counties, townships = _places(scope, now)

    weeks = len(usual.days)
    minute_of_day = int((minute - start).total_seconds() // 60)
    numbers = [
        Number(
            figure,
            counts[figure],
            Filter(happened=what, since=today[0], until=today[1], open_only=False),
            usual.median(what, minute_of_day),
            weeks,
            minute,
        )
        for figure, what in FLOWS.items()
    ]
    then = statistics.median(overdue_then) if overdue_then else None
    numbers.append(
        Number(Figure.OVERDUE, counts[Figure.OVERDUE], Filter(queue=Queue.OVERDUE), then, weeks, hour)
    )
    numbers.append(Number(Figure.OPEN, counts[Figure.OPEN], Filter()))
    this_hour = timezone.localtime(now).hour
    hours = tuple(
        Hour(
            h,
            by_hour[h] if h <= this_hour else None,
            usual.in_hour(h),
            Filter(
                happened=Happened.RECEIVED,
                since=start + dt.timedelta(hours=h),
                until=start + dt.timedelta(hours=h + 1),
                open_only=False,
            ),
        )
        for h in range(24)
    )
    return Overview(
        as_of=now,
        numbers=tuple(numbers),
        hours=hours,
        counties=counties,
        townships=townships,
        needs=needs(scope, now),
        hot=hot,
        events=_events(scope),
        weeks=weeks,
    )


# --- the latest -----------------------------------------------------------------------------------------------------

#: A scope's figures may take no more than this share of one thread's time, and are at most a second late for it.
SHARE, LATE = 0.1, 1.0


@everything("how far the ledger has come: ids, of no case")
def pulse() -> tuple[int, int]:
    """What changes with every event: the newest one, and how many of the newest ids there are, since an event may be
    written after one with a higher id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with newest as (select coalesce(max(id), 0) as id from ledger_event) "
            "select newest.id, (select count(*) from ledger_event e where e.id > newest.id - 200) from newest"
        )
        row: tuple[int, int] = cursor.fetchone()
    return row


@dataclass(frozen=True)
class Latest:
    """The overview, until when nothing is known to have changed it, and a name for what it shows to whom."""

    overview: Overview
    as_of: dt.datetime
    tag: str


def _tag(reader: Scope, overview: Overview) -> str:
    """The same for the same figures and the same sight. Not of the moment of counting: that anything happened, be it
    out of sight, has them counted anew."""
    shown = (
        walls.of(reader).parameters(),
        replace(overview, as_of=overview.as_of.replace(second=0, microsecond=0)),
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]


class _Turn:
    """The last counting of one scope, good until something happens or the next clock runs out."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pulse: tuple[int, int] | None = None
        self.overview: Overview | None = None
        self.tag = ""
        self.until = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.at = self.cost = 0.0


def _until(scope: Scope, now: dt.datetime) -> dt.datetime:
    """When the figures change even if nothing happens: the next case runs over its limit, or the minute ends: what came
    in "in the last day" moves on."""
    coming = queries.visible(scope).filter(open=True, due_at__gte=now).order_by("due_at")
    due = coming.values_list("due_at", flat=True).first()
    return min(filter(None, (due, now.replace(second=0, microsecond=0) + MINUTE)))


def latest(scope: Scope) -> Latest:
    """The overview as it stands, counted anew only when something has happened or a clock has run out."""
    reader = _reader(scope)
    turn = _kept.get().get(("turn", reader), 3600.0, _Turn)
    with turn.lock:
        now, beat = timezone.now(), pulse()
        began, held = time.monotonic(), turn.overview
        if held is not None:
            if beat == turn.pulse and now <= turn.until:
                return Latest(held, now, turn.tag)
            if began - turn.at < min(turn.cost * (1 / SHARE - 1), LATE):
                return Latest(held, held.as_of, turn.tag)
        turn.overview, turn.pulse, turn.until = reckon(reader, now), beat, _until(reader, now)
        turn.tag = _tag(reader, turn.overview)
        turn.at = time.monotonic()
        turn.cost = turn.at - began
        return Latest(turn.overview, now, turn.tag)
