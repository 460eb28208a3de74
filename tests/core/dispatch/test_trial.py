"""A draft is tried on past cases before it is published: what would move, and what would find no unit."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from lucheng.core.cases.models import Case
from lucheng.core.dispatch import editions
from lucheng.core.dispatch.rules import Row
from lucheng.core.dispatch.trial import try_on
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

GRID = "150203001001001"
EVERY = Case.objects.all()
SINCE, UNTIL = city.NOW - dt.timedelta(days=30), city.NOW + dt.timedelta(days=1)


def test_counts_what_stays_moves_and_is_left_without_a_unit() -> None:
    units = city.lay_out()
    for n in range(1, 8):
        city.case(n, "010201", GRID, units["lighting"])
    for n in range(8, 11):
        city.case(n, "0201", GRID, units["urban"])
    city.case(11, "0201", "150223", units["urban"])
    trial = try_on(city.draft(city.LAMPS, city.CLUTTER), EVERY, SINCE, UNTIL)
    assert (trial.cases, trial.same, trial.moved, trial.unmatched) == (11, 7, 3, 1)
    assert [(m.before, m.after, m.line.cases) for m in trial.moves] == [("钢铁区城管局", "钢花街道办事处", 3)]
    assert trial.moves[0].line.samples == ["2603040000008", "2603040000010"]
    assert [(g.matter, g.place, g.line.cases, g.line.samples) for g in trial.gaps] == [
        ("0201", "150223", 1, ["2603040000011"])
    ]


def test_the_largest_move_comes_first() -> None:
    units = city.lay_out()
    city.case(1, "010201", GRID, units["police"])
    city.case(2, "010201", GRID, units["urban"])
    city.case(3, "010201", "150223", units["urban"])
    trial = try_on(city.draft(city.LAMPS), EVERY, SINCE, UNTIL)
    assert [(m.before, m.line.cases) for m in trial.moves] == [("钢铁区城管局", 2), ("钢铁区公安分局", 1)]


def test_only_dispatched_cases_of_the_period_count() -> None:
    units = city.lay_out()
    city.case(1, "010201", GRID, None)
    city.case(2, "010201", GRID, units["urban"], SINCE - dt.timedelta(seconds=1))
    city.case(3, "010201", GRID, units["urban"], UNTIL)
    city.case(4, "010201", GRID, units["urban"], SINCE)
    assert try_on(city.draft(city.LAMPS), EVERY, SINCE, UNTIL).cases == 1


def test_what_is_not_among_the_cases_is_neither_counted_nor_an_example() -> None:
    units = city.lay_out()
    for n, place in enumerate([GRID, GRID, "150223"], 1):
        city.case(n, "010201", place, units["urban"])
    some = Case.objects.filter(place=GRID)
    trial = try_on(city.draft(city.LAMPS), some, SINCE, UNTIL)
    assert [(m.line.cases, m.line.samples) for m in trial.moves] == [(2, ["2603040000001", "2603040000002"])]


def test_a_row_whose_unit_is_closed_leaves_its_cases_without_a_unit() -> None:
    units = city.lay_out()
    city.case(1, "010201", GRID, units["lighting"])
    draft = city.draft(city.LAMPS)
    units["lighting"].active = False
    units["lighting"].save()
    assert try_on(draft, EVERY, SINCE, UNTIL).unmatched == 1


def test_trying_changes_nothing() -> None:
    units = city.lay_out()
    current = city.in_force(city.LAMPS)
    made = city.case(1, "010201", GRID, units["lighting"])
    try_on(city.draft(replace(city.LAMPS, lead="urban")), EVERY, SINCE, UNTIL)
    made.refresh_from_db()
    assert made.lead_unit == units["lighting"]
    assert editions.in_force() == current


def test_its_queries_do_not_grow_with_the_cases(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    units = city.lay_out()
    draft = city.draft(city.LAMPS, Row("02", "1502", "urban", (), "三定方案"))
    for n in range(1, 60):
        city.case(n, "010201" if n % 2 else "0201", GRID, units["urban"])
    with django_assert_num_queries(5):
        assert try_on(draft, EVERY, SINCE, UNTIL).cases == 59
