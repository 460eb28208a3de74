"""The page of jobs and queues: what fails is seen and tried again, and no case can be read on it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from lucheng import embedded
from lucheng.core.clocks.models import Clock
from lucheng.core.clocks.sweep import MAX_FAILURES
from lucheng.core.ledger.models import Message, SweepRun
from lucheng.core.ledger.worker import discover
from tests import factories
from tests.channels.administration.counting import queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client, city: factories.City) -> Client:
    client.force_login(city.people["administrator"])
    client.cookies["django_language"] = "en"
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def given_up(error: str = "the gateway answered 403", **changes: Any) -> Message:
    message = Message.objects.filter(case=factories.received(), channel="sms").latest("id")
    for name, value in {"state": "failed", "next_at": None, "error": error, "attempts": 3, **changes}.items():
        setattr(message, name, value)
    message.save()
    return message


def worker_ran(at: dt.datetime) -> None:
    for sweep in discover():
        SweepRun.objects.create(name=sweep.name, every=sweep.every, at=at, went_at=at)


@pytest.mark.django_db(transaction=True)
def test_a_standby_that_is_away_is_said_and_none_is_not(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Standby" not in text(browser.get("/admin/jobs/"))
    monkeypatch.setattr(
        embedded, "STANDBY", "test_jobs"
    )  # slots belong to the server, not to this test alone
    with connection.cursor() as cursor:
        cursor.execute("select pg_create_physical_replication_slot('test_jobs', true)")
    try:
        page = text(browser.get("/admin/jobs/"))
        assert "away" in page and "is lost with this server" in page
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_drop_replication_slot('test_jobs')")


def test_it_opens_to_administrators_of_the_whole_city_only(client: Client, city: factories.City) -> None:
    for page in ("jobs/", "jobs/failed/"):
        for who, status in (("dispatcher", 403), ("auditor", 403), ("administrator", 200)):
            client.force_login(city.people[who])
            assert client.get(f"/admin/{page}").status_code == status
        city.people["administrator"].posts.update(place=factories.WEST)
        assert client.get(f"/admin/{page}").status_code == 403
        city.people["administrator"].posts.update(place=factories.CITY)


def test_a_worker_that_does_not_run_is_an_alarm_and_one_that_runs_is_not(browser: Client) -> None:
    assert "has never run" in text(browser.get("/admin/jobs/"))
    worker_ran(timezone.now() - dt.timedelta(minutes=5))
    assert "The worker does not run" in text(browser.get("/admin/jobs/"))
    SweepRun.objects.update(at=timezone.now())
    assert "Everything that should happen by itself does" in text(browser.get("/admin/jobs/"))


def test_every_job_says_in_words_what_it_does(browser: Client) -> None:
    page = text(browser.get("/admin/jobs/"))
    with translation.override("en"):
        for sweep in discover():
            assert sweep.title and f'<th scope="row">{sweep.title}</th>' in page


def test_a_failing_job_is_named_with_the_kind_of_its_error(browser: Client) -> None:
    worker_ran(timezone.now())
    SweepRun.objects.filter(name="messages").update(failures=4, failed_at=timezone.now(), error="OSError")
    page = text(browser.get("/admin/jobs/"))
    assert "failed 4 times in a row" in page and "OSError" in page


def test_messages_that_were_given_up_are_listed_by_reason_and_tried_again(browser: Client) -> None:
    refused, silent = given_up(), given_up("no answer from the gateway")
    page = text(browser.get("/admin/jobs/"))
    assert "the gateway answered 403" in page and "no answer from the gateway" in page
    browser.post("/admin/jobs/messages/retry/", {"channel": "sms", "error": "no answer from the gateway"})
    refused.refresh_from_db(), silent.refresh_from_db()
    assert (refused.state, silent.state, silent.attempts) == ("failed", "waiting", 0)
    again = browser.post("/admin/jobs/messages/retry/", follow=True)
    assert "1 message will be tried again" in text(again)
    assert "0 messages will be tried again" in text(browser.post("/admin/jobs/messages/retry/", follow=True))


def test_it_shows_order_numbers_and_no_word_of_a_case(browser: Client) -> None:
    message = given_up()
    message.case.refresh_from_db()
    pages = text(browser.get("/admin/jobs/failed/")) + text(browser.get("/admin/jobs/"))
    assert message.case.number in pages
    for secret in ("路灯", "138", "测试人", message.case.code[:4] + "-", "/cases/"):
        assert secret not in pages


def test_clocks_that_were_left_alone_are_tried_again(browser: Client, city: factories.City) -> None:
    case = factories.received()
    assert Clock.objects.filter(case=case).update(failures=MAX_FAILURES, next_at=None)
    assert "Try these clocks again" in text(browser.get("/admin/jobs/"))
    browser.post("/admin/jobs/clocks/retry/")
    assert not Clock.objects.filter(failures__gt=0).exists()
    assert "Try these clocks again" not in text(browser.get("/admin/jobs/"))


def test_the_pages_ask_the_same_number_of_queries_for_one_row_and_for_a_hundred(browser: Client) -> None:
    worker_ran(timezone.now())
    given_up()
    few = [queries(browser, f"/admin/{page}") for page in ("jobs/", "jobs/failed/")]
    for n in range(100):
        given_up(f"reason {n}")
    assert [queries(browser, f"/admin/{page}") for page in ("jobs/", "jobs/failed/")] == few
