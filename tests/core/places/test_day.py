"""Today is reckoned once a day, and still is today."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from lucheng.core.places import day

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(monkeypatch: pytest.MonkeyPatch, moment: dt.datetime) -> dt.date:
    monkeypatch.setattr(day.time, "time", moment.timestamp)
    monkeypatch.setattr(day.timezone, "localtime", lambda: moment)
    return day.today()


def test_it_is_the_local_date() -> None:
    assert day.today() == timezone.localdate()


def test_a_new_day_begins_at_local_midnight_and_time_may_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = dt.datetime(2026, 1, 1, tzinfo=SHANGHAI)
    second = dt.timedelta(seconds=1)
    assert at(monkeypatch, midnight - second) == dt.date(2025, 12, 31)
    assert at(monkeypatch, midnight) == dt.date(2026, 1, 1)
    assert at(monkeypatch, midnight + dt.timedelta(days=1) - second) == dt.date(2026, 1, 1)
    assert at(monkeypatch, midnight + dt.timedelta(days=400)) == dt.date(2027, 2, 5)
    assert at(monkeypatch, midnight - second) == dt.date(2025, 12, 31)
