"""The arithmetic of working time, without a database."""

from __future__ import annotations

import datetime as dt
import timeit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.clocks.calendar import (
    CALENDAR_DAYS,
    FIRST,
    HOURS,
    LAST,
    WORKING_DAYS,
    WORKING_HOURS,
    ZONE,
    Calendar,
)
from lucheng.core.clocks.holidays import NATIONAL, read

UNITS = (HOURS, WORKING_HOURS, WORKING_DAYS, CALENDAR_DAYS)
WORKING = (WORKING_HOURS, WORKING_DAYS)


def _national() -> Calendar:
    years, spans = read(NATIONAL)
    return Calendar({day: working for year in years for day, (working, _name) in year.days.items()}, spans)


CHINA = _national()

moments = st.datetimes(
    min_value=dt.datetime(2019, 12, 1),
    max_value=dt.datetime(2028, 2, 1),
    timezones=st.sampled_from([dt.UTC, ZONE, ZoneInfo("America/New_York")]),
)
hours = st.integers(0, 2000)
days = st.integers(1, 400)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


def in_business(moment: dt.datetime) -> bool:
    """Whether a limit may end then: within business, its last instant included."""
    local = moment.astimezone(ZONE)
    return CHINA.is_working(local.date()) and any(
        opens < local.time() <= closes
        for opens, closes in ((dt.time(8, 30), dt.time(12)), (dt.time(14, 30), dt.time(18)))
    )


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        # Hours run day and night, over holidays too.
        ("2026-09-30 23:30", 2, HOURS, "2026-10-01 01:30"),
        # Working hours: a lunch break, an evening, a weekend, a holiday of a week.
        ("2026-11-23 11:00", 2, WORKING_HOURS, "2026-11-23 15:30"),
        ("2026-11-23 17:00", 2, WORKING_HOURS, "2026-11-24 09:30"),
        ("2026-11-27 17:00", 2, WORKING_HOURS, "2026-11-30 09:30"),
        ("2026-09-30 17:00", 2, WORKING_HOURS, "2026-10-08 09:30"),
        ("2026-11-28 12:00", 1, WORKING_HOURS, "2026-11-30 09:30"),
        # It ends with business, not when the next business begins.
        ("2026-11-23 11:00", 1, WORKING_HOURS, "2026-11-23 12:00"),
        ("2026-11-23 17:00", 1, WORKING_HOURS, "2026-11-23 18:00"),
        # Working days: the first day does not count; the end of business ends the last one.
        ("2026-11-23 09:00", 5, WORKING_DAYS, "2026-11-30 18:00"),
        ("2026-11-23 23:59", 5, WORKING_DAYS, "2026-11-30 18:00"),
        ("2026-11-21 10:00", 1, WORKING_DAYS, "2026-11-23 18:00"),
        # A Saturday and a Sunday that are worked (10 May 2026 is an ordinary Sunday).
        ("2026-05-08 09:00", 1, WORKING_DAYS, "2026-05-09 18:00"),
        ("2026-02-27 09:00", 1, WORKING_DAYS, "2026-02-28 18:00"),
        ("2026-09-18 09:00", 1, WORKING_DAYS, "2026-09-20 18:00"),
        # Over the Spring Festival of 2020, as lengthened: 3 February is the first working day.
        ("2020-01-23 09:00", 1, WORKING_DAYS, "2020-02-03 18:00"),
        # Calendar days: only a last day that is off moves on.
        ("2026-11-23 09:00", 3, CALENDAR_DAYS, "2026-11-26 18:00"),
        ("2026-11-23 09:00", 5, CALENDAR_DAYS, "2026-11-30 18:00"),
        ("2026-09-25 09:00", 15, CALENDAR_DAYS, "2026-10-10 18:00"),
    ],
)
def test_a_limit_ends_when_the_law_says(start: str, amount: int, unit: str, due: str) -> None:
    assert CHINA.add(at(start), amount, unit) == at(due)


def test_a_day_is_a_day_in_shanghai_even_when_the_moment_is_given_in_utc() -> None:
    # 20:00 UTC on Sunday is four o'clock on Monday morning in Shanghai: Monday is the first day, Tuesday the last.
    assert CHINA.add(dt.datetime(2026, 11, 22, 20, tzinfo=dt.UTC), 1, WORKING_DAYS) == at("2026-11-24 18:00")
    # 20:00 UTC on Friday is Saturday in Shanghai.
    assert CHINA.add(dt.datetime(2026, 11, 27, 20, tzinfo=dt.UTC), 1, WORKING_HOURS) == at("2026-11-30 09:30")


def test_what_is_left_on_the_last_day_ends_with_its_business() -> None:
    assert CHINA.add(at("2026-11-23 09:00"), 0, WORKING_DAYS) == at("2026-11-23 18:00")
    assert CHINA.add(at("2026-11-23 18:00"), 0, WORKING_DAYS) == at("2026-11-24 18:00")
    assert CHINA.add(at("2026-11-21 09:00"), 0, CALENDAR_DAYS) == at("2026-11-23 18:00")
    assert CHINA.add(at("2026-11-21 09:00"), 0, WORKING_HOURS) == at("2026-11-21 09:00")


def test_hours_are_real_hours_where_a_clock_is_put_forward() -> None:
    new_york = ZoneInfo("America/New_York")  # the night of 8 March 2026 has no hour from two to three
    start = dt.datetime(2026, 3, 8, 1, 30, tzinfo=new_york)
    assert CHINA.add(start, 1, HOURS) == dt.datetime(2026, 3, 8, 3, 30, tzinfo=new_york)


@given(moments, hours, st.sampled_from((HOURS, WORKING_HOURS)))
def test_as_many_hours_have_passed_as_were_added(start: dt.datetime, n: int, unit: str) -> None:
    assert CHINA.elapsed(start, CHINA.add(start, n, unit), unit) == n


@given(moments, days)
def test_as_many_working_days_have_passed_as_were_added(start: dt.datetime, n: int) -> None:
    assert CHINA.elapsed(start, CHINA.add(start, n, WORKING_DAYS), WORKING_DAYS) == n


@given(moments, days)
def test_calendar_days_are_moved_only_over_days_off(start: dt.datetime, n: int) -> None:
    due = CHINA.add(start, n, CALENDAR_DAYS)
    last = start.astimezone(ZONE).date() + dt.timedelta(days=n)
    while last < due.date():
        assert not CHINA.is_working(last)
        last += dt.timedelta(days=1)
    assert last == due.date() and CHINA.is_working(last)


@given(moments, st.floats(0, 500), st.sampled_from((HOURS, WORKING_HOURS)))
def test_parts_of_hours_survive_a_round_trip_to_the_microsecond(
    start: dt.datetime, n: float, unit: str
) -> None:
    due = CHINA.add(start, n, unit)
    left = CHINA.remaining(start, due, unit)
    assert CHINA.add(start, left, unit) == due


@given(moments, moments, hours, st.sampled_from(UNITS))
def test_who_starts_later_is_never_due_earlier(a: dt.datetime, b: dt.datetime, n: int, unit: str) -> None:
    first, second = sorted((a, b))
    assert CHINA.add(first, n, unit) <= CHINA.add(second, n, unit)


@given(moments, hours, hours, st.sampled_from(UNITS))
def test_a_longer_limit_never_ends_earlier(start: dt.datetime, a: int, b: int, unit: str) -> None:
    assert CHINA.add(start, min(a, b), unit) <= CHINA.add(start, max(a, b), unit)


@given(moments, days, days, st.sampled_from((HOURS, WORKING_HOURS, WORKING_DAYS)))
def test_two_limits_one_after_the_other_are_one_of_their_sum(
    start: dt.datetime, a: int, b: int, unit: str
) -> None:
    assert CHINA.add(CHINA.add(start, a, unit), b, unit) == CHINA.add(start, a + b, unit)


@given(moments, moments, moments, st.sampled_from(UNITS))
def test_time_elapsed_adds_up(a: dt.datetime, b: dt.datetime, c: dt.datetime, unit: str) -> None:
    whole = CHINA.elapsed(a, c, unit)
    assert CHINA.elapsed(a, b, unit) + CHINA.elapsed(b, c, unit) == pytest.approx(whole, abs=1e-9)
    assert CHINA.elapsed(c, a, unit) == -whole


@given(moments, days, st.sampled_from(WORKING))
def test_a_working_limit_ends_within_business(start: dt.datetime, n: int, unit: str) -> None:
    assert in_business(CHINA.add(start, n, unit))


@given(moments, days, st.floats(0, 1), st.sampled_from(UNITS))
def test_a_part_of_a_limit_lies_within_it(start: dt.datetime, n: int, share: float, unit: str) -> None:
    due = CHINA.add(start, n, unit)
    moment = CHINA.part(start, due, share, unit)
    assert start <= moment <= due
    # By timestamp: a wall time that summer time skips is equal to nothing in another zone (PEP 495).
    if unit != HOURS and moment.timestamp() != start.timestamp():
        assert in_business(moment)
    assert CHINA.part(start, due, 1, unit) == due


@given(
    st.sets(st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))),
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=st.just(dt.UTC)),
    st.integers(1, 60),
)
def test_any_calendar_counts_as_one_counts_on_fingers(off: set[dt.date], start: dt.datetime, n: int) -> None:
    some = Calendar(dict.fromkeys(off, False), [(dt.time(9), dt.time(17))])
    day, left = start.astimezone(ZONE).date(), n
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < 5 and day not in off
    assert some.add(start, n, WORKING_DAYS) == dt.datetime.combine(day, dt.time(17), ZONE)


def test_a_naive_moment_is_refused() -> None:
    for unit in UNITS:
        with pytest.raises(ValueError, match="time zone"):
            CHINA.add(dt.datetime(2026, 1, 5), 1, unit)


@pytest.mark.parametrize(
    ("amount", "unit"),
    [(-1, HOURS), (-1, WORKING_DAYS), (0.5, WORKING_DAYS), (1.5, CALENDAR_DAYS), (1, "weeks")],
)
def test_amounts_and_units_that_make_no_sense_are_refused(amount: float, unit: str) -> None:
    with pytest.raises(ValueError):
        CHINA.add(at("2026-11-23 09:00"), amount, unit)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("amount", [700_000, 10**15])
def test_a_limit_beyond_the_calendar_is_refused_not_guessed(unit: str, amount: int) -> None:
    with pytest.raises(ValueError):
        CHINA.add(at("2026-11-23 09:00"), amount, unit)


def test_days_outside_the_calendar_are_refused_not_guessed() -> None:
    for day in (FIRST - dt.timedelta(days=1), LAST + dt.timedelta(days=1)):
        with pytest.raises(ValueError):
            CHINA.is_working(day)
        with pytest.raises(ValueError):
            CHINA.add(dt.datetime.combine(day, dt.time(9), ZONE), 1, WORKING_DAYS)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [(dt.time(9), dt.time(9))],
        [(dt.time(18), dt.time(9))],
        [(dt.time(9), dt.time(12)), (dt.time(11), dt.time(18))],
        [(dt.time(14), dt.time(18)), (dt.time(9), dt.time(12))],
    ],
)
def test_hours_of_business_that_make_no_sense_are_refused(spans: list[tuple[dt.time, dt.time]]) -> None:
    with pytest.raises(ValueError):
        Calendar({}, spans)


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_limit_costs_no_more_than_a_short_one(unit: str) -> None:
    """Reckoning is by look-up, not by walking from day to day: generous bounds that walking could never meet."""
    start = at("2026-11-23 09:00")
    amount = 100_000 if unit in (HOURS, WORKING_HOURS) else 15_000
    assert min(timeit.repeat(lambda: CHINA.add(start, amount, unit), number=1000, repeat=3)) < 0.1
