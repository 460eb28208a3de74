"""Warning, urging, escalation: said once, in one transaction, by any number of sweepers, over bad rows and outages."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from lucheng.core.cases.models import Case, State, Supervision
from lucheng.core.clocks import pack
from lucheng.core.clocks.models import Clock, TimeLimit
from lucheng.core.clocks.service import apply
from lucheng.core.clocks.sweep import MAX_FAILURES, retry, sweep
from lucheng.core.ledger import chain, outbox
from lucheng.core.ledger.models import Event, Message
from lucheng.core.ledger.worker import discover
from lucheng.core.organisation.models import Unit
from tests.core.clocks.stories import a_case, at, clock, in_threads, unit

MONDAY = at("2026-11-23 09:00")
DUE = at("2026-11-30 18:00")
LATER = at("2027-03-01 09:00")


@pytest.fixture
def bureau(db: None) -> Unit:
    pack.load_pack()
    return unit("bureau")


@pytest.fixture
def centre(db: None) -> Unit:
    unit("far", Unit.Kind.HOTLINE, place="9902")
    unit("gone", Unit.Kind.HOTLINE, place="990101001", active=False)
    unit("city", Unit.Kind.HOTLINE, place="99")
    return unit("centre", Unit.Kind.HOTLINE, place="9901")


def replying(lead: Unit | None, **changes: Any) -> Case:
    """A case whose reply clock has started on Monday morning; it is due on the next Monday at 18:00."""
    case = a_case(state=State.SIGNED, lead_unit=lead, **changes)
    apply(case, ["start:reply"], MONDAY)
    case.save()
    return case


def sweep_until_quiet(now: dt.datetime) -> int:
    done = 0
    while handled := sweep(now):
        done += handled
    return done


def said(case: Case) -> list[str]:
    return list(Event.objects.filter(case=case).order_by("seq").values_list("action", flat=True))


def told(case: Case) -> list[tuple[str, str]]:
    return list(Message.objects.filter(case=case).order_by("id").values_list("template", "to_unit__code"))


def assert_chain_holds(case: Case) -> None:
    prev = chain.GENESIS
    events = list(Event.objects.filter(case=case).order_by("seq"))
    for seq, e in enumerate(events, 1):
        prev = chain.link(prev, case.pk, seq, e.at, None, e.actor_role, e.action, e.body)
        assert bytes(e.hash) == prev
    case.refresh_from_db()
    assert (case.chain_length, bytes(case.chain_head)) == (len(events), prev)


def test_each_stage_is_said_when_its_time_comes_and_only_once(bureau: Unit, centre: Unit) -> None:
    case = replying(bureau)
    warn_at = clock(case, "reply").warn_at
    minute = dt.timedelta(minutes=1)

    assert sweep(warn_at - minute) == 0
    assert (sweep(warn_at), sweep(warn_at)) == (1, 0)
    assert said(case) == ["clock.warned"] and told(case) == [("clock_warned", "bureau")]
    assert clock(case, "reply").stage == Clock.Stage.WARNED

    assert sweep(DUE - minute) == 0
    assert (sweep(DUE), sweep(DUE)) == (1, 0)
    assert said(case)[1:] == ["clock.urged"] and told(case)[1:] == [("clock_urged", "bureau")]
    case.refresh_from_db()
    assert case.supervision == Supervision.NONE

    # Half of five working days, in whole days, after the limit: three.
    escalated_at = at("2026-12-03 18:00")
    assert sweep(escalated_at - minute) == 0
    assert (sweep(escalated_at), sweep(LATER)) == (1, 0)
    assert said(case)[2:] == ["clock.escalated"] and told(case)[2:] == [("clock_escalated", "centre")]
    case.refresh_from_db()
    assert case.supervision == Supervision.DAILY
    assert case.version == 4
    assert_chain_holds(case)

    last = Event.objects.get(case=case, seq=3)
    assert (last.actor, last.actor_role, last.at) == (None, "system", escalated_at)
    assert last.body == {
        "clock": "reply",
        "due_at": "2026-11-30T10:00:00+00:00",
        "amount": 5,
        "unit": "working_days",
        "supervision": "daily",
        "ground": "overdue",
    }


def test_the_message_says_which_limit_and_when_in_words(bureau: Unit) -> None:
    case = replying(bureau)
    sweep(DUE)
    message = Message.objects.get(case=case)
    assert message.channel == Message.Channel.IN_APP
    assert message.params == {"clock": "答复", "due": "2026-11-30 18:00"}
    assert case.number in outbox.text_of(message) and "答复" in outbox.text_of(message)


def test_after_an_hour_without_a_worker_every_stage_is_said_exactly_once(bureau: Unit, centre: Unit) -> None:
    case = replying(
        bureau, urgency="critical"
    )  # two hours, warned after an hour and a half, escalated after three
    assert sweep_until_quiet(MONDAY + dt.timedelta(minutes=80)) == 0
    assert sweep_until_quiet(MONDAY + dt.timedelta(hours=3, minutes=20)) == 3
    assert said(case) == ["clock.warned", "clock.urged", "clock.escalated"]
    assert [t for t, _unit in told(case)] == ["clock_warned", "clock_urged", "clock_escalated"]
    assert sweep_until_quiet(LATER) == 0


def test_how_long_after_the_limit_it_escalates_is_in_the_table(bureau: Unit, centre: Unit) -> None:
    TimeLimit.objects.filter(clock="reply").update(escalate_percent=200)
    case = replying(bureau)
    sweep_until_quiet(DUE)
    assert clock(case, "reply").next_at == at("2026-12-14 18:00")
    assert sweep(at("2026-12-14 17:59")) == 0
    assert sweep(at("2026-12-14 18:00")) == 1


def test_a_higher_level_of_supervision_is_not_lowered(bureau: Unit, centre: Unit) -> None:
    case = replying(bureau, supervision=Supervision.LISTED)
    sweep_until_quiet(LATER)
    case.refresh_from_db()
    assert case.supervision == Supervision.LISTED
    assert "supervision" not in Event.objects.get(case=case, action="clock.escalated").body


def test_what_the_centre_owes_itself_is_said_to_the_centre(bureau: Unit, centre: Unit) -> None:
    waiting, called = a_case(), a_case(state=State.CALLBACK, lead_unit=bureau)
    apply(waiting, ["start:dispatch"], MONDAY)
    apply(called, ["start:callback"], MONDAY)
    sweep_until_quiet(DUE)
    assert {unit for case in (waiting, called) for _template, unit in told(case)} == {"centre"}


def test_an_overdue_order_of_nobody_is_said_to_the_centre(bureau: Unit, centre: Unit) -> None:
    case = replying(None)
    sweep(DUE)
    assert told(case) == [("clock_warned", "centre")]


def test_without_a_centre_the_event_is_written_and_the_log_says_so(bureau: Unit, caplog: Any) -> None:
    case = replying(None)
    with caplog.at_level(logging.WARNING, "lucheng"):
        sweep(DUE)
    assert said(case) == ["clock.warned"] and told(case) == []
    assert "no hotline centre" in caplog.text


@pytest.mark.parametrize("operation", ["pause:*", "stop:reply", "cancel:*"])
def test_a_clock_that_is_paused_or_ended_says_nothing(bureau: Unit, operation: str) -> None:
    case = replying(bureau)
    apply(case, [operation], MONDAY, cause="x")
    assert sweep_until_quiet(LATER) == 0 and said(case) == []


def test_after_a_pause_it_goes_on_where_it_was(bureau: Unit) -> None:
    case = replying(bureau)
    sweep(clock(case, "reply").warn_at)
    case.refresh_from_db()
    apply(case, ["pause:*"], at("2026-11-30 10:00"), cause="x")
    assert sweep_until_quiet(LATER) == 0
    apply(case, ["resume:*"], LATER)
    case.save()
    assert sweep(LATER) == 0
    assert sweep(at("2027-03-01 18:00")) == 1
    assert said(case) == ["clock.warned", "clock.urged"]


@pytest.mark.parametrize("state", [State.CLOSED, State.ARCHIVED, State.WITHDRAWN])
def test_a_clock_left_running_on_an_ended_case_falls_silent(bureau: Unit, state: State) -> None:
    case = replying(bureau)
    Case.objects.filter(pk=case.pk).update(state=state)
    assert (sweep(DUE), sweep(DUE)) == (1, 0)
    assert said(case) == [] and told(case) == []
    assert clock(case, "reply").next_at is None


def test_two_clocks_of_one_case_in_one_batch_keep_its_chain_whole(bureau: Unit, centre: Unit) -> None:
    case = replying(bureau)
    apply(case, ["start:sign", "start:contact"], MONDAY)
    case.save()
    assert sweep(LATER) == 3
    assert said(case) == ["clock.warned"] * 3
    assert_chain_holds(case)
    assert sweep_until_quiet(LATER) == 6
    assert_chain_holds(case)


def test_a_batch_takes_no_more_than_its_limit_and_the_longest_due_first(bureau: Unit) -> None:
    cases = [replying(bureau) for _ in range(3)]
    Clock.objects.filter(case=cases[2]).update(next_at=MONDAY)
    assert sweep(DUE, limit=1) == 1
    assert [len(said(c)) for c in cases] == [0, 0, 1]


# --- bad rows


def break_chain(case: Case) -> None:
    """Make the case's head forget an event, so that the next one cannot be written."""
    with transaction.atomic():
        Event.objects.create(
            case=case,
            seq=1,
            at=MONDAY,
            actor=None,
            actor_role="system",
            action="x",
            body={},
            prev=b"",
            hash=b"x",
        )


def test_a_bad_row_is_pushed_back_alone(bureau: Unit, centre: Unit, caplog: Any) -> None:
    good, bad, other = replying(bureau), replying(bureau), replying(bureau)
    break_chain(bad)
    with caplog.at_level(logging.WARNING, "lucheng"):
        assert sweep(DUE) == 3
    assert said(good) == said(other) == ["clock.warned"]
    assert said(bad) == ["x"] and told(bad) == []
    pushed = clock(bad, "reply")
    assert (pushed.stage, pushed.failures, pushed.next_at) == (
        Clock.Stage.QUIET,
        1,
        DUE + dt.timedelta(minutes=1),
    )
    assert f"clock {pushed.pk}" in caplog.text and "IntegrityError" in caplog.text


def test_a_bad_row_spoils_nothing_of_the_other_clock_of_its_case(bureau: Unit) -> None:
    """The first clock fails after it has changed the case in memory; the second must not build on that."""
    case = replying(bureau)
    apply(case, ["start:sign"], MONDAY)
    case.save()
    # Its unit is unknown to the calendar: what is said of it cannot be finished.
    Clock.objects.filter(case=case, kind="sign").update(unit="fortnights", stage=Clock.Stage.WARNED)
    assert sweep(DUE) == 2
    assert said(case) == ["clock.warned"] and clock(case, "sign").failures == 1
    assert_chain_holds(case)


def test_a_row_that_keeps_failing_waits_longer_each_time_and_is_left_alone_at_last(
    bureau: Unit, centre: Unit, caplog: Any
) -> None:
    case = replying(bureau)
    break_chain(case)
    now, waits = DUE, []
    for _ in range(MAX_FAILURES - 1):
        assert (sweep(now), sweep(now)) == (1, 0)
        next_at = clock(case, "reply").next_at
        assert next_at is not None
        waits.append((next_at - now).total_seconds() / 60)
        now = next_at
    assert waits == [1, 2, 4, 8]
    with caplog.at_level(logging.ERROR, "lucheng"):
        assert sweep(now) == 1
    assert clock(case, "reply").next_at is None and sweep(LATER) == 0
    assert "lucheng clocks retry" in caplog.text

    # Somebody sees to the cause: the head takes the lost event in.
    Case.objects.filter(pk=case.pk).update(chain_length=1, chain_head=b"x")
    assert retry(LATER) == 1
    assert sweep_until_quiet(LATER) == 3
    assert said(case) == ["x", "clock.warned", "clock.urged", "clock.escalated"]
    assert clock(case, "reply").failures == 0 and retry(LATER) == 0


def test_a_sweep_that_dies_before_its_commit_is_repeated_as_a_whole(bureau: Unit) -> None:
    case = replying(bureau)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        assert sweep(DUE) == 1
        raise KeyboardInterrupt
    assert said(case) == [] and told(case) == []
    assert sweep(DUE) == 1
    assert said(case) == ["clock.warned"] and len(told(case)) == 1


# --- several at once, on connections of their own


@pytest.fixture
def committed(transactional_db: None) -> Iterator[Unit]:
    pack.load_pack()
    unit("centre", Unit.Kind.HOTLINE)
    yield unit("bureau")


def test_sweepers_side_by_side_say_every_stage_once(committed: Unit) -> None:
    cases = [replying(committed) for _ in range(12)]
    for case in cases[:4]:
        apply(case, ["start:sign"], MONDAY)
        case.save()

    def work() -> int:
        done = 0
        # A sweeper that finds everything claimed by the other one comes back, as the worker does.
        while Clock.objects.filter(state="running", next_at__lte=LATER).exists():
            done += sweep(LATER, limit=3)
        return done

    results = in_threads(3, work)
    assert sum(results) == 16 * 3
    for case in cases:
        stages = ["clock.warned", "clock.urged", "clock.escalated"]
        assert sorted(said(case)) == sorted(stages * (2 if case in cases[:4] else 1))
        assert_chain_holds(case)
    assert Message.objects.count() == 16 * 3


def test_a_case_that_a_person_is_acting_on_is_passed_over_not_waited_for(committed: Unit) -> None:
    busy, free = replying(committed), replying(committed)
    with transaction.atomic():
        held = Case.objects.select_for_update().get(pk=busy.pk)
        assert in_threads(1, lambda: sweep(DUE)) == [1]
        assert said(free) == ["clock.warned"] and said(busy) == []
        # The person replies in the very moment in which the limit ends; the clock stops.
        apply(held, ["stop:reply"], DUE)
        held.save()
    assert sweep_until_quiet(DUE) == 1
    assert said(busy) == [] and said(free) == ["clock.warned", "clock.urged"]


def test_what_changes_between_look_and_claim_is_seen(committed: Unit) -> None:
    """The row is claimed as it is then, not as it was when the statement began."""
    case = replying(committed)
    ready, go = threading.Event(), threading.Event()
    first: list[int] = []

    def slow() -> None:
        try:
            with transaction.atomic():
                first.append(sweep(DUE))
                ready.set()
                go.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert ready.wait(10)
    assert sweep(DUE) == 0  # claimed by the other
    go.set()
    thread.join(10)
    assert first == [1]
    assert sweep_until_quiet(DUE) == 1
    assert said(case) == ["clock.warned", "clock.urged"]


def test_the_worker_finds_the_clocks(db: None) -> None:
    assert [s.run for s in discover() if s.name == "clocks"] == [sweep]
