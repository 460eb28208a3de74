"""What figures came to, day by day, at the city, its counties and townships."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from lucheng.core.indicators.indicator import Indicator, Value, indicators
from lucheng.core.indicators.models import Day
from lucheng.core.indicators.periods import one_day
from lucheng.core.places import names
from lucheng.core.places.models import LEVELS
from lucheng.postgresql.context import everything

#: For divisions of these lengths of code a history is kept.
KEPT = (LEVELS["city"], LEVELS["county"], LEVELS["township"])


def of_day(indicator: Indicator, day: dt.date) -> dict[str, Value]:
    """What it comes to on ``day`` at every place of which a history is kept. Flows are those of that day."""
    window = one_day(day)
    root = names.root(day)
    found = {root: indicator.value(window, root)} if root else {}
    for length in KEPT:
        if length > len(root):
            found |= indicator.by_place(window, root, length)
    return found


def keep(day: dt.date) -> int:
    """Keep every indicator's day; how many places and figures. A second time writes the same again."""
    rows = []
    with everything("figures of whole places, in which no case is seen"):
        for indicator in indicators().values():
            rows += [
                (indicator.id, place, day, value.numerator, value.denominator)
                for place, value in of_day(indicator, day).items()
            ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into indicators_day (indicator, place, day, numerator, denominator)
            values (%s, %s, %s, %s, %s)
            on conflict (indicator, place, day)
            do update set numerator = excluded.numerator, denominator = excluded.denominator
            """,
            rows,
        )
    return len(rows)


def of(indicator: Indicator, place: str, since: dt.date, until: dt.date) -> list[tuple[dt.date, Value]]:
    """The days of an indicator at a place that are kept, from ``since`` up to but not on ``until``."""
    rows = Day.objects.filter(indicator=indicator.id, place=place, day__gte=since, day__lt=until).order_by(
        "day"
    )
    return [(row.day, indicator.of(row.numerator, row.denominator, row.day)) for row in rows]
