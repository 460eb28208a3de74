"""A member of staff stays signed in while they work, for a working day at most; a resident's session is left alone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lucheng.core.organisation import people
from tests import factories
from tests.core.organisation.conftest import NOW

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
BOARD = "/board/"


@pytest.fixture
def dispatcher(clock: list[dt.datetime], city: factories.City, client: Client) -> Client:
    client.force_login(city.people["dispatcher"])
    return client


def works(client: Client, address: str = BOARD, **headers: str) -> bool:
    return client.get(address, headers=headers).status_code == 200


def test_half_an_hour_without_a_request_ends_the_session_and_a_minute_less_does_not(
    dispatcher: Client, clock: list[dt.datetime]
) -> None:
    clock[0] += 29 * MINUTE
    assert works(dispatcher)
    clock[0] += 29 * MINUTE
    assert works(dispatcher)
    clock[0] += 30 * MINUTE
    english = {"accept-language": "en"}
    assert not works(dispatcher, **english)
    page = dispatcher.get("/sign-in/", headers=english).content.decode()
    assert "Your session had ended" in page
    assert not Session.objects.exists()


def test_whoever_works_without_a_pause_signs_in_again_after_twelve_hours(
    dispatcher: Client, clock: list[dt.datetime]
) -> None:
    while clock[0] < NOW + dt.timedelta(hours=12) - 20 * MINUTE:
        clock[0] += 20 * MINUTE
        assert works(dispatcher) is (clock[0] < NOW + dt.timedelta(hours=12))
    clock[0] += 20 * MINUTE
    assert not works(dispatcher)


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    dispatcher: Client, clock: list[dt.datetime]
) -> None:
    for _n in range(29):
        clock[0] += MINUTE
        assert works(dispatcher, "/board/live/", **{"X-Live": "1"})
    clock[0] += MINUTE
    assert not works(dispatcher, "/board/live/", **{"X-Live": "1"})


def test_a_busy_person_costs_one_write_a_minute(dispatcher: Client, clock: list[dt.datetime]) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert works(dispatcher)
        return sum(
            "django_session" in q["sql"] and q["sql"].startswith("UPDATE") for q in asked.captured_queries
        )

    clock[0] += dt.timedelta(seconds=59)
    assert [writes(), writes()] == [0, 0]
    clock[0] += dt.timedelta(seconds=1)
    assert [writes(), writes()] == [1, 0]


def test_the_interface_and_the_desk_say_that_nobody_is_signed_in(
    client: Client, city: factories.City, clock: list[dt.datetime]
) -> None:
    for address, ask in (("/api/v1/cases", client.get), ("/desk/draft/", client.post)):
        client.force_login(city.people["operator"])
        clock[0] += 30 * MINUTE
        assert ask(address).status_code == 401, address


def test_a_form_sent_too_late_leads_through_sign_in_back_to_the_page_that_it_stands_on(
    dispatcher: Client, clock: list[dt.datetime]
) -> None:
    clock[0] += 30 * MINUTE
    sent = {"rows": "1"}
    answer = dispatcher.post(
        "/board/confirm/", sent, headers={"referer": "http://testserver/board/?queue=new"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/board/%3Fqueue%3Dnew")
    elsewhere = dispatcher.post(
        "/board/confirm/", sent, headers={"referer": "http://elsewhere.example/board/"}
    )
    assert elsewhere["Location"] == "/sign-in/?next=/board/confirm/"


def test_signing_in_again_gives_a_whole_term(
    dispatcher: Client, city: factories.City, clock: list[dt.datetime]
) -> None:
    clock[0] += dt.timedelta(hours=13)
    assert not works(dispatcher)
    dispatcher.force_login(city.people["dispatcher"])
    clock[0] += 29 * MINUTE
    assert works(dispatcher)


def test_a_session_of_which_nobody_knows_when_it_began_is_over(dispatcher: Client) -> None:
    session = dispatcher.session
    del session["begun"]
    session.save()
    assert not works(dispatcher)


def test_a_new_password_or_a_locked_account_ends_every_session(
    city: factories.City, clock: list[dt.datetime]
) -> None:
    person = city.people["dispatcher"]
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(person)
        assert works(browser)
    people.set_password(person, "eine lange Losung 7", by=None)
    assert not any(works(browser) for browser in browsers)
    browsers[0].force_login(person)
    people.set_active(person, False, by=None)
    assert not works(browsers[0])


def test_a_resident_without_an_account_keeps_a_report_on_its_way_longer(
    client: Client, city: factories.City, clock: list[dt.datetime]
) -> None:
    started = client.post("/", {"text": "长青街道路灯不亮"})
    assert started.status_code == 302
    clock[0] += dt.timedelta(hours=13)
    assert client.get(started["Location"]).status_code == 200
