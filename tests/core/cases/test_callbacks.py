"""Calling back: the draw, the turn, the attempts."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases import callbacks
from lucheng.core.cases.callbacks import Share
from lucheng.core.cases.models import CallbackTurn, Case, Nature, State
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Conflict, Forbidden, Invalid
from tests import factories
from tests.factories import NOW, City, case_in, received, step

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def city(db: None) -> City:
    return factories.city()


def plan(city: City, *shares: Share, at: dt.datetime = NOW - DAY) -> None:
    callbacks.replace_plan(
        shares, "按季度调整", actor=city.people["supervisor"], scope=city.scope("supervisor"), now=at
    )


def called(city: City, now: dt.datetime = NOW) -> set[int]:
    return set(callbacks.to_call(city.scope("operator"), now).values_list("pk", flat=True))


def at_callback(city: City, many: int, **changes: object) -> list[Case]:
    """Cases at the callback, made by hand where it is only their number that matters."""
    first = case_in(State.CALLBACK, city, **changes)
    made = [first]
    for _n in range(many - 1):
        case = received(**changes)
        Case.objects.filter(pk=case.pk).update(state=State.CALLBACK, units=first.units, due_at=first.due_at)
        clock = Clock.objects.get(case=first, kind="callback")
        clock.pk, clock.case = None, case
        clock.save()
        case.refresh_from_db()
        made.append(case)
    return made


# --- the draw


def test_without_a_plan_everybody_is_called(city: City) -> None:
    cases = at_callback(city, 5)
    assert called(city) == {c.pk for c in cases}


def test_a_share_of_nought_calls_nobody_and_a_hundred_everybody(city: City) -> None:
    plan(city, Share("complaint", "", "", 100), Share("", "", "", 0))
    help_ = at_callback(city, 4)
    complaint = case_in(State.CALLBACK, city, nature=Nature.COMPLAINT.value)
    assert called(city) == {complaint.pk}
    assert not {c.pk for c in help_} & called(city)


def test_the_draw_is_the_same_in_the_database_and_in_python(city: City) -> None:
    plan(city, Share("", "", "", 50), Share("", "0102", "", 30), Share("", "", factories.WEST, 80))
    cases = at_callback(city, 40)
    editions = callbacks.plans()
    expected = {c.pk for c in cases if callbacks.is_drawn(c, NOW, editions)}
    assert called(city) == expected
    assert 0 < len(expected) < 40


def test_the_longest_matter_then_the_longest_place_then_the_nature_holds(city: City) -> None:
    plan(
        city,
        Share("", "", "", 1),
        Share("help", "", "", 2),
        Share("", "", factories.WEST, 3),
        Share("", "0102", "", 4),
    )
    (edition,) = callbacks.plans()
    assert callbacks.share_of(edition, "help", "010201", factories.GRID) == 4
    assert callbacks.share_of(edition, "help", "0301", factories.GRID) == 3
    assert callbacks.share_of(edition, "help", "0301", factories.EAST) == 2
    assert callbacks.share_of(edition, "praise", "0301", factories.EAST) == 1


def test_about_so_many_are_drawn_as_the_plan_says() -> None:
    drawn = sum(callbacks.bucket(n, 7) < 3000 for n in range(10_000))
    assert 2800 < drawn < 3200


def test_a_new_edition_does_not_draw_anew_what_began_before_it(city: City) -> None:
    plan(city, Share("", "", "", 0))
    case = case_in(State.CALLBACK, city)
    plan(city, Share("", "", "", 100), at=NOW + HOUR)
    assert case.pk not in called(city, NOW + 2 * HOUR)
    later = case_in(State.CALLBACK, city, now=NOW + 2 * HOUR)
    assert called(city, NOW + 3 * HOUR) == {later.pk}


def test_who_was_not_drawn_comes_up_before_their_limit_ends(city: City) -> None:
    plan(city, Share("", "", "", 0))
    case = case_in(State.CALLBACK, city)
    clock = Clock.objects.get(case=case, kind="callback")
    assert called(city, clock.warn_at - HOUR) == set()
    assert called(city, clock.warn_at) == {case.pk}
    assert clock.warn_at < clock.due_at


def test_an_edition_is_for_who_supervises_the_whole_city(city: City) -> None:
    for name in ("operator", "west_dispatcher"):
        with pytest.raises(Forbidden):
            callbacks.replace_plan([], "调整", actor=city.people[name], scope=city.scope(name), now=NOW)


@pytest.mark.parametrize(
    "shares",
    [
        [Share("", "", "", 101)],
        [Share("", "", "", -1)],
        [Share("", "99", "", 5)],
        [Share("", "", "77", 5)],
        [Share("nonsense", "", "", 5)],
        [Share("", "", "", 5), Share("", "", "", 6)],
    ],
)
def test_a_row_that_means_nothing_is_refused(city: City, shares: list[Share]) -> None:
    with pytest.raises(Invalid) as refused:
        plan(city, *shares)
    assert "shares" in refused.value.fields
    assert not callbacks.plans()


def test_a_plan_says_why_it_changes(city: City) -> None:
    with pytest.raises(Invalid) as refused:
        callbacks.replace_plan(
            [], " ", actor=city.people["supervisor"], scope=city.scope("supervisor"), now=NOW
        )
    assert "note" in refused.value.fields


# --- whose turn it is


def test_two_operators_never_get_the_same_case(city: City) -> None:
    at_callback(city, 2)
    rows = callbacks.to_call(city.scope("operator"), NOW)
    first = callbacks.take(rows, city.people["operator"], NOW)
    second = callbacks.take(rows, city.people["supervisor"], NOW)
    assert first is not None
    assert second is not None
    assert first.pk != second.pk
    assert callbacks.take(rows, city.people["duty_officer"], NOW) is None


def test_who_takes_again_gets_the_same_case_again(city: City) -> None:
    at_callback(city, 2)
    rows = callbacks.to_call(city.scope("operator"), NOW)
    first = callbacks.take(rows, city.people["operator"], NOW)
    assert callbacks.take(rows, city.people["operator"], NOW + dt.timedelta(minutes=5)) == first


def test_a_case_is_anybodys_again_when_its_time_is_over_or_it_is_given_back(city: City) -> None:
    (case,) = at_callback(city, 1)
    operator, supervisor = city.people["operator"], city.people["supervisor"]
    assert callbacks.hold(case.pk, operator, NOW)
    assert not callbacks.hold(case.pk, supervisor, NOW)
    with pytest.raises(Conflict):
        callbacks.check_held(case, supervisor, NOW)
    assert callbacks.hold(case.pk, supervisor, NOW + callbacks.HELD_FOR)
    callbacks.release(case.pk, operator)  # no longer theirs: nothing happens
    assert not callbacks.hold(case.pk, operator, NOW + callbacks.HELD_FOR)
    callbacks.release(case.pk, supervisor)
    assert callbacks.hold(case.pk, operator, NOW + callbacks.HELD_FOR)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_gets_it() -> None:
    city = factories.city()
    case = case_in(State.CALLBACK, city)
    people = [city.people["operator"], city.people["supervisor"]]
    start = threading.Barrier(2)
    got: list[bool] = []

    def ask(n: int) -> None:
        start.wait()
        got.append(callbacks.hold(case.pk, people[n], NOW))
        connections.close_all()

    both = [threading.Thread(target=ask, args=(n,)) for n in (0, 1)]
    for t in both:
        t.start()
    for t in both:
        t.join()
    assert sorted(got) == [False, True]


# --- attempts


def test_who_was_not_reached_rests_until_it_is_time_again(city: City) -> None:
    (case,) = at_callback(city, 1)
    callbacks.hold(case.pk, city.people["operator"], NOW)
    step(case, "try_callback", "operator", city, again="hour", note="无人接听")
    assert called(city, NOW + dt.timedelta(minutes=59)) == set()
    assert called(city, NOW + HOUR) == {case.pk}
    assert callbacks.resting(city.scope("operator"), NOW).count() == 1
    assert CallbackTurn.objects.get().person is None


def test_the_next_working_day_is_no_weekend(city: City) -> None:
    friday = NOW + 4 * DAY
    case = case_in(State.CALLBACK, city, now=friday)
    step(case, "try_callback", "operator", city, now=friday, again="day")
    at = CallbackTurn.objects.get().next_at
    assert at is not None
    assert at.astimezone(NOW.tzinfo).date() == (NOW + 7 * DAY).date()


def test_there_is_no_fourth_attempt_on_the_same_day(city: City) -> None:
    (case,) = at_callback(city, 1)
    for _n in range(3):
        case = step(case, "try_callback", "operator", city, again="hour")
    with pytest.raises(Conflict):
        step(case, "try_callback", "operator", city, again="hour")
    case = step(case, "try_callback", "operator", city, now=NOW + DAY, again="hour")
    assert len(callbacks.attempts(case)) == 4


def test_the_handler_makes_no_attempt_on_their_own_reply(city: City) -> None:
    (case,) = at_callback(city, 1)
    factories.post(city.people["handler"], "operator", factories.CITY, city.units["hotline"])
    with pytest.raises(Forbidden):
        step(case, "try_callback", "handler", city, again="hour")


def test_closing_unreached_is_offered_after_three_attempts(city: City) -> None:
    (case,) = at_callback(city, 1)
    assert not callbacks.may_close_unreached(case, 2)
    assert callbacks.may_close_unreached(case, 3)
    assert callbacks.may_close_unreached(case_in(State.CALLBACK, city, reply_wanted=False), 0)


def test_attempts_of_an_earlier_round_do_not_count(city: City) -> None:
    (case,) = at_callback(city, 1)
    case = step(case, "try_callback", "operator", city, again="hour")
    case = step(case, "send_back", "supervisor", city, reason="仍未解决")
    case = step(case, "redo", "handler", city)
    case = step(case, "contact", "handler", city, how="phone")
    case = step(case, "reply", "handler", city, handling="再修", public_reply="已再次修复。", note="已到场")
    case = step(case, "approve", "dispatcher", city)
    assert callbacks.attempts(case) == []


# --- who stands in which list


def test_a_bad_answer_waits_for_a_decision_and_not_for_a_call(city: City) -> None:
    (case,) = at_callback(city, 1)
    step(case, "rate", "operator", city, satisfaction="2", solved=False)
    assert called(city) == set()
    assert [c.pk for c in callbacks.to_decide(city.scope("supervisor"), NOW)] == [case.pk]


def test_findings_are_verified_and_not_called(city: City) -> None:
    case = received(nature=Nature.FINDING.value, kind="grids.finding", phone="", name="")
    Case.objects.filter(pk=case.pk).update(state=State.CALLBACK)
    assert called(city) == set()
    assert [c.pk for c in callbacks.to_verify(city.scope("operator"), NOW)] == [case.pk]


def test_the_lists_hold_only_what_the_reader_may_call_about(city: City) -> None:
    at_callback(city, 1)
    assert not callbacks.to_call(city.scope("handler"), NOW).exists()
    assert not callbacks.to_call(city.scope("dispatcher"), NOW).exists()  # sees it, does not call


# --- how far it has come


def test_progress_has_its_denominators(city: City) -> None:
    plan(city, Share("complaint", "", "", 100), Share("", "", "", 0))
    at_callback(city, 3)
    cases = at_callback(city, 4, nature=Nature.COMPLAINT.value)
    step(cases[0], "close", "operator", city, now=NOW + HOUR, satisfaction="5")
    step(
        step(cases[1], "try_callback", "operator", city, now=NOW + HOUR, again="hour"),
        "close",
        "operator",
        city,
        now=NOW + 2 * HOUR,
        satisfaction="0",
    )
    step(cases[2], "try_callback", "operator", city, now=NOW + HOUR, again="hour")
    said = callbacks.progress(city.scope("operator"), NOW + DAY)
    assert (said.begun, said.drawn, said.called, said.reached, said.answered_online) == (7, 4, 3, 1, 0)
    assert callbacks.progress(city.scope("handler"), NOW + DAY).begun == 0


def test_progress_asks_as_much_for_many_as_for_few(city: City) -> None:
    plan(city, Share("", "", "", 50))

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            callbacks.progress(city.scope("operator"), NOW + HOUR)
            list(callbacks.to_call(city.scope("operator"), NOW + HOUR))
        return len(queries)

    at_callback(city, 1)
    few = asked()
    at_callback(city, 20)
    assert asked() == few
