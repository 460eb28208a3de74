"""Wrong passwords lock sign-in for a while: by name and by address, for every process, whoever the name belongs to."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from lucheng.core.limits.models import Tally
from lucheng.core.organisation import people, signing_in
from lucheng.core.organisation.models import Person
from tests.core.organisation.conftest import NOW

pytestmark = pytest.mark.django_db

QUARTER = dt.timedelta(minutes=15)
RIGHT = "eine lange Losung 7"


@pytest.fixture
def li() -> Person:
    return people.add_person("li", "李", RIGHT)


def sign_in(client: Client, name: str, password: str, language: str = "en", **extra: str) -> str:
    """What the page says; empty where it let them in."""
    answer = client.post(
        "/sign-in/", {"username": name, "password": password}, headers={"accept-language": language}, **extra
    )
    return "" if answer.status_code == 302 else answer.content.decode()


def test_after_five_wrong_passwords_even_the_right_one_waits_a_quarter_of_an_hour(
    client: Client, li: Person, clock: list[dt.datetime]
) -> None:
    for _n in range(5):
        assert "locked" not in sign_in(client, "li", "wrong")
    assert "Try again at 17:16." in sign_in(client, "li", RIGHT)
    assert "请于 17:16 后再试" in sign_in(client, "li", RIGHT, "zh-CN")
    clock[0] = NOW + QUARTER
    assert sign_in(client, "li", RIGHT) == ""


def test_a_right_password_begins_the_count_anew(client: Client, li: Person) -> None:
    for _round in range(3):
        for _n in range(4):
            sign_in(client, "li", "wrong")
        assert sign_in(client, "li", RIGHT) == ""
        client.logout()


def test_right_passwords_never_lock_the_address_of_an_office(
    client: Client, li: Person, settings: Any
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sign-in.address": (2, QUARTER)}
    for _n in range(4):
        assert sign_in(client, "li", RIGHT) == ""
        client.logout()


def test_a_name_nobody_has_is_answered_as_any_other(
    client: Client, li: Person, clock: list[dt.datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed: list[str] = []
    plain = Argon2PasswordHasher.encode

    def encode(self: Argon2PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return plain(self, password, salt)

    def verify(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        hashed.append(password)
        return False

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
    told: dict[str, list[tuple[bool, bool, int]]] = {}
    for name in ("li", "nobody"):
        told[name] = []
        for _n in range(7):
            hashed.clear()
            page = sign_in(client, name, "wrong")
            told[name].append(("case-sensitive" in page, "locked" in page, len(hashed)))
    assert told["li"] == told["nobody"] == [(True, False, 1)] * 5 + [(False, True, 0)] * 2


def test_many_names_from_one_address_lock_the_address_and_no_other(
    client: Client, li: Person, settings: Any
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sign-in.address": (3, QUARTER)}
    for n in range(3):
        sign_in(client, f"guess{n}", "wrong", REMOTE_ADDR="2001:db8::1")
    assert "locked" in sign_in(client, "li", RIGHT, REMOTE_ADDR="2001:db8::2")  # the same line
    assert sign_in(client, "li", RIGHT, REMOTE_ADDR="2001:db8:0:1::1") == ""


@pytest.mark.parametrize(("proxy", "locked"), [(("HTTP_X_FORWARDED_PROTO", "https"), True), (None, False)])
def test_the_address_is_what_a_trusted_proxy_added_last(
    client: Client,
    li: Person,
    settings: Any,
    proxy: tuple[str, str] | None,
    locked: bool,
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = proxy
    settings.LIMITS = {**settings.LIMITS, "sign-in.address": (2, QUARTER)}
    for n in range(2):
        sign_in(
            client,
            f"guess{n}",
            "wrong",
            REMOTE_ADDR=f"10.0.0.{n}",
            HTTP_X_FORWARDED_FOR=f"192.0.2.{n}, 198.51.100.7",
        )
    page = sign_in(
        client, "li", RIGHT, REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR="192.0.2.9, 198.51.100.7"
    )
    assert ("locked" in page) is locked


def test_a_new_password_ends_the_lock(client: Client, li: Person) -> None:
    for _n in range(6):
        page = sign_in(client, "li", "wrong")
    assert "locked" in page
    people.set_password(li, "une autre phrase 8", by=None)
    assert sign_in(client, "li", "une autre phrase 8") == ""


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_no_more_than_five_reach_the_password() -> None:
    ready = threading.Barrier(8)
    refused: list[bool] = []

    def run(n: int) -> None:
        try:
            ready.wait(10)
            refused.append(signing_in.begin("li", f"192.0.2.{n}", NOW) is not None)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(refused) == [False] * 5 + [True] * 3


def test_neither_name_nor_address_is_kept() -> None:
    signing_in.begin("li", "192.0.2.1", NOW)
    kept = [bytes(row.key) for row in Tally.objects.all()]
    assert [len(key) for key in kept] == [32, 32]
