"""One day of the calendar changed by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from lucheng.core.clocks import days, holidays
from lucheng.core.clocks.models import CalendarDay, CalendarYear
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.revisions import snapshot

SATURDAY, MONDAY = dt.date(2026, 12, 5), dt.date(2026, 12, 7)


@pytest.fixture(autouse=True)
def _national(db: None) -> None:
    holidays.load()


def is_working(day: dt.date) -> bool:
    snapshot.forget()  # a second has passed
    return holidays.calendar().is_working(day)


def test_a_day_off_and_a_worked_weekend_count_at_once_and_can_be_taken_back() -> None:
    days.name_day(MONDAY, False, "暴雪")
    days.name_day(SATURDAY, True, "暴雪")
    assert not is_working(MONDAY) and is_working(SATURDAY)
    days.forget_day(MONDAY)
    days.forget_day(SATURDAY)
    assert is_working(MONDAY) and not is_working(SATURDAY)


def test_a_day_that_a_notice_named_keeps_its_notice() -> None:
    day = days.name_day(dt.date(2022, 12, 31), True, "值守")
    assert day.year_id == 2023 and CalendarYear.objects.get(pk=2023).notice
    assert is_working(dt.date(2022, 12, 31))


def test_a_day_of_a_year_that_nobody_has_loaded_makes_an_unannounced_year() -> None:
    days.name_day(dt.date(2031, 6, 2), False, "那达慕")
    assert CalendarYear.objects.get(pk=2031).notice == ""


@pytest.mark.parametrize(
    ("day", "working", "name", "field"),
    [
        (MONDAY, True, "x", "day"),
        (dt.date(1999, 1, 1), False, "x", "day"),
        (dt.date(2100, 1, 1), False, "x", "day"),
        (MONDAY, False, "  ", "name"),
        (MONDAY, False, "x" * 41, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    day: dt.date, working: bool, name: str, field: str
) -> None:
    before = CalendarDay.objects.count()
    with pytest.raises(Invalid) as caught:
        days.name_day(day, working, name)
    assert list(caught.value.fields) == [field] and CalendarDay.objects.count() == before


def test_a_day_that_follows_its_weekday_cannot_be_forgotten() -> None:
    with pytest.raises(NotFound):
        days.forget_day(MONDAY)
