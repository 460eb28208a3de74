"""Today in figures: each is a plain count of what the reader may see, over the city's day."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from lucheng.core.cases import queries, today
from lucheng.core.cases.models import Case, State
from lucheng.core.cases.today import Figure, Rule
from lucheng.core.organisation.access import NOBODY
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import NOW, City, case_in, received, step

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(weeks=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)


@pytest.fixture
def city(db: None) -> City:
    return factories.city()


def overview(city: City, name: str = "duty_officer", now: dt.datetime = NOW) -> today.Overview:
    snapshot.forget()  # the moment is the test's, what was kept is another moment's
    return today.reckon(city.scope(name), now)


def counts(found: today.Overview) -> dict[str, int]:
    return {n.figure.value: n.count for n in found.numbers}


def number(found: today.Overview, figure: Figure) -> today.Number:
    return next(n for n in found.numbers if n.figure is figure)


def test_figures_are_plain_counts_and_their_lists_have_as_many_rows(city: City) -> None:
    received(NOW - DAY)
    received(NOW - HOUR)
    case_in(State.ANSWERED, city, NOW - HOUR, nature="inquiry")
    case_in(State.DISPATCHED, city, NOW - HOUR)
    case_in(State.CLOSED, city, NOW - HOUR)
    case_in(State.CLOSED, city, NOW - 2 * DAY)
    late = case_in(State.SIGNED, city, NOW - HOUR)
    Case.objects.filter(pk=late.pk).update(due_at=NOW - HOUR)

    found = overview(city)

    assert counts(found) == {
        "received": 5,
        "answered": 1,
        "dispatched": 3,
        "closed": 1,
        "overdue": Case.objects.filter(open=True, due_at__lt=NOW).count(),
        "open": 5,
    }
    assert number(found, Figure.OVERDUE).count >= 1
    scope = city.scope("duty_officer")
    for figure in found.numbers:
        assert queries.listed(scope, figure.wanted, NOW).count() == figure.count, figure
    assert sum(h.count or 0 for h in found.hours) == 5
    for hour in found.hours:
        assert queries.listed(scope, hour.wanted, NOW).count() == (hour.count or 0)


def test_a_day_is_the_citys_day(city: City) -> None:
    """00:30 in the city is the day before in UTC."""
    just = MIDNIGHT + dt.timedelta(minutes=30)
    received(MIDNIGHT - dt.timedelta(minutes=1))
    received(MIDNIGHT)
    received(just)
    assert just.astimezone(dt.UTC).date() != just.date()
    found = overview(city, now=just.astimezone(dt.UTC))
    assert counts(found)["received"] == 2
    assert [h.count for h in found.hours[:2]] == [2, None]
    assert number(found, Figure.RECEIVED).wanted.query() == (
        "happened=received&since=2026-03-02T00%3A00&until=2026-03-03T00%3A00"
    )


def test_a_reader_counts_their_own_place_only(city: City) -> None:
    received(NOW - HOUR)
    received(NOW - HOUR, place=factories.SUMU + "001001")
    assert counts(overview(city, "west_dispatcher"))["received"] == 1
    east = overview(city, "east_dispatcher")
    assert counts(east)["received"] == 1
    assert [p.code for p in east.counties] == [factories.EAST]
    assert {e.place[:6] for e in east.events} == {factories.EAST}
    assert counts(overview(city))["received"] == 2
    snapshot.forget()
    nothing = today.reckon(NOBODY, NOW)
    assert set(counts(nothing).values()) == {0}
    assert not nothing.events
    assert not nothing.needs


def test_a_confidential_case_is_counted_for_those_who_may_see_it_alone(city: City) -> None:
    received(NOW - HOUR, confidential=True)
    project = factories.person("project", "project_office", factories.CITY)
    city.people["project"] = project
    assert counts(overview(city))["received"] == 1
    assert counts(overview(city, "project"))["received"] == 0


def test_places_add_up_to_what_stands_open(city: City) -> None:
    case_in(State.SIGNED, city)
    received(place=factories.SUMU + "001001")
    received(place=factories.EAST)
    found = overview(city, now=NOW + 100 * DAY)
    for level in ("open", "overdue"):
        total = counts(found)[level]
        assert total > 0
        assert sum(getattr(p, level) for p in found.counties) == total
    assert sum(p.open for p in found.townships) == 2  # one is known by its county only
    scope = city.scope("duty_officer")
    for place in (*found.counties, *found.townships):
        at = NOW + 100 * DAY
        assert queries.listed(scope, place.wanted, at).count() == place.open
        assert queries.listed(scope, place.wanted_overdue, at).count() == place.overdue


def test_a_county_in_which_nothing_stands_is_shown_with_its_nought(city: City) -> None:
    received()
    assert [(p.code, p.open) for p in overview(city).counties] == [(factories.WEST, 1), (factories.EAST, 0)]


def test_usual_is_the_median_of_the_same_weekday_up_to_the_same_time(city: City) -> None:
    for week, many in ((1, 1), (2, 3), (3, 2)):
        for _ in range(many):
            received(NOW - week * WEEK - HOUR)
        received(NOW - week * WEEK + HOUR)  # later in the day
        received(NOW - week * WEEK - DAY)  # another weekday
    found = number(overview(city), Figure.RECEIVED)
    assert (found.usual, found.weeks) == (2, 3)
    eight = overview(city)
    assert eight.hours[8].usual == 2
    assert eight.hours[10].usual == 1


def test_before_there_is_a_past_nothing_is_usual(city: City) -> None:
    received(NOW - HOUR)
    found = overview(city)
    assert all(n.usual is None for n in found.numbers)
    assert all(h.usual is None for h in found.hours)
    assert not found.hot


def test_overdue_at_a_past_moment_follows_from_the_clocks(city: City) -> None:
    case = case_in(State.DISPATCHED, city, NOW - 60 * DAY)
    due = case.clocks.get(kind="sign").due_at
    scope = city.scope("duty_officer")
    moments = [due - HOUR, due + HOUR]
    assert today.overdue_at(scope, moments) == [0, 1]
    step(case, "sign", "handler", city, due + 2 * HOUR)
    case.clocks.exclude(kind="sign").update(due_at=NOW + DAY)
    assert today.overdue_at(scope, [*moments, due + 3 * HOUR]) == [0, 1, 0]
    assert today.overdue_at(city.scope("east_dispatcher"), moments) == [0, 0]


def test_what_needs_a_person_stands_by_rule_three_at_most_the_longest_wait_first(city: City) -> None:
    case_in(State.SIGNED, city, NOW - 90 * DAY)  # overdue, and nothing more
    older = case_in(State.RETURN_REQ, city, NOW - 2 * HOUR)
    case_in(State.RETURN_REQ, city, NOW - HOUR)
    no_rule = received(NOW - DAY)
    step(no_rule, "accept", "dispatcher", city, NOW - DAY, matter=factories.NO_RULE)
    critical = case_in(State.SIGNED, city, NOW - 20 * DAY)
    Case.objects.filter(pk=critical.pk).update(urgency="critical")

    found = overview(city).needs

    assert [n.rule for n in found] == [Rule.CRITICAL_OVERDUE, Rule.OBJECTION, Rule.NO_RULE]
    assert [n.number for n in found] == [critical.number, older.number, no_rule.number]
    assert [n.action for n in found] == ["supervise", "redispatch", "dispatch"]
    assert [n.count for n in found] == [1, 2, 1]
    assert found[1].since == NOW - 2 * HOUR
    scope = city.scope("duty_officer")
    for need in found:
        assert queries.listed(scope, need.wanted, NOW).count() == need.count


def test_whoever_may_not_decide_is_shown_the_matter_without_a_step(city: City) -> None:
    case_in(State.RETURN_REQ, city, NOW - HOUR)
    city.people["project"] = factories.person("project", "project_office", factories.CITY)
    assert [n.action for n in overview(city, "project").needs] == [""]


def test_a_matter_is_hot_well_above_its_usual_and_says_out_of_how_many(city: City) -> None:
    def about(matter: str, at: dt.datetime) -> None:
        Case.objects.filter(pk=received(at).pk).update(matter=matter)

    for day in range(10, 40):
        about(factories.RUBBISH, NOW - day * DAY)
    for minutes in range(6):
        about(factories.HEATING, NOW - HOUR - minutes * dt.timedelta(minutes=1))
    about(factories.RUBBISH, NOW - HOUR)
    about("", NOW - HOUR)

    found = overview(city)

    assert [(h.matter, h.count, h.of, h.hours, h.usual) for h in found.hot] == [
        (factories.HEATING, 6, 8, 24, 0.0)
    ]
    rows = queries.listed(city.scope("duty_officer"), found.hot[0].wanted, NOW)
    assert rows.count() == 6


def test_the_last_events_are_told_newest_first_without_who_looked_at_what(city: City) -> None:
    from lucheng.core.ledger.append import append

    case = case_in(State.DISPATCHED, city)
    append(case, "contact_revealed", {}, actor=city.people["operator"], role="operator", now=NOW)
    case.save()
    assert [e.action for e in overview(city).events] == ["dispatch", "accept", "create"]
    assert {(e.number, e.place) for e in overview(city).events} == {(case.number, factories.GRID)}


def test_what_is_kept_is_counted_anew_when_something_happens(city: City) -> None:
    scope = city.scope("duty_officer")
    first = today.latest(scope)
    again = today.latest(scope)
    assert again.tag == first.tag
    assert again.as_of >= first.as_of
    received(timezone.now())
    turn = today._kept.get().get(("turn", today._reader(scope)), 0, today._Turn)
    turn.cost = 0.0  # what it took is not the question here
    after = today.latest(scope)
    assert after.tag != first.tag
    assert counts(after.overview)["received"] == counts(first.overview)["received"] + 1


def test_what_is_kept_is_counted_anew_when_a_clock_runs_out(city: City) -> None:
    case = case_in(State.DISPATCHED, city, timezone.now())
    scope = city.scope("duty_officer")
    assert counts(today.latest(scope).overview)["overdue"] == 0
    turn = today._kept.get().get(("turn", today._reader(scope)), 0, today._Turn)
    assert turn.until <= Case.objects.get(pk=case.pk).due_at
    turn.cost, turn.until = 0.0, timezone.now() - HOUR
    Case.objects.filter(pk=case.pk).update(due_at=timezone.now() - HOUR)
    assert counts(today.latest(scope).overview)["overdue"] == 1


def test_people_with_the_same_posts_share_one_counting(city: City) -> None:
    received(timezone.now())
    city.people["second"] = factories.person("second", "duty_officer", factories.CITY, city.units["hotline"])
    assert today.latest(city.scope("duty_officer")).tag == today.latest(city.scope("second")).tag
    assert today.latest(city.scope("east_dispatcher")).tag != today.latest(city.scope("second")).tag


def test_the_pulse_moves_also_for_an_event_written_after_a_later_one(city: City) -> None:
    from lucheng.core.ledger.models import Event

    case = received()
    last = Event.objects.latest("id")
    Event.objects.create(
        id=last.pk + 5, case_id=case.pk, seq=90, at=NOW, action="create", prev=b"", hash=b"1"
    )
    before = today.pulse()
    Event.objects.create(
        id=last.pk + 4, case_id=case.pk, seq=91, at=NOW, action="create", prev=b"", hash=b"2"
    )
    assert today.pulse() != before


def test_only_posts_that_reach_a_place_read_the_overview(city: City) -> None:
    reads = {name for name in city.people if today.may_read(city.scope(name))}
    assert reads == {
        "operator",
        "dispatcher",
        "duty_officer",
        "supervisor",
        "west_dispatcher",
        "east_dispatcher",
    }
