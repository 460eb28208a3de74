"""What the page of jobs and ``lucheng status`` say of the system."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from typer.testing import CliRunner

from lucheng.cli import app
from lucheng.core.ledger import cli as ledger
from lucheng.core.ledger.models import Message, SweepRun
from lucheng.core.ledger.worker import discover
from lucheng.core.status import status
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> factories.City:
    return factories.city()


def ran(at: dt.datetime, **changes: object) -> None:
    for sweep in discover():
        SweepRun.objects.update_or_create(
            name=sweep.name, defaults={"every": sweep.every, "at": at, "went_at": at, **changes}
        )


def test_a_worker_is_alive_as_long_as_its_most_frequent_sweep_is_heard_of(city: factories.City) -> None:
    assert not status(NOW).alive and status(NOW).seen_at is None
    ran(NOW - dt.timedelta(seconds=30))
    assert status(NOW).alive and status(NOW).well
    ran(NOW - dt.timedelta(minutes=3))
    dead = status(NOW)
    assert not dead.alive and not dead.well and dead.seen_at == NOW - dt.timedelta(minutes=3)
    assert not next(w for w in dead.work if w.name == "sessions").late, "an hourly sweep is not late yet"


def test_a_sign_of_life_from_before_the_clock_was_set_back_is_none(city: factories.City) -> None:
    ran(NOW + dt.timedelta(hours=5))
    assert not status(NOW).alive and all(w.late for w in status(NOW).work if w.name == "messages")


def test_a_disk_that_is_nearly_full_waits_for_a_person(city: factories.City) -> None:
    ran(NOW)
    found = status(NOW)
    assert found.disks and found.well
    tight = tuple(dataclasses.replace(d, free=d.size // 100) for d in found.disks)
    assert all(d.tight for d in tight) and not dataclasses.replace(found, disks=tight).well


def test_a_sweep_that_fails_is_failing_and_not_late_while_it_waits(city: factories.City) -> None:
    ran(NOW)
    SweepRun.objects.filter(name="messages").update(
        failures=9, at=NOW - dt.timedelta(minutes=4), error="OSError"
    )
    found = status(NOW)
    assert [w.name for w in found.failing] == ["messages"]
    assert not any(w.late for w in found.work) and found.alive and not found.well


def test_queues_are_counted_by_channel_and_failures_by_reason(city: factories.City) -> None:
    ran(NOW)
    for _ in range(3):
        factories.received()
    one, two, three = Message.objects.filter(channel="sms").order_by("id")
    for message, error in ((one, "a"), (two, "b")):
        Message.objects.filter(pk=message.pk).update(state="failed", error=error, next_at=None)
    found = status(NOW)
    sms = next(q for q in found.queues if q.channel == "sms")
    assert (sms.waiting, sms.failed, sms.oldest, sms.leaves) == (1, 2, three.created_at, False)
    assert sorted((f.error, f.count) for f in found.failed) == [("a", 1), ("b", 1)]
    assert found.not_anchored == 3 and found.anchor is None and not found.well


def test_the_command_says_the_same_and_ends_with_1_where_something_waits(
    city: factories.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "ensure_database", lambda: None)
    ledger.register(app)
    nothing = CliRunner().invoke(app, ["status"])
    assert nothing.exit_code == 1 and "does not run" in nothing.output
    from django.utils import timezone

    ran(timezone.now())
    well = CliRunner().invoke(app, ["status"])
    assert well.exit_code == 0, well.output
    assert "worker: runs" in well.output and "lucheng ledger verify" in well.output
