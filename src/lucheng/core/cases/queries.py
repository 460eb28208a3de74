"""Lists of cases: every one starts from what the reader may see, and none counts further than people read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from enum import StrEnum
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Case, State
from lucheng.core.cases.text import one_line
from lucheng.core.errors import NotFound
from lucheng.core.fields import within
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import Scope

#: Counting stops here: a list shows "1000+", since an exact count of many rows costs more than it tells.
COUNT_LIMIT = 1000


class Queue(StrEnum):
    """What waits for whom. Each is a condition on open cases."""

    NEW = "new"  # to be accepted and dispatched
    NO_RULE = "no_rule"  # the catalogue has no row
    RETURNS = "returns"  # objections and extensions to be decided
    TO_SIGN = "to_sign"
    IN_HAND = "in_hand"
    REVIEW = "review"
    CALLBACK = "callback"
    TO_CLOSE = "to_close"  # answered, refused or handed over: no clock runs any more
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    APPEALS = "appeals"
    SUPERVISED = "supervised"


def midnight(now: dt.datetime) -> dt.datetime:
    """The beginning of the city's day."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def queue(name: Queue, now: dt.datetime) -> Q:
    """The condition that a case stands in the queue at ``now``."""
    tomorrow = midnight(now) + dt.timedelta(days=1)
    conditions = {
        Queue.NEW: Q(state__in=[State.RECEIVED, State.ACCEPTED, State.REOPENED]),
        Queue.NO_RULE: Q(alarm__isnull=False, alarm__settled_at=None),
        Queue.RETURNS: Q(state__in=[State.RETURN_REQ, State.EXTEND_REQ]),
        Queue.TO_SIGN: Q(state=State.DISPATCHED),
        Queue.IN_HAND: Q(state__in=[State.SIGNED, State.REWORK, State.SUSPENDED]),
        Queue.REVIEW: Q(state=State.REPLIED),
        Queue.CALLBACK: Q(state=State.CALLBACK),
        Queue.TO_CLOSE: Q(state__in=[State.ANSWERED, State.REJECTED, State.TRANSFERRED]),
        Queue.DUE_TODAY: Q(due_at__gte=now, due_at__lt=tomorrow),
        Queue.OVERDUE: Q(due_at__lt=now),
        Queue.SUPERVISED: ~Q(supervision=""),
    }
    if name is Queue.APPEALS:  # also against closed ones
        return Q(appealed_at__isnull=False)
    return Q(open=True) & conditions[name]


class Happened(StrEnum):
    """What a case must have gone through in a stretch of time."""

    RECEIVED = "received"
    ANSWERED = "answered"  # received then, and answered at once, without an order
    DISPATCHED = "dispatched"  # for the first time
    CLOSED = "closed"  # and still closed


_AT = {Happened.DISPATCHED: "dispatched_at", Happened.CLOSED: "closed_at"}


def answered() -> Exists:
    """The condition that a case was answered at once."""
    return Exists(Event.objects.filter(case=OuterRef("pk"), action="answer"))


def happened(what: Happened, since: dt.datetime | None, until: dt.datetime | None) -> Q:
    """The condition that ``what`` happened from ``since`` on and before ``until``; None is no bound."""
    at = _AT.get(what, "created_at")
    q = Q(**{f"{at}__isnull": False})
    if since is not None:
        q &= Q(**{f"{at}__gte": since})
    if until is not None:
        q &= Q(**{f"{at}__lt": until})
    return q & Q(answered()) if what is Happened.ANSWERED else q


def _local(moment: dt.datetime) -> str:
    return timezone.localtime(moment).replace(tzinfo=None).isoformat(timespec="minutes")


@dataclass(frozen=True)
class Filter:
    """What a reader asked for; empty means any."""

    queue: Queue | None = None
    state: str = ""
    kind: str = ""
    place: str = ""
    matter: str = ""
    unit: int | None = None
    handler: int | None = None
    number: str = ""
    urgency: str = ""
    happened: Happened | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    open_only: bool = True

    def query(self) -> str:
        """The filter as the query of an address; its times are the city's, to the minute."""
        given = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) and f.name != "open_only"}
        words = {k: _local(v) if isinstance(v, dt.datetime) else str(v) for k, v in given.items()}
        return urlencode(words if self.open_only or self.happened else {**words, "all": "1"})


def visible(scope: Scope, capability: str = "case.view") -> QuerySet[Case]:
    """The cases over which the reader has the capability: the one way from a scope to rows."""
    return Case.objects.filter(scope.q(capability))


def find(rows: QuerySet[Case], number: str) -> Case:
    """The case with this order number among ``rows``, which start from what the reader may see. Raises NotFound."""
    case = rows.filter(number=number).first() if number.isascii() and number.isdecimal() else None
    if case is None:
        raise NotFound(
            _("There is no order with the number “%(number)s”.") % {"number": one_line(number, 30)}
        )
    return case


def listed(scope: Scope, wanted: Filter, now: dt.datetime) -> QuerySet[Case]:
    """The cases a reader asked for and may see, the most pressing first: by due time, then those without one.

    With ``open_only`` off, the newest first. Slice it; count it with :func:`count`.
    """
    rows = visible(scope)
    if wanted.queue is not None:
        rows = rows.filter(queue(wanted.queue, now))
    elif wanted.open_only:
        rows = rows.filter(open=True)
    rows = _narrowed(rows, wanted)
    by_deadline = wanted.open_only or wanted.queue is not None
    return rows.order_by("due_at", "id") if by_deadline else rows.order_by("-created_at", "-id")


def _narrowed(rows: QuerySet[Case], wanted: Filter) -> QuerySet[Case]:
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.place:
        rows = rows.filter(within("place", wanted.place))
    if wanted.matter:
        rows = rows.filter(within("matter", wanted.matter))
    if wanted.unit is not None:
        rows = rows.filter(units__overlap=[wanted.unit])
    if wanted.handler is not None:
        rows = rows.filter(handler=wanted.handler)
    if wanted.number:
        rows = rows.filter(number=wanted.number)
    if wanted.urgency:
        rows = rows.filter(urgency=wanted.urgency)
    if wanted.happened is not None:
        rows = rows.filter(happened(wanted.happened, wanted.since, wanted.until))
    return rows


def count(rows: QuerySet[Case]) -> int:
    """How many, counting no further than COUNT_LIMIT + 1: more than the limit reads as "1000+"."""
    return rows.order_by()[: COUNT_LIMIT + 1].count()


def queue_counts(
    scope: Scope,
    now: dt.datetime,
    queues: tuple[Queue, ...] = tuple(Queue),
    wanted: Filter | None = None,
) -> dict[Queue, int]:
    """How many stand in each queue, in two queries: one pass over the open cases, and the appeals, which may stand
    against closed ones. ``wanted`` narrows them as it does a list, its own queue apart."""
    rows = _narrowed(visible(scope), wanted or Filter())
    of_open = {q: Count("pk", filter=queue(q, now)) for q in queues if q is not Queue.APPEALS}
    counts = rows.filter(open=True).aggregate(**of_open)
    if Queue.APPEALS in queues:
        counts[Queue.APPEALS] = count(rows.filter(queue(Queue.APPEALS, now)))
    return {q: counts[q] for q in queues}
