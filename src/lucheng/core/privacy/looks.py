"""Who looked at sealed data: for the data-protection officer, and for the person whose data it is.

Looks are listed one by one and never added up by person: what a unit does on a day is a figure, what somebody does is
not. Nothing here opens anything, and no case is read.

Sources: Personal Information Protection Law (个人信息保护法) arts. 44, 45, 48 and 50 (a person's right to know, to
see and to be told), 51 (measures), 54 (audits).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import IO

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from lucheng.core import paging, sheets
from lucheng.core.fields import within
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy.contacts import FIELDS
from lucheng.core.privacy.models import Reveal
from lucheng.postgresql.context import everything

AUDIT = "privacy.audit"
#: How far back is looked where nobody says since when.
USUAL_PERIOD = dt.timedelta(days=30)
#: Rows of one exported sheet at most: what is more is asked for in parts.
MOST_EXPORTED = 10_000

#: A unit's day is unusual from so many looks on, where they are more than so many times its median of so many days.
LEAST, TIMES, PAST_DAYS = 10, 3, 28
#: The days that are judged.
JUDGED_DAYS = 14


_auditing = everything("looks at sealed data: of which order, by whom and why, for whoever audits them")


@dataclass(frozen=True)
class Asked:
    """What is looked for; empty means any. ``until`` is the first moment that is no longer meant."""

    person: str = ""
    unit: str = ""
    number: str = ""
    reason: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True)
class UnusualDay:
    """A day on which a unit looked far more often than it does. ``usual`` is its median of the days before."""

    day: dt.date
    unit: str
    looks: int
    usual: float


@dataclass(frozen=True)
class Seen:
    """A look as the person whose data it is may know it: which unit, at what, why. Not who."""

    at: dt.datetime
    unit: str
    fields: list[str | Promise]
    reason: str


def visible(reader: Scope) -> QuerySet[Reveal]:
    """The looks that the reader audits: those of units at the places of their posts; everything, for the whole city.

    A look from before units were kept is for the whole city's.
    """
    places = [grant.place for grant in reader.grants if AUDIT in grant.capabilities]
    if any(names.root().startswith(place) for place in places):
        return Reveal.objects.all()
    reach = Q(pk__in=[])
    for place in places:
        reach |= within("unit__place", place)
    return Reveal.objects.filter(reach)


def find(rows: QuerySet[Reveal], asked: Asked) -> QuerySet[Reveal]:
    """The looks among ``rows`` that fit, the newest first. Slice it; nobody counts it."""
    rows = rows.select_related("person", "unit").order_by("-at", "-id")
    if asked.person:
        rows = rows.filter(person__in=_people(asked.person))
    if asked.unit:
        rows = rows.filter(Q(unit__code=asked.unit) | Q(unit__name=asked.unit))
    if asked.number:
        rows = rows.filter(number=asked.number)
    if asked.reason:
        rows = rows.filter(reason__icontains=asked.reason)
    return paging.between(rows, asked.since, asked.until)


def _people(text: str) -> list[int]:
    return list(Person.objects.filter(Q(username=text) | Q(name=text)).values_list("pk", flat=True))


@_auditing
def page(rows: QuerySet[Reveal], before: int | None, size: int) -> tuple[list[Reveal], int | None]:
    """One page of :func:`find` behind the look ``before``, and what the next page is behind. However deep it lies, it
    costs the same: it begins in the index."""
    if before is not None:
        at = Reveal.objects.filter(pk=before).values_list("at", flat=True).first()
        if at is None:
            return [], None
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=before))
    shown = list(rows[: size + 1])
    return shown[:size], shown[size - 1].pk if len(shown) > size else None


@_auditing
def unusual(rows: QuerySet[Reveal], now: dt.datetime) -> list[UnusualDay]:
    """Days of the last two weeks, among ``rows``, on which a unit looked unusually often, the newest first. People are
    not counted."""
    today = timezone.localdate(now)
    first = today - dt.timedelta(days=JUDGED_DAYS + PAST_DAYS)
    start = timezone.make_aware(dt.datetime.combine(first, dt.time()))
    counted: dict[tuple[int, str], dict[dt.date, int]] = defaultdict(dict)
    days_of_units = (
        rows.filter(at__gte=start, at__lte=now, unit__isnull=False)
        .order_by()
        .annotate(day=TruncDate("at"))
        .values("unit", "unit__name", "day")
        .annotate(n=Count("pk"))
    )
    for row in days_of_units:
        counted[row["unit"], row["unit__name"]][row["day"]] = row["n"]
    unusual_days = []
    for (_pk, unit), days in counted.items():
        for back in range(JUDGED_DAYS):
            day = today - dt.timedelta(days=back)
            usual = median(days.get(day - dt.timedelta(days=n), 0) for n in range(1, PAST_DAYS + 1))
            if days.get(day, 0) >= LEAST and days[day] > TIMES * usual:
                unusual_days.append(UnusualDay(day, unit, days[day], usual))
    return sorted(unusual_days, key=lambda u: (-u.day.toordinal(), u.unit))


def for_the_requester(number: str) -> list[Seen]:
    """Every look at the data of one case's requester, the newest first, for a page that they have proved to be theirs
    (never for one that the tracking code alone opens). ``number`` is that of the order."""
    rows = Reveal.objects.filter(number=number).select_related("unit").order_by("-at", "-id")
    return [
        Seen(r.at, r.unit.name if r.unit is not None else "", [FIELDS[f] for f in r.fields], r.reason)
        for r in rows
    ]


def words(fields: list[str]) -> str:
    """What was opened, in the reader's language."""
    return "、".join(str(FIELDS[f]) for f in fields)


@_auditing
def export(rows: QuerySet[Reveal], file: IO[bytes]) -> int:
    """Write looks as an xlsx sheet, the newest first, and return how many: at most :data:`MOST_EXPORTED`. Contacts are
    not in it."""
    written = list(rows[:MOST_EXPORTED])
    headers = [
        _("Time"),
        _("Person"),
        _("User name"),
        _("Their unit"),
        _("Role"),
        _("Order"),
        _("Opened"),
        _("Reason given"),
    ]
    sheets.write(
        file,
        _("Looks"),
        headers,
        (
            [
                timezone.localtime(r.at).strftime("%Y-%m-%d %H:%M:%S"),
                r.person.name,
                r.person.username,
                r.unit.name if r.unit is not None else "",
                r.role,
                r.number,
                words(r.fields),
                r.reason,
            ]
            for r in written
        ),
        [20, 12, 14, 24, 14, 20, 16, 60],
    )
    return len(written)
