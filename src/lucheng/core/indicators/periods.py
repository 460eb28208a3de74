"""Stretches of time as people name them: a year, a quarter, a month, a day."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid

_NAMES = re.compile(r"^(\d{4})(?:-(?:Q([1-4])|(\d{2})(?:-(\d{2}))?))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Window:
    """From ``since`` up to but not on ``until``. Records that stand are counted as on ``day``, its last day that has
    begun."""

    name: str
    since: dt.date
    until: dt.date
    day: dt.date

    @property
    def over(self) -> bool:
        """Whether it has ended: a figure of a period that goes on is a figure so far."""
        return self.day == self.until - dt.timedelta(days=1)


def one_day(day: dt.date) -> Window:
    """The stretch of time that is one day."""
    return Window(day.isoformat(), day, day + dt.timedelta(days=1), day)


def window(name: str, today: dt.date) -> Window:
    """The stretch of time called ``name``: 2020, 2020-Q3, 2020-07 or 2020-07-23.

    Raises Invalid for anything else, and for one that has not begun by ``today``.

    >>> window("2020-Q3", dt.date(2026, 1, 1)).until
    datetime.date(2020, 10, 1)
    """
    match = _NAMES.match(name.strip())
    try:
        if match is None:
            raise ValueError(name)
        year, quarter, month, day = (int(g) if g else 0 for g in match.groups())
        if quarter:
            since = dt.date(year, 3 * quarter - 2, 1)
            until = _months_after(since, 3)
        elif day:
            since = dt.date(year, month, day)
            until = since + dt.timedelta(days=1)
        elif month:
            since = dt.date(year, month, 1)
            until = _months_after(since, 1)
        else:
            since, until = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    except (ValueError, OverflowError):
        raise Invalid({"period": _("Write a period as 2020, 2020-Q3, 2020-07 or 2020-07-23.")}) from None
    if since > today:
        raise Invalid({"period": _("This period has not begun.")})
    return Window(name.strip().upper(), since, until, min(until - dt.timedelta(days=1), today))


def _months_after(day: dt.date, months: int) -> dt.date:
    at = day.year * 12 + day.month - 1 + months
    return dt.date(at // 12, at % 12 + 1, 1)
