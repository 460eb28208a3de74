"""How a clock and a moment read, in both languages."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from lucheng.web import words

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("due", "state", "zh", "en"),
    [
        (NOW + dt.timedelta(days=2, hours=5), "on-time", "还有 2 天", "2 days left"),
        (NOW + dt.timedelta(hours=3, minutes=59), "soon", "还有 3 小时", "3 hours left"),
        (NOW + dt.timedelta(hours=1), "soon", "还有 1 小时", "1 hour left"),
        (NOW + dt.timedelta(seconds=40), "soon", "还有 不到 1 分钟", "less than a minute left"),
        (NOW, "soon", "还有 不到 1 分钟", "less than a minute left"),
        (NOW - dt.timedelta(minutes=25), "overdue", "超期 25 分钟", "overdue by 25 minutes"),
        (NOW - dt.timedelta(days=2), "overdue", "超期 2 天", "overdue by 2 days"),
        (None, "none", "无时限", "no limit"),
    ],
)
def test_a_clock_says_how_much_is_left(due: dt.datetime | None, state: str, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        read = words.clock(due, NOW)
    assert (read.state, read.words) == (state, zh)
    with translation.override("en"):
        assert words.clock(due, NOW).words == en


def test_a_paused_clock_says_so_even_when_its_time_has_passed() -> None:
    with translation.override("en"):
        assert words.clock(NOW - dt.timedelta(days=9), NOW, paused=True).words == "paused"


def test_a_clock_warns_from_its_own_time_where_it_has_one() -> None:
    due = NOW + dt.timedelta(days=3)
    assert words.clock(due, NOW, warn=NOW - dt.timedelta(minutes=1)).state == "soon"
    assert words.clock(NOW + dt.timedelta(hours=2), NOW, warn=NOW + dt.timedelta(hours=1)).state == "on-time"


def test_each_state_has_a_shape_of_its_own() -> None:
    """Colour alone says nothing to who does not see it."""
    dues = (NOW + dt.timedelta(days=9), NOW + dt.timedelta(hours=1), NOW - dt.timedelta(hours=1), None)
    readings = [*(words.clock(d, NOW) for d in dues), words.clock(NOW, NOW, paused=True)]
    assert len({r.shape for r in readings}) == len({r.state for r in readings}) == 5


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)))
def test_a_clock_is_overdue_exactly_after_its_time(due: dt.datetime) -> None:
    assert (words.clock(due, NOW).state == "overdue") == (due < NOW)


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        (NOW - dt.timedelta(hours=9), "今天 00:30", "today 00:30"),
        (NOW - dt.timedelta(hours=10), "昨天 23:30", "yesterday 23:30"),
        (NOW + dt.timedelta(days=1), "明天 09:30", "tomorrow 09:30"),
        (dt.datetime(2026, 7, 9, 18, 0, tzinfo=SHANGHAI), "7月9日 18:00", "July 9 18:00"),
        (dt.datetime(2025, 12, 31, 16, 5, tzinfo=dt.UTC), "1月1日 00:05", "January 1 00:05"),
        (dt.datetime(2024, 7, 9, 18, 0, tzinfo=SHANGHAI), "2024年7月9日 18:00", "July 9, 2024 18:00"),
    ],
)
def test_a_moment_is_said_as_people_say_it_in_local_time(moment: dt.datetime, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        assert words.when(moment, NOW) == zh
    with translation.override("en"):
        assert words.when(moment.astimezone(timezone.get_current_timezone()), NOW) == en


def test_the_exact_time_names_date_weekday_and_minute() -> None:
    with translation.override("zh-hans"):
        assert words.exact(dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)) == "2026年3月2日（星期一）09:30"
