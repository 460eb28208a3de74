"""Time limits on China's working calendar, as pure arithmetic over aware moments.

The rules are those of the Civil Code (民法典) on the reckoning of time, articles 200 to 204:

=============== ================================ ===================================================================
unit            begins                           ends
=============== ================================ ===================================================================
hours           at once (art. 201, para. 2)      after as many hours, by day or night
working_hours   at once, or when business opens  the moment that much time of business has passed: at 12:00 rather
                                                 than at 14:30 where both would say the same
working_days    the day after (art. 201, para.   on the n-th working day, when its business ends (art. 203, para. 2)
                1: the first day does not count)
calendar_days   the day after (art. 201, para.   on the n-th day; where that is not a working day, on the next one
                1)                               (art. 203, para. 1), when its business ends (art. 203, para. 2)
=============== ================================ ===================================================================

Article 203 ends a last day at 24:00, or at the end of business where there are hours of business. Every limit here
binds an office that has them, so the second half of the sentence applies throughout. Hours are left alone by
holidays: they are for emergencies. Article 202 (months and years) has no use here; article 204 leaves other reckonings
to law and agreement, that is, to whoever edits the table of limits.

A day is a day in Asia/Shanghai, whatever the time zone of the moment that is passed in. China has one zone and no
summer time since 1992, so wall-clock arithmetic within it is exact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Asia/Shanghai")

WORKING_HOURS: Final = "working_hours"
HOURS: Final = "hours"
WORKING_DAYS: Final = "working_days"
CALENDAR_DAYS: Final = "calendar_days"

#: The days a calendar can reckon with; a moment or a result outside raises ValueError.
FIRST: Final = dt.date(2000, 1, 1)
LAST: Final = dt.date(2099, 12, 31)

_ORIGIN: Final = dt.datetime.combine(FIRST, dt.time(), ZONE)
_HOUR: Final = 3_600_000_000  # microseconds
_DAYS: Final = (LAST - FIRST).days + 1

Span = tuple[dt.time, dt.time]


class Calendar:
    """Working days and working hours. Immutable: one may serve any number of threads.

    ``exceptions`` says for single days whether they are working days; every other day follows its weekday. ``spans``
    are the hours of business of a working day, in order: ``[(08:30, 12:00), (14:30, 18:00)]``.

    Raises ValueError where spans are missing, empty, overlap or are out of order.
    """

    def __init__(self, exceptions: Mapping[dt.date, bool], spans: Sequence[Span]) -> None:
        self._spans = [(_in_day(opens), _in_day(closes)) for opens, closes in spans]
        edges = [edge for span in self._spans for edge in span]
        if not edges or any(a >= b for a, b in pairwise(edges)):
            raise ValueError("hours of business must be given, in order, and may not overlap")
        self._length = sum(closes - opens for opens, closes in self._spans)
        self._closes = edges[-1]
        # Prefix sums over a century: working days before day i, and the index of the k-th working day.
        self._before = [0] * (_DAYS + 1)
        self._working: list[int] = []
        weekday = FIRST.weekday()
        moved = {(day - FIRST).days: working for day, working in exceptions.items()}
        for i in range(_DAYS):
            if moved.get(i, (i + weekday) % 7 < 5):
                self._working.append(i)
            self._before[i + 1] = len(self._working)

    def is_working(self, day: dt.date) -> bool:
        """Whether ``day`` is a working day. Raises ValueError outside 2000 to 2099."""
        i = (day - FIRST).days
        if not 0 <= i < _DAYS:
            raise ValueError(f"{day} is outside {FIRST} to {LAST}")
        return self._before[i + 1] > self._before[i]

    def add(self, start: dt.datetime, amount: float, unit: str) -> dt.datetime:
        """When a limit of ``amount`` units that starts at ``start`` ends, in Asia/Shanghai.

        Amounts of days must be whole. An amount of 0 is what is left of a limit on its last day: no hours end at once,
        no days end with the business of today, or of the next working day where today has none left.

        Raises ValueError for a moment without time zone, a negative amount, a part of a day or an unknown unit.
        """
        if amount < 0:
            raise ValueError("a limit cannot be negative")
        if unit == HOURS:
            try:
                end = _exact(start) + dt.timedelta(microseconds=round(amount * _HOUR))
            except OverflowError as error:
                raise ValueError(f"the limit ends after {LAST}") from error
            _split(end)
            return end
        day, at = _split(start)
        if unit == WORKING_HOURS:
            passed = round(amount * _HOUR)
            return self._when(self._worked(day, at) + passed) if passed else _exact(start)
        if unit not in (WORKING_DAYS, CALENDAR_DAYS):
            raise ValueError(f"unknown unit of time: {unit}")
        n = int(amount)
        if n != amount:
            raise ValueError("limits in days are whole days")
        if n == 0:
            return self._close(self._before[day] if at < self._closes else self._before[day + 1])
        if unit == WORKING_DAYS:
            return self._close(self._before[day + 1] + n - 1)
        if day + n >= _DAYS:
            raise ValueError(f"the limit ends after {LAST}")
        return self._close(self._before[day + n])

    def elapsed(self, start: dt.datetime, end: dt.datetime, unit: str) -> float:
        """How many units lie between two moments; negative where ``end`` comes first.

        Hours and working hours may be fractions. Days are whole: the day of ``start`` does not count, the day of
        ``end`` does, whatever the hour.
        """
        if unit == HOURS:
            return (_exact(end) - _exact(start)) / dt.timedelta(hours=1)
        first, at_first = _split(start)
        last, at_last = _split(end)
        if unit == WORKING_HOURS:
            return (self._worked(last, at_last) - self._worked(first, at_first)) / _HOUR
        if unit == WORKING_DAYS:
            return self._before[last + 1] - self._before[first + 1]
        if unit == CALENDAR_DAYS:
            return last - first
        raise ValueError(f"unknown unit of time: {unit}")

    def remaining(self, now: dt.datetime, due: dt.datetime, unit: str) -> float:
        """What is left of a limit, in its unit; 0 on its last day and after it."""
        return max(0.0, self.elapsed(now, due, unit))

    def part(self, start: dt.datetime, due: dt.datetime, share: float, unit: str) -> dt.datetime:
        """The moment between ``start`` and ``due`` at which ``share`` (0 to 1) of the limit is used up.

        For hours that is plain time. For every other unit it is time of business, so that a warning falls into hours
        in which somebody reads it.
        """
        if unit == HOURS:
            return _exact(start) + (_exact(due) - _exact(start)) * share
        begun = self._worked(*_split(start))
        used = round((self._worked(*_split(due)) - begun) * share)
        return self._when(begun + used) if used > 0 else _exact(start)

    def _worked(self, day: int, at: int) -> int:
        """Microseconds of business from the origin until ``at`` on ``day``."""
        total = self._before[day] * self._length
        if self._before[day + 1] > self._before[day]:
            for opens, closes in self._spans:
                if at <= opens:
                    break
                total += min(at, closes) - opens
        return total

    def _when(self, worked: int) -> dt.datetime:
        """The earliest moment at which that much business has passed since the origin."""
        k, rest = divmod(worked - 1, self._length)
        rest += 1
        for opens, closes in self._spans:
            if rest <= closes - opens:
                return self._moment(k, opens + rest)
            rest -= closes - opens
        raise AssertionError("a rest is never longer than a day of business")

    def _close(self, k: int) -> dt.datetime:
        """The end of business on the k-th working day."""
        return self._moment(k, self._closes)

    def _moment(self, k: int, at: int) -> dt.datetime:
        if k >= len(self._working):
            raise ValueError(f"the limit ends after {LAST}")
        return _ORIGIN + dt.timedelta(days=self._working[k], microseconds=at)


def _in_day(time: dt.time) -> int:
    """Microseconds since midnight."""
    return ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond


def _exact(moment: dt.datetime) -> dt.datetime:
    """The same moment in Asia/Shanghai: in a zone with summer time, wall-clock arithmetic would be an hour out."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(ZONE)


def _split(moment: dt.datetime) -> tuple[int, int]:
    """The day's index and the microseconds within it, in Asia/Shanghai."""
    since = _exact(moment) - _ORIGIN
    if not 0 <= since.days < _DAYS:
        raise ValueError(f"{moment} is outside {FIRST} to {LAST}")
    return since.days, since.seconds * 1_000_000 + since.microseconds
