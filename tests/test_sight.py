"""One predicate everywhere: for any posts of any role, lists, single looks, searches, look-alikes, figures, the
interface and the database show the same cases."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucheng.channels.api import auth
from lucheng.core.cases import queries, today
from lucheng.core.cases.models import Case
from lucheng.core.organisation import roles, walls
from lucheng.core.organisation.access import Scope, scope_of
from lucheng.core.organisation.capabilities import KEEPERS
from lucheng.core.organisation.models import Interest, Person, Post, Role
from lucheng.core.triage import lookalikes
from lucheng.postgresql import context
from tests import factories
from tests.factories import CITY, COMMUNITY, EAST, GRID, HEATING, LAMP, SUMU, WEST, City

PLACES = [CITY, WEST, EAST, COMMUNITY, GRID, SUMU + "001001"]
ROLES = [r["code"] for r in tomllib.loads(roles.NATIONAL.read_text(encoding="utf-8"))["role"]]
WORDS = "小区门口的路灯不亮，晚上很黑"


@pytest.fixture
def cases(city: City) -> list[Case]:
    """Open cases of today, of every place, unit, secrecy, accusation, keeper and author that a post can tell apart."""
    now, made = timezone.now(), []
    units = [city.units[u].pk for u in ("utilities", "heating", "street")]
    for i in range(24):
        case = factories.received(
            now, place=[GRID, SUMU + "001001", COMMUNITY, WEST][i % 4], confidential=i % 5 == 0, content=WORDS
        )
        case.matter = ["", LAMP, HEATING][i % 3]
        case.units = [units[j] for j in range(3) if i >> j & 1]
        case.accused_unit_id = units[i % 3] if i % 4 == 1 else None
        case.kept_by = KEEPERS[0] if i % 8 == 6 else ""
        case.save()
        made.append(case)
    return made


posts = st.lists(
    st.tuples(
        st.sampled_from(PLACES),
        st.sampled_from(["utilities", "heating", "street", "west", "hotline"]),
        st.sampled_from([(), (), ("01",), (HEATING,)]),
    ),
    min_size=1,
    max_size=2,
)


def hold(person: Person, role: str, drawn: list[Any], interest: str, city: City) -> Scope:
    Post.objects.filter(person=person).delete()
    Interest.objects.filter(person=person).delete()
    for place, unit, domains in drawn:
        post = factories.post(person, role, place, city.units[unit])
        post.domains = list(domains)
        post.save()
    if interest:
        Interest.objects.create(person=person, unit=city.units[interest])
    return scope_of(person)


def _numbers(page: Any) -> set[str]:
    """The orders to which a page leads."""
    return set(re.findall(r"/cases/(\d{10,})/", page.content.decode()))


@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=posts, interest=st.sampled_from(["", "utilities"]), author=st.booleans())
def test_whatever_is_asked_the_same_cases_are_shown(
    cases: list[Case], city: City, role: str, drawn: list[Any], interest: str, author: bool
) -> None:
    person = Person.objects.filter(username="drawn").first() or Person.objects.create_user("drawn", name="某")
    Case.objects.filter(pk__in=[c.pk for c in cases[::6]]).update(intake_by=person if author else None)
    scope = hold(person, role, drawn, interest, city)
    now = timezone.now()
    for case in cases:
        case.refresh_from_db()
    allowed = {c.number for c in cases if scope.allows("case.view", c)}

    with context.within(walls.of(scope)):
        assert set(Case.objects.values_list("number", flat=True)) == allowed
    assert set(queries.visible(scope).values_list("number", flat=True)) == allowed
    alike = lookalikes.find(WORDS, "", None, None, scope_q=scope.q("case.view"), now=now, limit=50)
    assert {a.number for a in alike} <= allowed

    auth.forget()
    api = Client(
        headers={"authorization": f"Bearer {factories.key(person, now)}", "accept-language": "zh-CN"}
    )
    found = api.get("/api/v1/cases?limit=100")
    if not scope.sees_cases():
        assert found.status_code == 403 and not allowed
    else:
        assert {c["number"] for c in found.json()["cases"]} == allowed
        assert found.json()["count"] == len(allowed)
        for name, count in queries.queue_counts(scope, now).items():
            assert count == queries.visible(scope).filter(queries.queue(name, now)).count()
    for case in cases[::3]:
        seen = case.number in allowed
        assert api.get(f"/api/v1/cases/{case.number}").status_code == (
            200 if seen else 404 if scope.sees_cases() else 403
        )
        if scope.sees_cases():
            assert api.get(f"/api/v1/cases?number={case.number}").json()["count"] == int(seen)

    browser = Client(headers={"accept-language": "zh-CN"})
    browser.force_login(person)
    for address in ("/board/", "/board/?all=1", "/unit/", "/callbacks/", "/supervised/", "/messages/"):
        assert _numbers(browser.get(address)) <= allowed
    board = browser.get("/board/?all=1")
    if board.status_code == 200:
        assert _numbers(board) == allowed
    for case in cases[::6]:
        opened = browser.get(f"/cases/{case.number}/")
        assert (opened.status_code == 200) == (case.number in allowed)
    if today.may_read(scope):
        with context.within(walls.of(scope)):
            figures = {n.figure: n.count for n in today.reckon(scope, now).numbers}
        assert figures[today.Figure.RECEIVED] == len(allowed)


def test_the_roles_are_those_of_the_catalogue(city: City) -> None:
    """So that a role that is added later is drawn too."""
    assert set(ROLES) == set(Role.objects.values_list("code", flat=True))
