"""Clocks of a case: start, stop, pause, resume, extend, and what each leaves for the ledger."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from lucheng.core.cases.models import Case
from lucheng.core.clocks import pack
from lucheng.core.clocks.holidays import calendar
from lucheng.core.clocks.models import Clock, ClockKind, TimeLimit, TimeUnit
from lucheng.core.clocks.service import apply, extend, plan
from lucheng.core.errors import Conflict
from lucheng.core.ledger import chain
from tests.core.clocks.stories import a_case, at, clock

MONDAY = at("2026-11-23 09:00")
ON_DISPATCH = ("stop:dispatch", "restart:sign", "start:contact", "start:reply", "restart:return")


@pytest.fixture
def national(db: None) -> None:
    pack.load_pack()


def states(case: Case) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for c in Clock.objects.filter(case=case).order_by("id"):
        found.setdefault(c.kind, []).append(c.state)
    return found


# --- planning


def planned(urgency: str = "ordinary", now: dt.datetime = MONDAY) -> dict[str, Any]:
    clocks = plan(
        ClockKind.values,
        case_kind="command_centre.order",
        nature="help",
        urgency=urgency,
        matter="01",
        now=now,
    )
    return {c.kind: c for c in clocks}


def test_a_plan_holds_limit_basis_warning_and_due_time(national: None) -> None:
    reply = planned()["reply"]
    assert (reply.amount, reply.unit) == (5, "working_days")
    assert "潍坊市12345政务服务便民热线条例第二十条" in reply.basis
    assert reply.started_at == MONDAY
    assert reply.due_at == at("2026-11-30 18:00")
    assert reply.started_at < reply.warn_at < reply.due_at
    assert reply.next_at == reply.warn_at


def test_a_warning_comes_after_three_quarters_of_the_working_time(national: None) -> None:
    # 9:00 on Monday until 18:00 on the next Monday: 6.5 + 5 × 7 = 41.5 hours of business.
    assert calendar().elapsed(MONDAY, planned()["reply"].warn_at, TimeUnit.WORKING_HOURS) == 41.5 * 0.75


def test_an_emergency_runs_through_the_night(national: None) -> None:
    clocks = planned("critical", at("2026-10-01 02:00"))
    assert clocks["reply"].due_at == at("2026-10-01 04:00")
    assert clocks["reply"].warn_at == at("2026-10-01 03:30")


def test_a_clock_without_limit_is_left_out(national: None) -> None:
    TimeLimit.objects.filter(clock="callback").delete()
    assert "callback" not in planned()


def test_the_right_to_return_is_never_urged(national: None) -> None:
    assert planned()["return"].next_at is None
    case = a_case()
    apply(case, ["start:return"], MONDAY)
    assert clock(case, "return").next_at is None
    apply(case, ["pause:*"], MONDAY, cause="x")
    apply(case, ["resume:*"], MONDAY)
    extend(case, "return", 1, TimeUnit.WORKING_DAYS, MONDAY)
    assert clock(case, "return").next_at is None


def test_planning_reads_only_what_is_in_memory(national: None, django_assert_num_queries: Any) -> None:
    planned()
    with django_assert_num_queries(0):
        planned()


# --- starting and stopping


def test_the_earliest_running_clock_is_when_the_case_is_due(national: None) -> None:
    case = a_case()
    apply(case, ["start:dispatch"], MONDAY)
    assert case.due_at == at("2026-11-24 09:00")
    apply(case, ON_DISPATCH, at("2026-11-23 10:00"))
    assert states(case) == {
        "dispatch": ["met"],
        "sign": ["running"],
        "contact": ["running"],
        "reply": ["running"],
        "return": ["running"],
    }
    assert case.due_at == at("2026-11-23 12:00")
    apply(case, ["stop:sign", "cancel:return"], at("2026-11-23 11:00"))
    assert case.due_at == at("2026-11-24 18:00")
    apply(case, ["cancel:*"], at("2026-11-23 11:30"))
    assert case.due_at is None


def test_what_was_due_before_it_stopped_is_missed(national: None) -> None:
    for when, verdict in (("2026-11-30 18:00", "met"), ("2026-11-30 18:01", "missed")):
        case = a_case()
        apply(case, ["start:reply"], MONDAY)
        [change] = apply(case, ["stop:reply"], at(when))
        assert change["result"] == verdict == clock(case, "reply").state
        assert clock(case, "reply").ended_at == at(when) and clock(case, "reply").next_at is None


def test_a_bounced_order_gets_a_new_sign_clock_but_the_reply_clock_runs_on(national: None) -> None:
    """首接负责: the reply clock starts at the first dispatch; sending the order about is not free."""
    case = a_case()
    apply(case, ON_DISPATCH, MONDAY)
    apply(case, ["stop:return", "cancel:sign"], at("2026-11-24 09:00"))
    apply(case, ON_DISPATCH, at("2026-11-25 09:00"))
    assert states(case)["sign"] == ["cancelled", "running"]
    assert states(case)["reply"] == ["running"]
    assert clock(case, "reply").started_at == MONDAY
    assert clock(case, "reply").due_at == at("2026-11-30 18:00")


def test_a_paused_clock_is_not_started_again_either(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply", "pause:reply"], MONDAY, cause="冬季停工")
    assert apply(case, ["start:reply"], MONDAY) == []
    assert states(case) == {"reply": ["paused"]}


def test_restarting_ends_the_old_clock_and_keeps_it(national: None) -> None:
    case = a_case()
    apply(case, ["start:sign"], MONDAY)
    changes = apply(case, ["restart:sign"], at("2026-11-24 09:00"))
    assert [c["op"] for c in changes] == ["cancel", "start"]
    assert states(case) == {"sign": ["cancelled", "running"]}
    assert clock(case, "sign").due_at == at("2026-11-24 11:00")


def test_operations_on_clocks_that_are_not_there_do_nothing(national: None) -> None:
    case = a_case()
    assert (
        apply(case, ["stop:reply", "cancel:*", "pause:*", "resume:reply", "start:*"], MONDAY, cause="x") == []
    )
    assert case.due_at is None and states(case) == {}


def test_no_operations_touch_nothing_not_even_the_due_time(
    national: None, django_assert_num_queries: Any
) -> None:
    case = a_case(due_at=MONDAY)
    with django_assert_num_queries(0):
        assert apply(case, [], MONDAY) == []
    assert case.due_at == MONDAY


@pytest.mark.parametrize("operation", ["begin:reply", "start:soup", "reply", "stop:", ""])
def test_an_operation_that_does_not_exist_is_refused(national: None, operation: str) -> None:
    with pytest.raises(ValueError):
        apply(a_case(), [operation], MONDAY)


def test_changes_can_stand_in_an_event_and_show_how_each_due_time_came_about(national: None) -> None:
    case = a_case()
    changes = [
        *apply(case, ["start:reply"], MONDAY),
        *apply(case, ["pause:*"], at("2026-11-24 09:00"), cause="冬季停工"),
        *apply(case, ["resume:*"], at("2026-11-26 09:00")),
        extend(case, "reply", 2, TimeUnit.WORKING_DAYS, at("2026-11-26 09:00")),
        *apply(case, ["stop:reply"], at("2026-11-27 09:00")),
    ]
    chain.canonical({"clocks": changes})
    assert [(c["op"], c.get("due_at"), c.get("amount"), c.get("result")) for c in changes] == [
        ("start", "2026-11-30T10:00:00+00:00", 5, None),
        ("pause", "2026-11-30T10:00:00+00:00", 5, None),
        ("resume", "2026-12-02T10:00:00+00:00", 5, None),
        ("extend", "2026-12-04T10:00:00+00:00", 7, None),
        ("stop", None, None, "met"),
    ]


def test_three_statements_are_enough_for_any_number_of_clocks(
    national: None, django_assert_max_num_queries: Any
) -> None:
    case = a_case()
    apply(case, ["start:dispatch"], MONDAY)
    with django_assert_max_num_queries(3):
        apply(case, ON_DISPATCH, MONDAY)
    with django_assert_max_num_queries(3):
        apply(case, ["cancel:*"], MONDAY)


def test_the_database_itself_refuses_a_second_clock_of_a_kind(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    twin = clock(case, "reply")
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


# --- pausing


def test_a_pause_needs_a_cause(national: None) -> None:
    with pytest.raises(ValueError, match="cause"):
        apply(a_case(), ["pause:*"], MONDAY)


def test_a_paused_clock_says_nothing_and_is_due_for_nobody(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply", "pause:*"], MONDAY, cause="冬季停工")
    paused = clock(case, "reply")
    assert (paused.state, paused.next_at, paused.pause_cause) == ("paused", None, "冬季停工")
    assert case.due_at is None


@pytest.mark.parametrize(
    ("urgency", "kind", "start", "pause", "resume", "due"),
    [
        # 5 working days, one used: four are left, counted from the day after the pause ends.
        ("ordinary", "reply", "2026-11-23 09:00", "2026-11-24 10:00", "2026-12-10 15:00", "2026-12-16 18:00"),
        # Paused and resumed on one day: nothing moves.
        ("ordinary", "reply", "2026-11-23 09:00", "2026-11-24 10:00", "2026-11-24 16:00", "2026-11-30 18:00"),
        # On the last day: the rest of a day of business is left.
        ("ordinary", "reply", "2026-11-23 09:00", "2026-11-30 10:00", "2026-12-04 11:00", "2026-12-04 18:00"),
        # 2 working hours, a half of one used.
        ("ordinary", "sign", "2026-11-23 09:00", "2026-11-23 09:30", "2026-11-27 17:30", "2026-11-30 09:30"),
        # 24 plain hours, one used, over a weekend.
        ("urgent", "reply", "2026-11-27 17:00", "2026-11-27 18:00", "2026-11-28 03:00", "2026-11-29 02:00"),
    ],
)
def test_what_was_left_in_its_own_unit_is_left_after_a_pause(
    national: None, urgency: str, kind: str, start: str, pause: str, resume: str, due: str
) -> None:
    case = a_case(urgency=urgency)
    apply(case, [f"start:{kind}"], at(start))
    apply(case, ["pause:*"], at(pause), cause="x")
    apply(case, ["resume:*"], at(resume))
    after = clock(case, kind)
    assert after.due_at == at(due) == case.due_at
    assert (after.state, after.paused_at) == ("running", None)
    assert at(resume) <= after.warn_at <= after.due_at and after.next_at == after.warn_at


def test_a_pause_does_not_heal_what_was_overdue(national: None) -> None:
    case = a_case()
    apply(case, ["start:sign"], MONDAY)
    apply(case, ["pause:*"], at("2026-11-24 09:00"), cause="x")
    apply(case, ["resume:*"], at("2026-11-26 09:00"))
    assert clock(case, "sign").due_at == at("2026-11-23 11:00")
    [change] = apply(case, ["stop:sign"], at("2026-11-26 09:00"))
    assert change["result"] == "missed"


def test_what_is_finished_during_a_pause_is_judged_by_when_the_pause_began(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    apply(case, ["pause:*"], at("2026-11-24 09:00"), cause="x")
    [change] = apply(case, ["stop:reply"], at("2027-03-01 09:00"))
    assert change["result"] == "met"


def test_a_clock_that_was_urged_and_paused_has_its_share_anew_before_it_escalates(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    Clock.objects.filter(case=case).update(stage=Clock.Stage.URGED, next_at=at("2026-12-03 18:00"))
    apply(case, ["pause:*"], at("2026-12-01 09:00"), cause="x")
    apply(case, ["resume:*"], at("2027-03-01 09:00"))
    assert clock(case, "reply").next_at == at("2027-03-04 18:00")


# --- extending


def test_an_extension_counts_from_the_due_time_and_warns_anew(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    Clock.objects.filter(case=case).update(stage=Clock.Stage.WARNED, next_at=at("2026-11-30 18:00"))
    extend(case, "reply", 10, TimeUnit.WORKING_DAYS, at("2026-11-30 10:00"))
    after = clock(case, "reply")
    assert (after.amount, after.unit, after.due_at) == (15, "working_days", at("2026-12-14 18:00"))
    assert after.stage == Clock.Stage.QUIET and after.next_at == after.warn_at
    assert at("2026-11-30 10:00") < after.warn_at < after.due_at
    assert case.due_at == after.due_at


def test_working_hours_can_be_extended_by_working_days(national: None) -> None:
    case = a_case(kind="grids.finding", nature="finding", matter="020102")
    apply(case, ["start:reply"], MONDAY)
    assert clock(case, "reply").due_at == at("2026-11-23 15:30")
    extend(case, "reply", 2, TimeUnit.WORKING_DAYS, at("2026-11-23 10:00"))
    after = clock(case, "reply")
    assert (after.amount, after.unit, after.due_at) == (2, "working_days", at("2026-11-25 18:00"))


def test_an_extension_too_small_to_help_leaves_the_clock_overdue(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    Clock.objects.filter(case=case).update(stage=Clock.Stage.ESCALATED, next_at=None)
    extend(case, "reply", 1, TimeUnit.WORKING_DAYS, at("2026-12-20 09:00"))
    after = clock(case, "reply")
    assert (after.due_at, after.stage, after.next_at) == (at("2026-12-01 18:00"), Clock.Stage.ESCALATED, None)
    assert after.warn_at <= after.due_at


def test_a_paused_clock_that_is_extended_has_more_left(national: None) -> None:
    case = a_case()
    apply(case, ["start:reply"], MONDAY)
    apply(case, ["pause:*"], at("2026-11-24 09:00"), cause="x")
    extend(case, "reply", 2, TimeUnit.WORKING_DAYS, at("2026-11-25 09:00"))
    assert clock(case, "reply").next_at is None and case.due_at is None
    apply(case, ["resume:*"], at("2026-12-01 09:00"))
    assert clock(case, "reply").due_at == at("2026-12-09 18:00")


def test_there_is_nothing_to_extend_where_nothing_runs(national: None) -> None:
    case = a_case()
    with pytest.raises(Conflict):
        extend(case, "reply", 1, TimeUnit.WORKING_DAYS, MONDAY)
    apply(case, ["start:reply"], MONDAY)
    apply(case, ["stop:reply"], MONDAY)
    with pytest.raises(Conflict):
        extend(case, "reply", 1, TimeUnit.WORKING_DAYS, MONDAY)
    with pytest.raises(ValueError):
        extend(case, "reply", 0, TimeUnit.WORKING_DAYS, MONDAY)


# --- any history

OPERATIONS = st.sampled_from(
    [
        f"{verb}:{kind}"
        for verb in ("start", "restart", "stop", "cancel", "pause", "resume")
        for kind in ("sign", "reply")
    ]
    + ["pause:*", "resume:*", "cancel:*", "extend"]
)
STEPS = st.lists(st.tuples(OPERATIONS, st.integers(0, 4 * 24 * 60)), max_size=12)


class AnyHistory(TestCase):
    """Whatever people do, in whatever order, the clocks stay in order."""

    @classmethod
    def setUpTestData(cls) -> None:
        pack.load_pack()

    @given(st.sampled_from(["ordinary", "urgent"]), STEPS)
    @settings(max_examples=60, deadline=None)
    def test_clocks_stay_in_order(self, urgency: str, steps: list[tuple[str, int]]) -> None:
        case = a_case(urgency=urgency)
        now = MONDAY
        paused: dict[int, tuple[float, str]] = {}
        for operation, minutes in steps:
            now += dt.timedelta(minutes=minutes)
            before = {c.pk: c for c in Clock.objects.filter(case=case)}
            if operation == "extend":
                try:
                    extend(case, "reply", 2, TimeUnit.WORKING_DAYS, now)
                except Conflict:
                    continue
            else:
                apply(case, [operation], now, cause="x")
            live = []
            for c in Clock.objects.filter(case=case):
                if c.state in ("running", "paused"):
                    live.append(c.kind)
                old = before.pop(c.pk, None)
                if c.state == "running":
                    assert c.next_at is not None and c.paused_at is None and c.ended_at is None
                    assert c.started_at <= c.due_at and c.warn_at <= c.due_at
                elif c.state == "paused":
                    assert c.next_at is None and c.paused_at is not None and c.ended_at is None
                    if c.pk not in paused:
                        paused[c.pk] = (calendar().remaining(c.paused_at, c.due_at, c.unit), c.unit)
                else:
                    assert c.next_at is None and c.ended_at is not None
                if old is not None and old.state == "paused" and c.state == "running":
                    left, unit = paused.pop(c.pk)
                    if old.due_at > old.paused_at and left:
                        assert calendar().remaining(now, c.due_at, c.unit) == pytest.approx(left)
                    else:
                        assert c.due_at >= old.due_at
                    assert unit == c.unit
                elif old is not None and operation != "extend":
                    assert c.due_at == old.due_at, (
                        "a due time moves by a pause or an extension and nothing else"
                    )
                elif old is not None and c.pk in paused:
                    paused[c.pk] = (calendar().remaining(old.paused_at or now, c.due_at, c.unit), c.unit)
            assert not before, "no clock ever disappears"
            assert len(live) == len(set(live))
            running = Clock.objects.filter(case=case, state="running").values_list("due_at", flat=True)
            assert case.due_at == min(running, default=None)
