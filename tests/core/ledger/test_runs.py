"""What the worker says of itself: one row for each sweep, written over."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lucheng.core.ledger.models import SweepRun
from lucheng.core.ledger.runs import PULSE, Recorder
from lucheng.core.ledger.worker import Outage, Runner, Sweep, work_once

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def seconds(self) -> float:
        return (self.now - NOW).total_seconds()


def test_a_clock_set_back_never_silences_the_sign_of_life() -> None:
    clock, passed = Clock(), [0.0]
    recorder = Recorder("test", 2.0, now=clock, clock=lambda: passed[0])
    recorder.went(1)
    clock.later(-86_400)
    passed[0] += PULSE
    recorder.went(1)
    assert SweepRun.objects.get().at == NOW - dt.timedelta(days=1)


def test_a_sweep_that_goes_on_as_before_writes_its_row_only_now_and_then() -> None:
    clock = Clock()
    recorder = Recorder("test", 2.0, now=clock, clock=clock.seconds)
    with CaptureQueriesContext(connection) as seen:
        for _ in range(10):
            recorder.went(3)
            clock.later(PULSE / 5)
    assert sum(q["sql"].startswith("UPDATE") for q in seen.captured_queries) == 3  # made, told, told again
    recorder.flush()
    run = SweepRun.objects.get()
    assert (run.handled, run.failures, run.every) == (30, 0, 2.0)


def test_a_failure_is_noted_at_once_by_its_kind_without_its_words() -> None:
    clock = Clock()
    recorder = Recorder("test", 2.0, now=clock)
    recorder.went(1)
    for _ in range(3):
        clock.later(1)
        recorder.failed(ValueError("Key (phone)=(13800000000) already exists"))
    run = SweepRun.objects.get()
    assert (run.failures, run.error, run.failed_at) == (3, "ValueError", clock.now)
    assert "138" not in str(run.__dict__)
    clock.later(1)
    recorder.went(0)
    run.refresh_from_db()
    assert (run.failures, run.went_at, run.worked_at, run.handled) == (0, clock.now, NOW, 1)


def test_two_workers_share_one_row() -> None:
    for recorder in (Recorder("test", 2.0, now=Clock()), Recorder("test", 2.0, now=Clock())):
        recorder.went(5)
    assert SweepRun.objects.get().handled == 10


def test_a_runner_keeps_its_row_and_a_note_that_fails_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(
        Sweep("test", 10.0, lambda now: 4),
        Outage(),
        clock=lambda: 0.0,
        recorder=Recorder("test", 10.0, now=Clock()),
    )
    assert runner.step() == 0.0
    assert SweepRun.objects.get().handled == 4

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(SweepRun.objects, "filter", broken)
    assert (
        Runner(
            Sweep("test", 10.0, lambda now: 0), Outage(), clock=lambda: 0.0, recorder=Recorder("test", 10.0)
        ).step()
        == 10.0
    )


def test_once_leaves_its_rows_too() -> None:
    def bad(now: dt.datetime) -> int:
        raise KeyError("x")

    left = iter([2, 0])
    work_once([Sweep("good", 1.0, lambda now: next(left)), Sweep("bad", 1.0, bad)])
    assert {r.name: (r.handled, r.failures, r.error) for r in SweepRun.objects.all()} == {
        "good": (2, 0, ""),
        "bad": (0, 1, "KeyError"),
    }
