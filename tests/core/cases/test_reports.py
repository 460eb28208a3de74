"""Reports without an account are limited by address and by number; what is refused or repeated counts for nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.cases import reports
from lucheng.core.cases.models import Case, Channel
from lucheng.core.errors import Invalid
from lucheng.core.limits.counting import Limited
from tests.factories import NOW, City, call

HOUR = dt.timedelta(hours=1)
_keys = iter(range(10_000))


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "report.address": (3, HOUR), "report.number": (2, HOUR)}


def make(address: str = "192.0.2.1", key: str = "", now: dt.datetime = NOW, **changes: Any) -> str:
    new = call(channel=Channel.WEB.value, **changes)
    return reports.make(new, address=address, now=now, idempotency_key=key or f"limited:{next(_keys)}").number


def test_one_number_reports_only_so_often_however_it_is_written_and_from_wherever(city: City) -> None:
    make(phone="13800132210")
    make("192.0.2.2", phone="+86 138 0013 2210")
    with pytest.raises(Limited):
        make("192.0.2.3", phone="138-0013-2210")
    make("192.0.2.3", phone="13800132211")
    make("192.0.2.3", phone="13800132210", now=NOW + HOUR)


def test_one_address_reports_only_so_often_also_without_a_number(city: City) -> None:
    for _n in range(3):
        make(phone="")
    with pytest.raises(Limited):
        make(phone="")
    make("192.0.2.9", phone="")
    assert Case.objects.count() == 4


def test_the_same_report_sent_again_and_again_counts_once(city: City) -> None:
    numbers = {make(key="limited:same", phone="13800132210") for _n in range(9)}
    assert len(numbers) == 1
    make(phone="13800132210")


def test_what_is_refused_counts_for_nothing(city: City) -> None:
    for wrong in ({"content": " "}, {"phone": "x"}, {"place": "1"}):
        for _n in range(4):
            with pytest.raises(Invalid):
                make(**wrong)
    make()
