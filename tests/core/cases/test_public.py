"""What anyone may know of a neighbourhood: numbers in fives, and never a word that somebody wrote."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases.models import Case, Nature, State
from lucheng.core.cases.public import FRESH, LEAST, Neighbourhood, neighbourhood, told
from lucheng.core.clocks.models import Clock
from tests import factories
from tests.factories import COMMUNITY, GRID, HEATING, LAMP, NOW, RUBBISH, STREET, SUMU

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def city() -> factories.City:
    cache.clear()
    return factories.city()


def reported(n: int, state: State = State.SIGNED, at: dt.datetime = NOW - DAY, **changes: object) -> None:
    """Cases in a state; their way there is not what is counted."""
    for _n in range(n):
        case = factories.received(at, **{"matter": LAMP, **changes})
        Case.objects.filter(pk=case.pk).update(state=state)


def told_of(place: str = COMMUNITY, days: int = 30, now: dt.datetime = NOW) -> Neighbourhood:
    cache.clear()
    return neighbourhood(place, days, now)


def test_kinds_states_and_the_whole_are_counted_in_fives(city: factories.City) -> None:
    reported(7, State.SIGNED)
    reported(6, State.CLOSED)
    reported(6, State.CALLBACK, matter=RUBBISH)
    found = told_of()
    assert (found.cases, found.in_hand, found.answered) == (15, 5, 10)
    lamps, rubbish = found.kinds
    assert (lamps.matter, lamps.cases, lamps.in_hand, lamps.answered) == (LAMP[:4], 10, 5, 5)
    assert (rubbish.matter, rubbish.cases, rubbish.in_hand, rubbish.answered) == (RUBBISH[:4], 5, None, 5)
    assert lamps.latest == (NOW - DAY).date()


@pytest.mark.parametrize("n", [0, 1, 4])
def test_fewer_than_five_are_told_like_none(city: factories.City, n: int) -> None:
    reported(n)
    found = told_of()
    assert (found.cases, found.in_hand, found.answered, found.kinds) == (None, None, None, ())


def test_a_kind_with_fewer_than_five_is_not_named(city: factories.City) -> None:
    reported(8)
    reported(4, matter=HEATING)
    assert [k.matter for k in told_of().kinds] == [LAMP[:4]]


def test_no_small_number_follows_from_what_is_told() -> None:
    """Every table of three cells and their total: for each cell that is hidden, what is told fits several numbers. The
    cells may be two states, three kinds or three communities of a township."""
    tables = defaultdict(set)
    for cells in itertools.product(range(20), repeat=3):
        tables[(*map(told, cells), told(sum(cells)))].add(cells)
    for said, possible in tables.items():
        for i, shown in enumerate(said[:3]):
            if shown is None:
                assert len({cells[i] for cells in possible}) > 1, said


@pytest.mark.parametrize("hidden", range(1, 8))
def test_however_many_cells_are_hidden_none_is_known_to_be_small(hidden: int) -> None:
    """With a total that takes the most from every cell, each can be known to be four; never to be one, two or three."""
    for whole in {told(n) for n in range(4 * hidden + 1)}:
        fits = set()
        for cells in itertools.combinations_with_replacement(range(LEAST), hidden):
            if told(sum(cells)) == whole:
                fits |= set(cells)
        assert len(fits) > 1 or fits == {4}, (hidden, whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"nature": Nature.COMPLAINT.value},
        {"nature": Nature.REPORT.value},
        {"confidential": True},
        {"matter": ""},
        {"matter": "140101"},
        {"place": SUMU + "001001"},
        {"place": factories.CITY},
    ],
    ids=["complaint", "report", "confidential", "undecided", "of a home", "elsewhere", "somewhere"],
)
def test_what_is_nobodys_business_is_not_counted(city: factories.City, changes: dict[str, object]) -> None:
    reported(6, **changes)
    assert told_of().cases is None


def test_complaints_of_a_unit_are_not_counted(city: factories.City) -> None:
    reported(6, accused_unit=city.units["lighting"].pk)
    assert told_of().cases is None


@pytest.mark.parametrize(
    "state", [State.DRAFT, State.REJECTED, State.WITHDRAWN, State.TRANSFERRED, State.MERGED]
)
def test_what_was_refused_taken_back_or_handed_over_is_not_counted(
    city: factories.City, state: State
) -> None:
    reported(6, state)
    assert told_of().cases is None


def test_only_the_period_counts_and_nothing_from_ahead(city: factories.City) -> None:
    reported(6, at=NOW - 40 * DAY)
    reported(6, at=NOW + DAY)
    assert told_of(days=30).cases is None
    assert told_of(days=90).cases == 5


def test_a_township_holds_its_communities(city: factories.City) -> None:
    reported(5, place=GRID)
    reported(5, place=STREET + "002001")
    assert told_of(STREET).cases == 10
    assert told_of(STREET + "002").cases == 5


@pytest.mark.parametrize(
    ("place", "days"), [(factories.CITY, 30), (factories.WEST, 30), (GRID, 30), ("", 30), (COMMUNITY, 7)]
)
def test_larger_and_smaller_places_and_other_periods_are_not_told_of(
    city: factories.City, place: str, days: int
) -> None:
    with pytest.raises(ValueError, match="not told of"):
        neighbourhood(place, days, NOW)


def test_half_of_the_replies_came_within_so_many_days(city: factories.City) -> None:
    reported(5, State.CLOSED, NOW - 20 * DAY)
    for days, case in enumerate(Case.objects.order_by("id"), 1):
        clock = case.clocks.first()
        Clock.objects.filter(pk=clock.pk).update(
            kind="reply", state="met", ended_at=case.created_at + days * DAY - dt.timedelta(hours=1)
        )
    assert told_of().median_days == 3
    Clock.objects.filter(pk=clock.pk).update(state="cancelled")
    assert told_of().median_days is None, "four replies are too few"


def test_real_replies_give_the_median(city: factories.City) -> None:
    for _n in range(5):
        factories.case_in(State.CALLBACK, city, NOW - DAY, matter=LAMP)
    assert told_of().median_days == 1


def test_no_word_that_anybody_wrote_is_read_or_told(city: factories.City) -> None:
    words = {
        "content": "机密内容",
        "title": "机密标题",
        "address": "机密小区3号楼2单元501",
        "name": "机密姓名",
        "phone": "13900001111",
    }
    reported(12, State.CLOSED, **words)
    Case.objects.update(public_reply="机密答复")
    with CaptureQueriesContext(connection) as queries:
        found = told_of()
    assert found.cases == 10
    assert not any(word in repr(found) for word in (*words.values(), "机密", "13900001111"))
    asked = " ".join(q["sql"] for q in queries)
    for column in ("content", "title", "address", "public_reply", "lon", "lat", "number", "code", "fields"):
        assert f'"{column}"' not in asked, column
    assert "privacy_contact" not in asked
    assert "cases_text" not in asked
    assert len(queries) == 2


def test_an_answer_is_given_again_for_minutes_and_says_how_old_it_is(city: factories.City) -> None:
    reported(6)
    first = told_of()
    reported(6)
    with CaptureQueriesContext(connection) as queries:
        again = neighbourhood(COMMUNITY, 30, NOW + FRESH / 2)
    assert again == first
    assert again.at == NOW
    assert len(queries) == 0
    later = neighbourhood(COMMUNITY, 30, NOW + FRESH)
    assert (later.at, later.cases) == (NOW + FRESH, 10)


def test_one_place_among_many_is_found_by_the_index_of_place(city: factories.City) -> None:
    reported(1)
    columns = [f.column for f in Case._meta.local_concrete_fields if not f.generated]
    new = {
        "id": "id + n",
        "number": "'n' || n",
        "code": "'c' || n",
        "place": "'99010100' || (1 + n % 9) || lpad((n % 700)::text, 3, '0') || '001'",
        "created_at": "created_at - n * interval '1 hour'",
        "idempotency_key": "null",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into cases_case ({', '.join(columns)}) "
            f"select {', '.join(new.get(c, c) for c in columns)} from cases_case, generate_series(1, 15000) n"
        )
        cursor.execute("analyze cases_case")
        with CaptureQueriesContext(connection) as queries:
            told_of()
        cursor.execute(f"explain {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "case_place" in plan, plan
