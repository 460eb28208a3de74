"""Every try to sign in leaves a row that says how it went; never what was typed, and for half a year only."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lucheng.core.organisation import factors, people, signing_in
from lucheng.core.organisation.models import Person, SignIn
from lucheng.postgresql import context
from tests.core.organisation.conftest import NOW
from tests.core.organisation.test_factors import second, with_app
from tests.core.organisation.test_signing_in import QUARTER, RIGHT, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def li(clock: list[dt.datetime]) -> Person:
    person = people.add_person("li", "李", RIGHT)
    people.own_password(person, RIGHT + "!")
    return person


def kept() -> list[tuple[str | None, str, str, str]]:
    """(User name, outcome, by, reason) of every row, the oldest first."""
    rows = SignIn.objects.order_by("pk")
    return list(rows.values_list("person__username", "outcome", "by", "reason"))


def test_who_comes_in_and_goes_out_is_kept_with_time_and_address(
    client: Client, li: Person, clock: list[dt.datetime]
) -> None:
    assert sign_in(client, "li", RIGHT + "!", REMOTE_ADDR="192.0.2.7") == ""
    clock[0] += dt.timedelta(minutes=5)
    client.post("/sign-out/", REMOTE_ADDR="192.0.2.7")
    assert kept() == [("li", "in", "password", ""), ("li", "out", "", "")]
    assert [r.at for r in SignIn.objects.order_by("pk")] == [NOW, clock[0]]
    assert set(SignIn.objects.values_list("address", flat=True)) == {"192.0.2.7"}
    client.post("/sign-out/")
    assert SignIn.objects.count() == 2  # nobody went


def test_a_wrong_password_is_kept_and_the_password_is_not(client: Client, li: Person) -> None:
    sign_in(client, "li", "correct horse battery")
    assert kept() == [("li", "refused", "password", "wrong")]
    assert "horse" not in str(list(SignIn.objects.values()))


def test_a_name_that_is_no_account_is_not_kept(client: Client, li: Person) -> None:
    """People type their password into the field of the name."""
    sign_in(client, "correct horse battery", "x")
    assert kept() == [(None, "refused", "password", "wrong")]
    assert "horse" not in str(list(SignIn.objects.values()))


def test_a_form_that_was_not_filled_in_is_no_try(client: Client, li: Person) -> None:
    sign_in(client, "li", "")
    assert kept() == []


def test_a_name_that_nobody_has_costs_as_many_statements_as_any_other(client: Client, li: Person) -> None:
    def statements(name: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            sign_in(client, name, "wrong")
        return len(seen)

    statements("nobody")
    assert statements("li") == statements("nobody")


def test_of_tries_while_a_name_is_locked_one_is_kept_for_each_address(
    client: Client, li: Person, clock: list[dt.datetime]
) -> None:
    for _n in range(8):
        sign_in(client, "li", "wrong")
    assert kept() == [("li", "refused", "password", "wrong")] * 5 + [("li", "refused", "password", "locked")]
    sign_in(client, "li", RIGHT + "!", REMOTE_ADDR="192.0.2.8")
    assert kept()[6:] == [("li", "refused", "password", "locked")]
    clock[0] += QUARTER
    for _n in range(6):
        sign_in(client, "li", "wrong")
    assert len(kept()) == 7 + 5 + 1


def test_why_the_right_password_does_not_open_is_kept(client: Client, clock: list[dt.datetime]) -> None:
    people.add_person("old", "旧", RIGHT)
    people.set_active(people.add_person("gone", "走", RIGHT), False, by=None)
    clock[0] += dt.timedelta(days=30)
    for name in ("old", "gone"):
        assert sign_in(client, name, RIGHT)
    assert kept() == [("old", "refused", "password", "old"), ("gone", "refused", "password", "closed")]


def test_the_second_factor_is_what_was_shown_last(client: Client, li: Person) -> None:
    secret, codes = with_app(li)
    assert sign_in(client, "li", RIGHT + "!") == ""
    assert kept() == [("li", "half", "password", "")]  # whoever has the password alone leaves a trace
    assert "wrong" in second(client, "000000")
    assert "wrong" in second(client, "abcd-efgh-jkmn")
    second(client, factors.code_at(secret, NOW))
    client.post("/sign-out/")
    sign_in(client, "li", RIGHT + "!")
    second(client, codes[0])
    assert kept()[1:] == [
        ("li", "refused", "app", "wrong"),
        ("li", "refused", "recovery", "wrong"),
        ("li", "in", "app", ""),
        ("li", "out", "", ""),
        ("li", "half", "password", ""),
        ("li", "in", "recovery", ""),
    ]


def test_a_session_that_ended_by_itself_is_kept_when_its_browser_comes_back(
    client: Client, li: Person, clock: list[dt.datetime]
) -> None:
    sign_in(client, "li", RIGHT + "!")
    clock[0] += dt.timedelta(minutes=31)
    for _n in range(2):
        client.get("/account/")
    assert kept()[1:] == [("li", "ended", "", "")]


def test_what_a_proxy_sends_that_is_no_address_is_not_kept(client: Client, li: Person) -> None:
    for sent in ("<script>", "fe80::1%" + "x" * 99):
        sign_in(client, "li", RIGHT + "!", REMOTE_ADDR=sent)
        client.logout()
    assert [r.address for r in SignIn.objects.order_by("pk")] == ["", "fe80::1"]


def test_after_six_months_rows_are_destroyed_and_not_before(li: Person) -> None:
    for month in range(1, 13):  # whatever six months they are
        then = dt.datetime(2026, month, 1, tzinfo=dt.UTC)
        later = dt.datetime(2026 + (month > 6), (month + 5) % 12 + 1, 1, tzinfo=dt.UTC)
        signing_in.note(SignIn.Outcome.IN, li, now=then)
        assert signing_in.forget_old(later - dt.timedelta(seconds=1)) == 0
        assert signing_in.forget_old(later + dt.timedelta(days=4)) == 1


def test_the_sweep_goes_on_until_nothing_is_left(li: Person) -> None:
    old = [SignIn(person=li, at=NOW - dt.timedelta(days=200), outcome="in") for _n in range(5)]
    SignIn.objects.bulk_create([*old, SignIn(person=li, at=NOW, outcome="in")])
    assert [signing_in.forget_old(NOW, 2) for _n in range(4)] == [2, 2, 1, 0]
    assert SignIn.objects.count() == 1


def test_inside_walls_nobody_sees_who_signed_in(client: Client, li: Person) -> None:
    with context.within(context.NOTHING):
        sign_in(client, "li", RIGHT + "!")
        assert not SignIn.objects.exists()
    assert SignIn.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({}, 3),
        ({"person": "li"}, 1),
        ({"person": "李"}, 1),
        ({"outcome": "refused"}, 2),
        ({"address": "192.0.2.1"}, 2),
        ({"since": NOW + dt.timedelta(seconds=1)}, 1),
        ({"until": NOW + dt.timedelta(seconds=1)}, 2),
        ({"person": "l"}, 0),
    ],
)
def test_they_are_found_by_account_outcome_address_and_days(
    li: Person, asked: dict[str, Any], fits: int
) -> None:
    signing_in.note(SignIn.Outcome.IN, li, now=NOW, address="192.0.2.1")
    signing_in.note(SignIn.Outcome.REFUSED, None, now=NOW, address="192.0.2.1", reason="wrong")
    signing_in.note(SignIn.Outcome.REFUSED, None, now=NOW + QUARTER, address="2001:db8::1", reason="wrong")
    assert len(signing_in.find(signing_in.Asked(**asked))) == fits
