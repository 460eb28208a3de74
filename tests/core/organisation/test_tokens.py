"""A key is shown once, works until it expires or is revoked, and only its fingerprint is kept."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from lucheng.core.errors import Invalid, NotFound
from lucheng.core.organisation import tokens
from lucheng.core.organisation.models import ApiToken, Person

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 3, 4, 10, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)


@pytest.fixture
def person() -> Person:
    return Person.objects.create_user("open311", None, name="Open311")


def test_a_key_stands_for_its_person(person: Person) -> None:
    token = tokens.issue(person, "bridge", NOW, NOW + YEAR)
    assert tokens.person_for(token, NOW) == person
    assert tokens.person_for(token + "x", NOW) is None
    assert tokens.person_for("", NOW) is None


def test_the_key_itself_is_not_kept(person: Person) -> None:
    token = tokens.issue(person, "bridge", NOW)
    kept = ApiToken.objects.get()
    assert bytes(kept.digest) == hashlib.sha256(token.encode()).digest()
    assert token not in str(vars(kept))
    assert len(token) > 40


def test_two_keys_differ(person: Person) -> None:
    assert tokens.issue(person, "one", NOW) != tokens.issue(person, "two", NOW)


def test_an_expired_key_is_nobodys_from_its_moment_on(person: Person) -> None:
    token = tokens.issue(person, "bridge", NOW, NOW + YEAR)
    assert tokens.person_for(token, NOW + YEAR - dt.timedelta(seconds=1)) == person
    assert tokens.person_for(token, NOW + YEAR) is None


def test_the_key_of_somebody_who_left_is_nobodys(person: Person) -> None:
    token = tokens.issue(person, "bridge", NOW)
    person.is_active = False
    person.save()
    assert tokens.person_for(token, NOW) is None


def test_a_revoked_key_is_nobodys(person: Person) -> None:
    token, other = tokens.issue(person, "bridge", NOW), tokens.issue(person, "other", NOW)
    tokens.revoke(person, "bridge")
    assert tokens.person_for(token, NOW) is None
    assert tokens.person_for(other, NOW) == person
    with pytest.raises(NotFound):
        tokens.revoke(person, "bridge")


def test_a_key_says_what_it_is_for_and_expires_in_the_future(person: Person) -> None:
    for label in ("", "  ", "x" * 61):
        with pytest.raises(Invalid):
            tokens.issue(person, label, NOW)
    with pytest.raises(Invalid):
        tokens.issue(person, "bridge", NOW, NOW)


def test_looking_a_key_up_takes_one_query(person: Person, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    token = tokens.issue(person, "bridge", NOW)
    with django_assert_num_queries(1):
        tokens.person_for(token, NOW)
