"""A password that somebody else gave is replaced before anything else, and soon; the demo alone is spared."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.errors import Invalid
from lucheng.core.organisation import people
from lucheng.core.organisation.models import Person, Post
from tests import factories

pytestmark = pytest.mark.django_db

GIVEN, OWN = "eine lange Losung 7", "noch eine andere 8"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def li(city: factories.City) -> Person:
    """A dispatcher who has just been added by somebody else."""
    person = people.add_person("li", "李", GIVEN)
    Post.objects.create(person=person, role_id="dispatcher", place=factories.CITY, valid_from=factories.SINCE)
    return person


def sign_in(client: Client, password: str = GIVEN, going: str = "") -> str:
    """Where it leads; empty where it does not let them in."""
    answer = client.post(
        "/sign-in/", {"username": "li", "password": password, "next": going}, headers=ENGLISH
    )
    return answer["Location"] if answer.status_code == 302 else ""


def set_own(client: Client, password: str = OWN, again: str = "", **more: str) -> tuple[int, str]:
    data = {"password": password, "again": again or password, **more}
    answer = client.post("/account/password/?next=/board/%3Fqueue%3Dnew", data, headers=ENGLISH)
    return answer.status_code, answer.get("Location", answer.content.decode())


def test_a_first_password_leads_to_a_page_for_ones_own_and_from_there_to_where_one_wanted(
    client: Client, li: Person
) -> None:
    assert sign_in(client, going="/board/?queue=new") == "/account/password/?next=%2Fboard%2F%3Fqueue%3Dnew"
    page = client.get("/account/password/", headers=ENGLISH).content.decode()
    assert "Somebody else gave you the password" in page
    assert 'name="current"' not in page and "<nav" not in page
    assert set_own(client) == (302, "/board/?queue=new")
    assert client.get("/board/").status_code == 200
    assert sign_in(Client(), GIVEN) == ""
    assert sign_in(Client(), OWN) == "/board/"


@pytest.mark.parametrize("address", ["/board/", "/account/", "/cases/1/", "/admin/", "/knowledge/"])
def test_until_then_every_page_leads_there(client: Client, li: Person, address: str) -> None:
    sign_in(client)
    answer = client.get(address, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/account/password/")


def test_until_then_the_interface_and_the_desk_know_nobody(client: Client, li: Person) -> None:
    sign_in(client)
    assert client.get("/api/v1/cases").status_code == 401
    assert client.post("/desk/draft/").status_code == 401
    assert client.post("/board/dispatch/", {"key": "x"}).status_code == 302
    assert li.name not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        (OWN, OWN + "x", "not the same"),
        (GIVEN, GIVEN, "Choose another one"),
        ("12345", "12345", "too short"),
        ("password1234", "password1234", "too common"),
        ("", "", "error-list"),
    ],
)
def test_a_password_that_does_not_do_is_refused_at_its_field_and_opens_nothing(
    client: Client, li: Person, password: str, again: str, words: str
) -> None:
    sign_in(client)
    status, page = set_own(client, password, again)
    assert status == 422 and words in page
    assert client.get("/board/").status_code == 302


def test_a_first_password_that_lay_too_long_opens_nothing_until_a_new_one_is_given(
    client: Client, li: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: begun + dt.timedelta(days=7, seconds=1))
    answer = client.post("/sign-in/", {"username": "li", "password": GIVEN}, headers=ENGLISH)
    assert "This first password is too old" in answer.content.decode()
    wrong = client.post("/sign-in/", {"username": "li", "password": "wrong"}, headers=ENGLISH)
    assert "too old" not in wrong.content.decode()
    people.set_password(li, "wieder eine andere 9", by=None)
    assert sign_in(client, "wieder eine andere 9").startswith("/account/password/")


def test_ones_own_password_is_changed_by_whoever_knows_it_and_ends_the_other_sessions(
    client: Client, li: Person
) -> None:
    people.own_password(li, OWN)
    other = Client()
    assert sign_in(client, OWN) == sign_in(other, OWN) == "/board/"
    status, page = set_own(client, "die dritte Losung 9", current="wrong")
    assert status == 422 and "This is not your password" in page
    assert set_own(client, "die dritte Losung 9", current=OWN)[0] == 302
    assert client.get("/board/").status_code == 200
    assert other.get("/board/").status_code == 302


def test_guessing_at_the_old_password_in_an_open_session_locks_like_signing_in(
    client: Client, li: Person
) -> None:
    people.own_password(li, OWN)
    sign_in(client, OWN)
    for _n in range(5):
        set_own(client, "die dritte Losung 9", current="wrong")
    status, page = set_own(client, "die dritte Losung 9", current=OWN)
    assert status == 422 and "locked" in page
    li.refresh_from_db()
    assert li.check_password(OWN)


def test_a_first_password_given_anew_ends_sessions_and_is_to_be_replaced_again(
    client: Client, li: Person
) -> None:
    people.own_password(li, OWN)
    sign_in(client, OWN)
    people.set_password(li, GIVEN, by=None)
    assert client.get("/board/").status_code == 302
    assert sign_in(client).startswith("/account/password/")


def test_whoever_has_no_password_of_anybody_has_none_to_replace(city: factories.City) -> None:
    assert people.add_person("gateway", "网关").password_given_at is None
    with pytest.raises(Invalid):
        people.own_password(city.people["operator"], "12345")


def test_a_new_installation_has_no_account_and_no_password(db: None) -> None:
    assert not Person.objects.exists()
