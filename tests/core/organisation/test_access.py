"""One predicate in two forms: what a list shows is what a single look allows, for any posts and any rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucheng.core.cases import intake, queries
from lucheng.core.cases.models import Case, State
from lucheng.core.fields import after
from lucheng.core.organisation.access import NOBODY, Grant, Scope, scope_of
from lucheng.core.organisation.capabilities import KEEPERS
from tests.factories import (
    COMMUNITY,
    EAST,
    GRID,
    NOW,
    SUMU,
    WEST,
    City,
    case_in,
    city,
    person,
    post,
    received,
)

PLACES = ["9901", WEST, EAST, COMMUNITY, GRID, SUMU + "001001", "99010"]
MATTERS = ["", "01", "0102", "010201", "030101"]


grants = st.builds(
    Grant,
    role=st.just("handler"),
    reach=st.sampled_from(["place", "unit", "none"]),
    capabilities=st.frozensets(st.sampled_from(["case.view", "case.sign", "case.confidential", *KEEPERS])),
    place=st.sampled_from(PLACES),
    units=st.lists(st.integers(1, 3), max_size=2, unique=True).map(tuple),
    domains=st.lists(st.sampled_from(MATTERS[1:]), max_size=2, unique=True).map(tuple),
)
scopes = st.builds(
    Scope,
    person_id=st.sampled_from([1, None]),
    grants=st.lists(grants, max_size=3).map(tuple),
    recused=st.frozensets(st.integers(1, 3), max_size=2),
)


@pytest.fixture
def rows(db: None) -> list[Case]:
    """Cases of every shape, with their units and accusations set by hand: only the predicate looks at them."""
    made = city()
    units = [made.units[u].pk for u in ("utilities", "heating", "lighting")]
    found = []
    for i in range(36):
        case = received(place=[GRID, SUMU + "001001", COMMUNITY][i % 3], confidential=i % 5 == 0)
        case.matter = MATTERS[i % len(MATTERS)]
        case.units = [units[j] for j in range(3) if i >> j & 1]
        case.accused_unit_id = units[i % 3] if i % 4 == 0 else None
        case.intake_by = made.people["handler"] if i % 7 == 0 else None
        case.kept_by = KEEPERS[0] if i % 6 == 2 else ""
        case.save()
        found.append(case)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes, capability=st.sampled_from(["case.view", "case.sign", "contact.reveal", *KEEPERS]))
def test_a_list_shows_exactly_what_a_single_look_allows(
    rows: list[Case], scope: Scope, capability: str
) -> None:
    units = sorted({u for c in rows for u in c.units})
    # hypothesis draws units 1 to 3; here they stand for the three units of the fixture
    real = {n: units[n - 1] for n in (1, 2, 3)}
    author = next(c.intake_by_id for c in rows if c.intake_by_id is not None)
    scope = Scope(
        person_id=author if scope.person_id else None,
        grants=tuple(
            Grant(g.role, g.reach, g.capabilities, g.place, tuple(real[u] for u in g.units), g.domains)
            for g in scope.grants
        ),
        recused=frozenset(real[u] for u in scope.recused),
    )
    listed = set(queries.visible(scope, capability).values_list("pk", flat=True))
    allowed = {c.pk for c in rows if scope.allows(capability, c)}
    assert listed == allowed


@given(st.sampled_from(PLACES), st.text("0123456789", max_size=15))
def test_a_prefix_is_a_range(prefix: str, code: str) -> None:
    assert code.startswith(prefix) == (prefix <= code < after(prefix))


def test_nobody_sees_nothing(city_: City) -> None:
    received()
    assert not queries.visible(NOBODY).exists()


def test_a_post_that_has_ended_gives_nothing(city_: City) -> None:
    received()
    leaver = person("leaver", "dispatcher", "9901", city_.units["hotline"])
    assert queries.visible(scope_of(leaver)).exists()
    leaver.posts.update(valid_to="2021-01-01")
    assert not queries.visible(scope_of(leaver)).exists()


def test_a_dispatcher_of_one_county_does_not_see_the_other(city_: City) -> None:
    here, there = received(), received(place=SUMU + "001001")
    assert list(queries.visible(city_.scope("west_dispatcher"))) == [here]
    assert list(queries.visible(city_.scope("east_dispatcher"))) == [there]


def test_a_handler_sees_what_the_unit_leads_or_assists_and_nothing_else(city_: City) -> None:
    case = case_in(State.DISPATCHED, city_)
    received()
    assert list(queries.visible(city_.scope("handler"))) == [case]
    assert list(queries.visible(city_.scope("helper"))) == [case]
    assert not queries.visible(city_.scope("stoker")).exists()


def test_an_administrator_reads_no_case(city_: City) -> None:
    received()
    assert not queries.visible(city_.scope("administrator")).exists()


def test_someone_in_the_line_of_the_unit_complained_of_does_not_see_the_complaint(city_: City) -> None:
    below = city_.units["lighting"]
    below.parent = city_.units["utilities"]
    below.save()
    post(city_.people["helper"], "dispatcher", "9901", below)
    case = received(accused_unit=city_.units["utilities"].pk)
    assert not city_.scope("helper").allows("case.view", case)
    assert city_.scope("dispatcher").allows("case.view", case)


def test_one_person_may_hold_several_posts_and_acts_in_the_role_that_allows(city_: City) -> None:
    post(city_.people["handler"], "dispatcher", EAST, city_.units["east"])
    case = received(place=SUMU + "001001")
    assert city_.scope("handler").role_for("case.dispatch", case) == "dispatcher"
    assert city_.scope("handler").role_for("case.sign", case) is None


def test_compiling_a_scope_asks_as_much_for_one_post_as_for_twenty(city_: City) -> None:
    one = person("one", "handler", WEST, city_.units["street"])
    many = person("many", "handler", WEST, city_.units["street"])
    for _ in range(20):
        post(many, "handler", WEST, city_.units["utilities"])

    def asked(who: object) -> int:
        with CaptureQueriesContext(connection) as queries_:
            scope_of(who)  # type: ignore[arg-type]
        return len(queries_)

    assert asked(one) == asked(many)


def test_a_list_asks_as_much_for_one_row_as_for_a_hundred(city_: City) -> None:
    scope = city_.scope("dispatcher")
    wanted = queries.Filter()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries_:
            list(queries.listed(scope, wanted, NOW)[:50])
            queries.count(queries.listed(scope, wanted, NOW))
            queries.queue_counts(scope, NOW)
        return len(queries_)

    received()
    first = asked()
    for _ in range(99):
        received()
    assert asked() == first == 4


@pytest.fixture
def city_(db: None) -> City:
    return city()


def test_a_grid_worker_follows_their_own_finding_and_no_more_than_follows(city_: City) -> None:
    worker = city_.people["grid_worker"]
    made = intake.create(
        intake.NewCase(
            kind="grids.finding", nature="finding", content="井盖松动", channel="grid", place=GRID
        ),
        actor=worker,
        role="grid_worker",
        now=NOW,
    )
    case = Case.objects.get(pk=made.id)
    other = received()
    scope = city_.scope("grid_worker")
    assert scope.allows("case.view", case)
    assert not scope.allows("case.view", other)
    assert not scope.allows("case.sign", case)
    assert not scope.allows("case.handle", case)
    assert list(queries.visible(scope)) == [case]
