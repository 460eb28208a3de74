"""What may be tried only so often: exactly so often, for every process, and open again when it was said."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as fewer
from hypothesis import strategies as st

from lucheng.core.limits import counting
from lucheng.core.limits.counting import Limited, Try, by_address
from lucheng.core.limits.models import Tally
from lucheng.core.limits.sweeps import SWEEPS

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 4, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.LIMITS = {"few": (3, 10 * MINUTE), "many": (5, 60 * MINUTE)}


A, B = Try("few", "a"), Try("many", "b")


def test_so_many_pass_and_the_next_is_told_when_to_come_back() -> None:
    for n in range(3):
        assert counting.count(NOW + n * MINUTE, A) is None
    assert counting.count(NOW + 3 * MINUTE, A) == NOW + 10 * MINUTE
    assert counting.count(NOW + 10 * MINUTE, A) is None, "the first is old enough"
    assert counting.count(NOW + 10 * MINUTE, A) == NOW + 11 * MINUTE


def test_where_one_limit_is_closed_nothing_is_counted_under_the_others() -> None:
    for _n in range(3):
        counting.counted(NOW, A)
    for _n in range(9):
        with pytest.raises(Limited) as refused:
            counting.counted(NOW, B, A)
        assert refused.value.until == NOW + 10 * MINUTE
        assert refused.value.seconds == 600
    assert counting.closed(NOW, B) is None
    assert counting.count(NOW, B) is None


def test_what_turned_out_to_be_no_try_is_given_back_and_all_can_be_forgotten() -> None:
    for _n in range(9):
        assert counting.count(NOW, A) is None
        counting.give_back(A)
    counting.give_back(A)  # nothing is left to give back
    for _n in range(3):
        counting.counted(NOW, A)
    with pytest.raises(Limited):
        counting.check(NOW, A)
    counting.forget(A)
    counting.check(NOW, A)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix:", "unix:", True),
        ("", "", True),
    ],
)
def test_an_address_of_version_6_counts_by_its_line(one: str, other: str, same: bool) -> None:
    for _n in range(3):
        counting.counted(NOW, by_address("few", one))
    assert (counting.closed(NOW, by_address("few", other)) is not None) is same


def test_one_value_under_two_limits_is_counted_apart() -> None:
    for _n in range(3):
        counting.counted(NOW, Try("few", "x"))
    assert counting.closed(NOW, Try("many", "x")) is None


def test_what_is_kept_says_nothing_of_anybody_and_goes_when_it_counts_no_more() -> None:
    (sweep,) = SWEEPS
    counting.counted(NOW, Try("few", "13800132210"))
    counting.counted(NOW + 5 * MINUTE, Try("few", "13800132211"))
    row = Tally.objects.first()
    assert row is not None
    assert len(bytes(row.key)) == 32
    assert sweep.run(NOW + 10 * MINUTE) == 1
    assert Tally.objects.count() == 1


def test_a_row_never_grows_beyond_its_limit() -> None:
    for n in range(60):
        counting.count(NOW + n * MINUTE, A)
    assert len(Tally.objects.get().at) <= 3


@fewer(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=30))
def test_within_any_stretch_of_its_length_no_more_than_so_many_pass_and_no_fewer_than_could(
    pauses: list[int],
) -> None:
    counting.forget(A)
    passed: list[dt.datetime] = []
    at = NOW
    for pause in pauses:
        at += pause * MINUTE
        recent = [p for p in passed if p > at - 10 * MINUTE]
        until = counting.count(at, A)
        assert (until is None) is (len(recent) < 3)
        if until is None:
            passed.append(at)
        else:
            assert until == recent[-3] + 10 * MINUTE


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_than_so_many_pass_whatever_else_they_are_counted_under() -> None:
    ready = threading.Barrier(8)
    passed: list[bool] = []

    def run(n: int) -> None:
        tries = [A, Try("many", f"{n % 2}")]
        try:
            ready.wait(10)
            passed.append(counting.count(NOW, *(tries if n % 3 else reversed(tries))) is None)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(passed) == [False] * 5 + [True] * 3
