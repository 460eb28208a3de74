"""The second factor: codes that open once, recovery codes, who must have one, and who may take it away."""

from __future__ import annotations

import datetime as dt
import re
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from lucheng.core.cases.models import State
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.ledger import acts
from lucheng.core.organisation import factors, people, sessions
from lucheng.core.organisation.models import AuthenticatorApp, Passkey, Person, RecoveryCode
from lucheng.core.privacy import rotation, sealing
from tests import factories
from tests.core.organisation.conftest import NOW

pytestmark = pytest.mark.django_db

STEP = dt.timedelta(seconds=30)
WORD = "eine lange Losung 7"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def keeper(city: factories.City, clock: list[dt.datetime]) -> Person:
    """A system administrator with a password of their own, and no second factor."""
    return with_password(city.people["administrator"])


def with_password(person: Person) -> Person:
    person.set_password(WORD)
    person.save(update_fields=["password"])
    return person


def with_app(person: Person, now: dt.datetime = NOW) -> tuple[str, list[str]]:
    """Give somebody an app two steps ago; its secret, and their recovery codes."""
    sealed = factors.new_secret(person)
    secret = factors.readable(person, sealed)
    before = now - 2 * STEP
    return secret, factors.add_app(person, sealed, factors.code_at(secret, before), before)


def sign_in(client: Client, name: str, going: str = "") -> str:
    answer = client.post("/sign-in/", {"username": name, "password": WORD, "next": going}, headers=ENGLISH)
    return answer["Location"] if answer.status_code == 302 else answer.content.decode()


def second(client: Client, code: str) -> str:
    answer = client.post("/sign-in/second/", {"code": code}, headers=ENGLISH)
    return answer["Location"] if answer.status_code == 302 else answer.content.decode()


# --- codes ----------------------------------------------------------------------------------------------------------


def test_codes_are_those_of_the_standard(keeper: Person) -> None:
    # RFC 6238, appendix B: the last six digits of its eight.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert factors.code_at(secret, dt.datetime.fromtimestamp(seconds, dt.UTC)) == code


def test_a_code_opens_once_and_one_before_it_never_again(keeper: Person) -> None:
    secret, _codes = with_app(keeper)
    assert factors.check_code(keeper, factors.code_at(secret, NOW), NOW)
    assert not factors.check_code(keeper, factors.code_at(secret, NOW), NOW)
    assert not factors.check_code(keeper, factors.code_at(secret, NOW - STEP), NOW)
    assert factors.check_code(keeper, factors.code_at(secret, NOW + STEP), NOW)
    assert not factors.check_code(keeper, factors.code_at(secret, NOW + 3 * STEP), NOW + STEP)


@pytest.mark.django_db(transaction=True)
def test_of_two_with_the_same_code_at_the_same_moment_one_gets_in() -> None:
    person = people.add_person("li", "李")
    secret, _codes = with_app(person)
    code, opened = factors.code_at(secret, NOW), []

    def use() -> None:
        opened.append(factors.check_code(person, code, NOW))
        connection.close()

    both = [threading.Thread(target=use) for _n in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(opened) == [False, True]


def test_the_secret_is_sealed_and_opens_for_nobody_else(keeper: Person, city: factories.City) -> None:
    secret, _codes = with_app(keeper)
    kept = bytes(AuthenticatorApp.objects.get(person=keeper).secret)
    assert secret.encode() not in kept
    with pytest.raises(sealing.SealError):
        sealing.unseal(kept, f"totp/{city.people['auditor'].pk}")


def test_a_new_sealing_key_takes_the_secrets_of_apps_along(keeper: Person, tmp_path: Path) -> None:
    with override_settings(HOME=tmp_path):
        secret, _codes = with_app(keeper)
        assert [key for _suite, key in rotation.tally()] == [1]
        rotation.new_key()
        rotation.reseal()
        assert [key for _suite, key in rotation.tally()] == [2]
        assert factors.check_code(keeper, factors.code_at(secret, NOW), NOW)


def test_recovery_codes_open_once_each_and_new_ones_replace_them(keeper: Person) -> None:
    _secret, codes = with_app(keeper)
    assert len(set(codes)) == 10
    assert factors.check_code(keeper, codes[0].upper().replace("-", " "), NOW)
    assert not factors.check_code(keeper, codes[0], NOW)
    assert codes[1].encode() not in b"".join(bytes(c.digest) for c in RecoveryCode.objects.all())
    fresh = factors.new_codes(keeper)
    assert not factors.check_code(keeper, codes[1], NOW)
    assert factors.check_code(keeper, fresh[1], NOW)


# --- signing in -----------------------------------------------------------------------------------------------------


def test_with_a_second_factor_the_password_alone_opens_nothing(
    client: Client, keeper: Person, clock: list[dt.datetime]
) -> None:
    secret, _codes = with_app(keeper)
    assert sign_in(client, "administrator", "/admin/people/") == "/sign-in/second/"
    assert client.get("/admin/people/").status_code == 302
    assert "code is wrong" in second(client, "000000")
    assert second(client, factors.code_at(secret, NOW)) == "/admin/people/"
    assert client.get("/admin/people/").status_code == 200
    other = Client()
    sign_in(other, "administrator")
    assert "code is wrong" in second(other, factors.code_at(secret, NOW))


def test_guessing_at_codes_locks_like_guessing_at_passwords(client: Client, keeper: Person) -> None:
    secret, _codes = with_app(keeper)
    sign_in(client, "administrator")
    for _n in range(4):
        assert "code is wrong" in second(client, "000000")
    assert "locked" in second(client, factors.code_at(secret, NOW))
    # The right password does not begin the count anew: it was only half of what is asked.
    assert "locked" in sign_in(Client(), "administrator")


def test_the_second_step_ends_after_ten_minutes_and_with_a_new_password(
    client: Client, keeper: Person, clock: list[dt.datetime]
) -> None:
    with_app(keeper)
    sign_in(client, "administrator")
    people.set_password(keeper, "wieder eine andere 9", by=None)
    assert second(client, "000000") == "/sign-in/"
    with_password(keeper)
    Person.objects.filter(pk=keeper.pk).update(password_given_at=None)
    sign_in(client, "administrator")
    clock[0] += dt.timedelta(minutes=11)
    assert second(client, "000000") == "/sign-in/"
    assert Client().get("/sign-in/second/")["Location"] == "/sign-in/"


# --- compulsory for administrators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["administrator", "auditor", "privacy"])
def test_until_an_administrator_has_a_second_factor_only_its_pages_open(
    client: Client, city: factories.City, clock: list[dt.datetime], name: str
) -> None:
    if name == "privacy":
        city.people[name] = factories.person("privacy", "data_protection_officer", factories.CITY)
    with_password(city.people[name])
    assert sign_in(client, name, "/admin/") == "/account/second/?next=%2Fadmin%2F"
    for address in ("/admin/", "/account/", "/account/second/codes/", "/knowledge/"):
        led = client.get(address, follow=True).redirect_chain
        assert led[-1][0].startswith("/account/second/"), address
    assert client.get("/api/v1/cases").status_code == 401
    page = client.get("/account/second/app/?next=/account/", headers=ENGLISH).content.decode()
    letters = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert letters is not None
    code = factors.code_at(letters[1].replace(" ", ""), NOW)
    wrong = client.post("/account/second/app/", {"code": "000000", "current": WORD}, headers=ENGLISH)
    assert wrong.status_code == 422 and "not the code" in wrong.content.decode()
    stranger = client.post("/account/second/app/", {"code": code, "current": "x"}, headers=ENGLISH)
    assert stranger.status_code == 422 and "not your password" in stranger.content.decode()
    made = client.post(
        "/account/second/app/?next=/account/", {"code": code, "current": WORD}, headers=ENGLISH
    )
    assert made.status_code == 200 and made.content.decode().count("<li><code>") == 10
    assert 'href="/account/"' in made.content.decode() and "no-store" in made["Cache-Control"]
    assert client.get("/account/").status_code == 200


def test_a_role_that_is_given_the_right_asks_from_the_next_page_on(
    client: Client, city: factories.City, clock: list[dt.datetime]
) -> None:
    with_password(city.people["operator"])
    sign_in(client, "operator")
    assert client.get("/desk/").status_code == 200
    city.people["operator"].posts.all().delete()
    factories.post(city.people["operator"], "auditor", factories.CITY)
    assert client.get("/account/").status_code == 302


def test_setting_one_up_ends_the_sessions_that_began_without(client: Client, keeper: Person) -> None:
    other = Client()
    for browser in (client, other):
        sign_in(browser, "administrator")
        assert browser.get("/account/second/").status_code == 200
    with_app(keeper)
    assert other.get("/account/second/").status_code == 302


def test_accounts_of_the_demo_are_spared_and_are_told(client: Client, keeper: Person) -> None:
    Person.objects.filter(pk=keeper.pk).update(for_show=True)
    assert sign_in(client, "administrator") == "/admin/"
    assert "In the demo city an administrator" in client.get("/admin/", headers=ENGLISH).content.decode()


# --- taking away ----------------------------------------------------------------------------------------------------


def test_an_administrator_takes_a_lost_factor_away_and_it_is_their_act(
    keeper: Person, city: factories.City
) -> None:
    auditor = with_password(city.people["auditor"])
    with_app(auditor)
    browser = factories.client(city, "auditor")
    desk = factories.client(city, "administrator")
    assert desk.post(f"/admin/people/{auditor.pk}/factor/").status_code == 302
    act = acts.last()
    assert act is not None
    assert (act.person, act.action, act.name) == (keeper, "factor_reset", "auditor")
    assert not factors.held(auditor) and not RecoveryCode.objects.exists()
    assert browser.get("/account/").status_code == 302
    assert desk.post(f"/admin/people/{auditor.pk}/factor/").status_code == 409


def test_nobody_takes_their_own_away_as_administrator(keeper: Person, city: factories.City) -> None:
    with_app(keeper)
    answer = factories.client(city, "administrator").post(f"/admin/people/{keeper.pk}/factor/")
    assert answer.status_code == 403 and factors.held(keeper)


def test_one_administrator_never_has_both_password_and_factor_of_somebody(
    keeper: Person, city: factories.City, client: Client
) -> None:
    auditor, other = city.people["auditor"], factories.person("zhou", "administrator", factories.CITY)
    with_app(auditor)
    people.set_password(auditor, "noch eine andere 8", by=keeper)
    with pytest.raises(Forbidden):
        factors.reset(auditor, by=keeper)
    factors.reset(auditor, by=other)
    with pytest.raises(Forbidden):
        people.set_password(auditor, WORD, by=other)
    auditor.refresh_from_db()
    people.own_password(auditor, WORD)
    sign_in(client, "auditor")
    people.set_password(auditor, "noch eine andere 8", by=other)  # they have signed in since, by themselves


def test_ones_own_factor_is_removed_with_the_password(client: Client, city: factories.City) -> None:
    operator = with_password(city.people["operator"])
    client.force_login(operator)
    now = timezone.now()
    with_app(operator, now)
    client.force_login(Person.objects.get(pk=operator.pk))
    assert client.post("/account/second/remove/app/", {"current": "x"}).status_code == 422
    assert client.post("/account/second/remove/passkey-1/", {"current": WORD}).status_code == 404
    assert client.post("/account/second/remove/app/", {"current": WORD}).status_code == 302
    assert not factors.held(operator) and not RecoveryCode.objects.exists()
    with pytest.raises(Conflict):
        factors.reset(operator, by=None)


@pytest.mark.parametrize("answer", [{}, {"id": "x"}, {"rawId": 5, "response": []}])
def test_an_answer_that_is_no_passkey_is_refused_in_words(keeper: Person, answer: dict[str, object]) -> None:
    origin = "https://lucheng.example"
    _options, state = factors.begin_passkey(keeper, origin)
    with pytest.raises(Invalid):
        factors.add_passkey(keeper, origin, state, answer, "钥匙", NOW)
    with pytest.raises(Invalid):
        factors.add_passkey(keeper, origin, None, answer, "钥匙", NOW)
    _options, state = factors.ask_passkey(keeper, origin)
    assert not factors.check_passkey(keeper, origin, state, answer, NOW)
    assert not Passkey.objects.exists()


def test_who_needs_no_second_factor_sees_their_orders_with_a_password_alone(city: factories.City) -> None:
    """In the database too: what is asked before somebody may begin must not leave it without their scope."""
    case = factories.case_in(State.SIGNED, city)
    person = with_password(city.people["handler"])
    browser = Client(headers={"accept-language": "zh-CN"})
    answer = browser.post("/sign-in/", {"username": person.username, "password": WORD})
    assert answer.status_code == 302
    assert not sessions.proven(browser.session)
    assert browser.get(f"/unit/cases/{case.number}/").status_code == 200
