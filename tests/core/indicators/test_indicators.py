"""Figures: a query under a prefix, honest about nothing and few, kept day by day, with targets that hold for a time."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.errors import Invalid, NotFound
from lucheng.core.indicators import history
from lucheng.core.indicators.indicator import Indicator, Rows, Value, indicators, level_below, named, stands
from lucheng.core.indicators.models import Day, Target
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named as register_named
from lucheng.projects.party_centres.models import Centre
from tests.core.registers.centres import centre
from tests.factories import CITY, COMMUNITY, EAST, NOW, STREET, SUMU, WEST, City

TODAY = dt.date(2026, 3, 2)
LEVEL = "1.centres.community"

WITH_LIFT = Indicator(
    id="0.lift",
    name="centres with a lift",
    unit="%",
    formula="",
    numerator=Rows(stands(Centre, access__contains=["lift"])),
    denominator=Rows(stands(Centre)),
    times=100,
)


@pytest.mark.parametrize(
    ("name", "since", "until", "day", "over"),
    [
        ("2020", "2020-01-01", "2021-01-01", "2020-12-31", True),
        ("2020-Q4", "2020-10-01", "2021-01-01", "2020-12-31", True),
        ("2020-02", "2020-02-01", "2020-03-01", "2020-02-29", True),
        ("2026-03-02", "2026-03-02", "2026-03-03", "2026-03-02", True),
        ("2026-03", "2026-03-01", "2026-04-01", "2026-03-02", False),
        ("2026-q1", "2026-01-01", "2026-04-01", "2026-03-02", False),
    ],
)
def test_a_period_is_named_as_people_name_it(name: str, since: str, until: str, day: str, over: bool) -> None:
    at = window(name, TODAY)
    assert [d.isoformat() for d in (at.since, at.until, at.day)] == [since, until, day]
    assert at.over is over


@pytest.mark.parametrize(
    "name", ["", "20", "2020-13", "2020-Q5", "2020-02-30", "2027", "9999", "0000", "2020 Q1"]
)
def test_a_period_that_is_none_or_has_not_begun_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        window(name, TODAY)
    assert list(refused.value.fields) == ["period"]


def test_a_figure_is_its_query_under_a_place_on_the_periods_last_day(city: City) -> None:
    centre("C1", standard_since="2020-07-01")
    centre("C2", place=STREET + "002", standard_since="2021-07-01")
    centre("C3", place=SUMU + "001")
    of = named(LEVEL)
    assert of.value(window("2020", TODAY), CITY).value == 1
    assert of.value(window("2021", TODAY), CITY).value == 2
    assert of.value(window("2020-06", TODAY), CITY).value == 0
    assert of.value(window("2021", TODAY), COMMUNITY).value == 1
    assert of.by_place(window("2021", TODAY), CITY, 6).keys() == {WEST}
    assert [c.code for c in of.numerator.under(window("2020", TODAY), CITY)] == ["C1"]
    book.retire(register_named("centres"), "C1", dt.date(2021, 1, 1), by=None, scope=None, now=NOW, version=1)
    assert of.value(window("2020", TODAY), CITY).value == 1
    assert of.value(window("2021", TODAY), CITY).value == 1


def test_a_share_of_nothing_is_no_share(city: City) -> None:
    nothing = WITH_LIFT.value(window("2020", TODAY), CITY)
    assert (nothing.value, nothing.numerator, nothing.denominator, nothing.interval()) == (None, 0, 0, None)
    centre("C1", access="lift")
    centre("C2", name="乙")
    centre("C3", name="丙", place=SUMU + "001")
    at = window("2026-03-02", TODAY)
    assert WITH_LIFT.value(at, WEST).value == 50
    assert {p: v.value for p, v in WITH_LIFT.by_place(at, CITY, 6).items()} == {WEST: 50, EAST: 0}


@given(st.integers(0, 50), st.integers(1, 50))
def test_an_interval_holds_its_share_and_narrows_with_more(counted: int, more: int) -> None:
    of = counted + more
    low, high = Value(counted / of, counted, of, TODAY).interval() or (0, 0)
    assert 0 <= low <= counted / of <= high <= 1
    wide = high - low
    low, high = Value(counted / of, counted * 9, of * 9, TODAY).interval() or (0, 0)
    assert high - low < wide


def test_every_figure_of_every_room_can_be_counted(city: City) -> None:
    at = window("2020", TODAY)
    for indicator in indicators().values():
        assert indicator.value(at, CITY).numerator >= 0, indicator.id
        indicator.by_place(at, CITY, 6)
    with pytest.raises(NotFound):
        named("9.nothing")
    assert (level_below(""), level_below(CITY), level_below(COMMUNITY)) == (4, 6, 15)


def test_history_is_kept_day_by_day_and_once(city: City) -> None:
    centre("C1", standard_since="2020-07-01")
    days = [dt.date(2020, 6, 30), dt.date(2020, 7, 1)]
    for day in (*days, days[1]):
        history.keep(day)
    kept = history.of(named(LEVEL), WEST, days[0], dt.date(2021, 1, 1))
    assert [(day, value.value) for day, value in kept] == [(days[1], 1)]
    assert [v.value for _d, v in history.of(named(LEVEL), CITY, days[0], dt.date(2021, 1, 1))] == [0, 1]
    # Whoever corrects the past reckons it anew.
    book.write(
        register_named("centres"),
        "C1",
        {**_said("C1"), "standard_since": ""},
        by=None,
        scope=None,
        now=NOW,
        version=1,
    )
    history.keep(days[1])
    assert history.of(named(LEVEL), CITY, days[1], dt.date(2021, 1, 1))[0][1].value == 0
    assert Day.objects.filter(indicator=LEVEL, place=CITY).count() == 2


def _said(code: str) -> dict[str, object]:
    return register_named("centres").said(Centre.objects.get(code=code))


def test_a_target_is_of_a_figure_that_there_is_and_asks_for_something(city: City) -> None:
    def target(**given: object) -> Target:
        values = {
            "name": "社区中心",
            "place": CITY,
            "valid_from": "2020-01-01",
            "indicator": LEVEL,
            "at_least": 250,
        }
        made = book.write(register_named("targets"), "", {**values, **given}, by=None, scope=None, now=NOW)
        assert isinstance(made, Target)
        return made

    made = target()
    assert (made.met_by(249), made.met_by(250), made.met_by(None)) == (False, True, None)
    for wrong, at in [
        ({"indicator": "9.x"}, "indicator"),
        ({"at_least": ""}, "at_least"),
        ({"at_most": 3}, "at_most"),
    ]:
        with pytest.raises(Invalid) as refused:
            target(**wrong)
        assert list(refused.value.fields) == [at]
