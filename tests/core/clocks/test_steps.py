"""A machine's clock is set forward and back, a worker was away: everything is said once, in order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucheng.core.cases.models import Case, State
from lucheng.core.clocks import pack
from lucheng.core.clocks import sweep as sweeping
from lucheng.core.clocks.models import Clock
from lucheng.core.clocks.service import apply
from lucheng.core.clocks.sweep import sweep
from lucheng.core.ledger import anchors
from lucheng.core.ledger.models import Event, Message
from lucheng.core.ledger.verify import Tally, verify
from lucheng.core.organisation.models import Unit
from tests.core.clocks.stories import a_case, at, unit

MONDAY = at("2026-11-23 09:00")
LATER = at("2027-03-01 09:00")
STAGES = ["clock.warned", "clock.urged", "clock.escalated"]


class Crash(BaseException):
    """The process ends here: nobody catches it."""


@pytest.fixture
def bureau(db: None) -> Unit:
    pack.load_pack()
    unit("centre", Unit.Kind.HOTLINE, place="9901")
    return unit("bureau")


def replying(lead: Unit, since: dt.datetime) -> Case:
    case = a_case(state=State.SIGNED, lead_unit=lead)
    apply(case, ["start:reply"], since)
    case.save()
    return case


def until_quiet(now: dt.datetime) -> None:
    while sweep(now):
        pass


def crashing_sweep(now: dt.datetime, after: int, patch: pytest.MonkeyPatch) -> None:
    """A sweep whose process ends when it has told of ``after`` clocks."""
    left = [after]
    tell = sweeping._tell

    def counted(*args: Any) -> None:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        tell(*args)

    with patch.context() as inner:
        inner.setattr(sweeping, "_tell", counted)
        try:
            sweep(now)
        except Crash:
            return


steps = st.lists(
    st.tuples(st.integers(-48, 96), st.sampled_from(["sweep", "crash", "pause", "resume", "anchor"])),
    max_size=14,
)


@given(steps)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_the_clock_jumps_and_whatever_crashes_each_stage_is_said_once_with_its_true_due_time(
    bureau: Unit, monkeypatch: pytest.MonkeyPatch, given_steps: list[tuple[int, str]]
) -> None:
    """``given_steps`` are jumps in hours, back as well as forward, and what happens then."""
    with transaction.atomic():
        cases = [replying(bureau, MONDAY + dt.timedelta(hours=n)) for n in range(3)]
        now = MONDAY
        for hours, what in given_steps:
            now += dt.timedelta(hours=hours)
            if what == "sweep":
                sweep(now, limit=2)
            elif what == "crash":
                crashing_sweep(now, 1, monkeypatch)
            elif what == "anchor":
                anchors.anchor(now)
            else:
                case = Case.objects.get(pk=cases[0].pk)
                apply(case, [f"{what}:reply"], now, cause="等待配件" if what == "pause" else "")
                case.save()
        case = Case.objects.get(pk=cases[0].pk)
        apply(case, ["resume:reply"], now)
        case.save()
        until_quiet(LATER + dt.timedelta(days=60))
        until_quiet(MONDAY)  # and back again: nothing is said anew
        until_quiet(LATER + dt.timedelta(days=60))
        for case in cases:
            events = list(Event.objects.filter(case=case, action__in=STAGES).order_by("seq"))
            assert [e.action for e in events] == STAGES
            clock = Clock.objects.get(case=case)
            assert clock.stage == Clock.Stage.ESCALATED and clock.next_at is None
            due = clock.due_at.astimezone(dt.UTC).isoformat()
            assert events[-1].body["due_at"] == due
            assert Message.objects.filter(case=case).count() == len(STAGES)
        assert not list(verify(Tally()))
        transaction.set_rollback(True)


def test_after_an_hour_without_a_worker_all_that_fell_due_is_said_once_in_the_order_in_which_it_fell_due(
    bureau: Unit,
) -> None:
    cases = [replying(bureau, MONDAY + dt.timedelta(minutes=17 * n % 60)) for n in range(45)]
    due = sorted((Clock.objects.get(case=c).warn_at, c.pk) for c in cases)
    now = due[-1][0] + dt.timedelta(minutes=1)
    batches = []
    while handled := sweep(now):
        batches.append(handled)
    assert batches == [20, 20, 5]
    events = list(Event.objects.filter(action="clock.warned").order_by("id"))
    assert [e.case_id for e in events] == [pk for _at, pk in due]
    # When it was said is true, and so is until when: neither is made to look as if nobody had been away.
    assert {e.at for e in events} == {now}
    assert {e.body["due_at"] for e in events} == {
        Clock.objects.get(case=c).due_at.astimezone(dt.UTC).isoformat() for c in cases
    }
    assert sweep(now) == 0
