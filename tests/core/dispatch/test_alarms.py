"""A case for which the catalogue has no answer waits for a person, once, until somebody settles it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation

from lucheng.core.dispatch import alarms, catalogue
from lucheng.core.dispatch.models import Alarm
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

LATER = city.NOW + dt.timedelta(hours=1)


def test_an_alarm_keeps_its_reason_in_the_citys_language() -> None:
    city.lay_out()
    case = city.case(1, "0201", "150203001", None)
    with translation.override("en"):
        alarm = alarms.raise_alarm(case, catalogue.why_none("0201", "150203001"), city.NOW)
    assert alarm.why == "派单目录尚无生效版本。"


def test_raised_twice_it_stands_once_with_its_first_time_and_last_reason() -> None:
    city.lay_out()
    case = city.case(1, "0201", "150203001", None)
    alarms.raise_alarm(case, "one", city.NOW)
    alarms.raise_alarm(case, "two", LATER)
    alarm = Alarm.objects.get()
    assert (alarm.why, alarm.raised_at, alarm.settled_at) == ("two", city.NOW, None)


def test_settled_it_leaves_the_queue_and_may_come_back() -> None:
    city.lay_out()
    case = city.case(1, "0201", "150203001", None)
    assert not alarms.settle(case, city.NOW)
    alarms.raise_alarm(case, "one", city.NOW)
    assert alarms.settle(case, LATER)
    assert not alarms.settle(case, LATER)
    again = LATER + dt.timedelta(hours=1)
    alarms.raise_alarm(case, "two", again)
    alarm = Alarm.objects.get()
    assert (alarm.raised_at, alarm.settled_at) == (again, None)


def test_a_reason_too_long_is_cut_not_refused() -> None:
    city.lay_out()
    assert len(alarms.raise_alarm(city.case(1, "", "1502", None), "长" * 500, city.NOW).why) == 200
