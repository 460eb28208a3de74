"""People get posts from others, never rights that must be apart, and a post is ended rather than deleted."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import translation

from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.organisation import people, roles
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person, Post, Role, Unit
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 3, 4)
TOMORROW = DAY + dt.timedelta(days=1)


@pytest.fixture
def units() -> dict[str, Unit]:
    roles.load()
    return city.lay_out()


def person(username: str = "li") -> Person:
    return Person.objects.create_user(username, None, name=username.title())


def role(code: str) -> Role:
    return Role.objects.get(code=code)


def test_a_person_signs_in_with_the_password_given() -> None:
    added = people.add_person("zhao.min", "赵敏", "correct horse battery")
    assert added.check_password("correct horse battery")
    assert not people.add_person("nobody", "无名").has_usable_password()


@pytest.mark.parametrize(
    ("username", "name", "password", "field"),
    [
        ("", "赵敏", None, "username"),
        ("zhao min", "赵敏", None, "username"),
        ("x" * 61, "赵敏", None, "username"),
        ("taken", "赵敏", None, "username"),
        ("zhao", " ", None, "name"),
        ("zhao", "赵敏", "12345678", "password"),
        ("zhao", "赵敏", "short", "password"),
    ],
)
def test_what_is_wrong_with_a_person_is_said_at_its_field(
    username: str, name: str, password: str | None, field: str
) -> None:
    person("taken")
    with pytest.raises(Invalid) as refused:
        people.add_person(username, name, password)
    assert list(refused.value.fields) == [field]
    assert Person.objects.count() == 1


def test_a_post_allows_from_its_first_day_to_the_day_before_its_last(units: dict[str, Unit]) -> None:
    li = person()
    people.add_post(li, role("dispatcher"), "150203", None, DAY, by=None, until=TOMORROW)
    assert not scope_of(li, DAY - dt.timedelta(days=1)).can("case.dispatch")
    assert scope_of(li, DAY).can("case.dispatch")
    assert not scope_of(li, TOMORROW).can("case.dispatch")


def test_what_is_wrong_with_a_post_is_said_at_its_field(units: dict[str, Unit]) -> None:
    units["urban"].active = False
    li = person()
    for field, attempt in {
        "place": lambda: people.add_post(li, role("dispatcher"), "159999", None, DAY, by=None),
        "unit": lambda: people.add_post(li, role("handler"), "1502", None, DAY, by=None),
        "until": lambda: people.add_post(li, role("dispatcher"), "1502", None, DAY, by=None, until=DAY),
        "role": lambda: people.add_post(li, Role(code="x", capabilities=["fly"]), "1502", None, DAY, by=None),
    }.items():
        with pytest.raises(Invalid) as refused:
            attempt()
        assert list(refused.value.fields) == [field]
    with pytest.raises(Invalid):
        people.add_post(li, role("handler"), "1502", units["urban"], DAY, by=None)
    assert not Post.objects.exists()


def test_nobody_gives_a_post_to_themselves(units: dict[str, Unit]) -> None:
    li = person()
    with pytest.raises(Forbidden):
        people.add_post(li, role("dispatcher"), "1502", None, DAY, by=li)
    people.add_post(li, role("dispatcher"), "1502", None, DAY, by=person("other"))


def test_one_person_never_holds_two_of_the_three_administrators_posts(units: dict[str, Unit]) -> None:
    li = person()
    people.add_post(li, role("administrator"), "1502", None, DAY, by=None)
    for second in ("auditor", "data_protection_officer", "dispatcher"):
        with pytest.raises(Invalid) as refused, translation.override("en"):
            people.add_post(li, role(second), "1502", None, TOMORROW, by=None)
        assert list(refused.value.fields) == ["role"]


def test_posts_that_do_not_overlap_may_be_apart(units: dict[str, Unit]) -> None:
    li = person()
    people.add_post(li, role("administrator"), "1502", None, DAY, by=None, until=TOMORROW)
    people.add_post(li, role("dispatcher"), "1502", None, TOMORROW, by=None)
    people.add_post(li, role("auditor"), "1502", None, dt.date(2020, 1, 1), by=None, until=DAY)
    assert Post.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_posts_given_at_once_cannot_slip_past_the_separation() -> None:
    roles.load()
    city.lay_out()
    li = person()
    ready = threading.Barrier(2)
    outcomes: list[str] = []

    def run(code: str) -> None:
        try:
            ready.wait(10)
            people.add_post(li, role(code), "1502", None, DAY, by=None)
            outcomes.append("given")
        except Invalid:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[code]) for code in ("administrator", "auditor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["given", "refused"]
    assert Post.objects.count() == 1


def test_an_ended_post_stays_readable_and_one_not_begun_is_taken_back(units: dict[str, Unit]) -> None:
    li = person()
    held = people.add_post(li, role("dispatcher"), "1502", None, dt.date(2020, 1, 1), by=None)
    planned = people.add_post(li, role("operator"), "1502", None, TOMORROW, by=None)
    assert people.end_post(held, DAY).valid_to == DAY
    people.end_post(planned, DAY)
    assert list(Post.objects.all()) == [held]
    assert not scope_of(li, DAY).can("case.dispatch")
    with pytest.raises(Conflict):
        people.end_post(held, DAY)
