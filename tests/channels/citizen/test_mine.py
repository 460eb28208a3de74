"""“My cases”: a one-time code by text message opens the list of a number, in that browser, for half an hour."""

from __future__ import annotations

import datetime as dt
import re
import threading
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from lucheng.channels.citizen import mine
from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.errors import Invalid
from lucheng.core.ledger import adapters, outbox
from lucheng.core.ledger.adapters import Outgoing
from lucheng.core.ledger.models import Message
from lucheng.core.limits.counting import Limited
from lucheng.core.privacy import one_time
from lucheng.core.privacy.models import OneTimeCode
from lucheng.core.privacy.sweeps import SWEEPS
from lucheng.core.revisions import snapshot
from tests import factories

MINUTE = dt.timedelta(minutes=1)
NUMBER = "13800000000"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[dt.datetime]:
    """What the time is for the pages; the tests move it on. A gateway is set up."""
    time = [factories.NOW + dt.timedelta(hours=1)]
    monkeypatch.setattr(timezone, "now", lambda: time[0])
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9/"
    return time


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[Outgoing]:
    """The text messages that have left, as the gateway takes them."""
    left: list[Outgoing] = []
    monkeypatch.setattr(adapters.HttpGateway, "send", lambda self, outgoing: left.append(outgoing))
    return left


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "zh-CN"})


def ask(client: Client, phone: str = NUMBER, **extra: str) -> HttpResponse:
    return client.post("/mine/", {"phone": phone}, **extra)


def digits(received: list[Outgoing]) -> str:
    """The code in the newest text message, once the worker has sent what waits."""
    outbox.deliver(timezone.now(), 100)
    found = re.search(r"验证码(\d{6})", received[-1].text)
    assert found
    return found[1]


def opened(client: Client, received: list[Outgoing]) -> str:
    """The list, in the browser of whoever holds the number."""
    assert ask(client)["Location"] == "/mine/code/"
    assert client.post("/mine/code/", {"code": digits(received)})["Location"] == "/mine/cases/"
    return client.get("/mine/cases/").content.decode()


def test_the_list_has_the_cases_of_the_number_and_each_opens_without_digits(
    client: Client, city: factories.City, received: list[Outgoing]
) -> None:
    one = factories.case_in(State.CALLBACK, city)
    two = factories.received(content="井盖松了")
    other = factories.received(content="别人的事", phone="13800000001")
    told = opened(client, received)
    assert received[-1].to == NUMBER
    assert told.index(codes.written(two.code)) < told.index(codes.written(one.code)), "the newest first"
    assert codes.written(other.code) not in told
    assert NUMBER not in told
    assert "路灯已修好" in client.get(f"/t/{codes.written(one.code)}/").content.decode()
    added = client.post(f"/t/{codes.written(two.code)}/supplement/", {"note": "又松了一个"})
    assert added.status_code == 302
    assert "别人的事" not in client.get(f"/t/{codes.written(other.code)}/").content.decode()


def test_nothing_tells_whether_a_number_has_cases(
    client: Client, city: factories.City, received: list[Outgoing]
) -> None:
    factories.received()
    answers = []
    for phone in (NUMBER, "13800000001"):
        browser = Client(headers={"accept-language": "zh-CN"})
        asked = ask(browser, phone)
        told = [browser.get("/mine/code/")]
        told += [browser.post("/mine/code/", {"code": "000000"}) for _n in range(7)]
        plain = [
            (
                a.status_code,
                re.sub(r'csrf[a-z-]*" (value|content)="[^"]*"|138\*{4}\d{4}', "", a.content.decode()),
            )
            for a in told
        ]
        answers.append((asked.status_code, asked["Location"], plain))
    assert answers[0] == answers[1]
    assert OneTimeCode.objects.count() == 2
    assert Message.objects.filter(template="one_time").count() == 1


def test_a_code_opens_once(client: Client, city: factories.City, received: list[Outgoing]) -> None:
    factories.received()
    ask(client)
    code = digits(received)
    assert client.post("/mine/code/", {"code": code}).status_code == 302
    again = Client()
    ask(again, "13800000001")  # a session that waits for some code
    with pytest.raises(Invalid):
        one_time.redeem(NUMBER, code, "192.0.2.1", timezone.now())


def test_after_five_wrong_tries_the_right_code_is_wrong_too(
    client: Client, city: factories.City, received: list[Outgoing]
) -> None:
    factories.received()
    ask(client)
    code = digits(received)
    wrong = "000000" if code != "000000" else "000001"
    for _n in range(5):
        answer = client.post("/mine/code/", {"code": wrong})
        assert answer.status_code == 422
        assert "验证码不对、已用过或已超过五分钟" in answer.content.decode()
    assert client.post("/mine/code/", {"code": code}).status_code == 422
    assert client.get("/mine/cases/")["Location"] == "/mine/"


def test_after_five_minutes_the_code_is_wrong_and_is_not_sent_any_more(
    client: Client, city: factories.City, received: list[Outgoing], clock: list[dt.datetime]
) -> None:
    factories.received()
    ask(client)
    code = digits(received)
    clock[0] += 5 * MINUTE
    assert client.post("/mine/code/", {"code": code}).status_code == 422
    ask(client)
    sent = len(received)
    clock[0] += 5 * MINUTE
    outbox.deliver(timezone.now(), 100)
    assert len(received) == sent


def test_a_new_code_takes_the_place_of_the_one_before(
    client: Client, city: factories.City, received: list[Outgoing]
) -> None:
    factories.received()
    ask(client)
    first = digits(received)
    ask(client)
    second = digits(received)
    if first != second:
        assert client.post("/mine/code/", {"code": first}).status_code == 422
    assert client.post("/mine/code/", {"code": second}).status_code == 302


def test_the_list_closes_after_half_an_hour_and_when_told(
    client: Client, city: factories.City, received: list[Outgoing], clock: list[dt.datetime]
) -> None:
    case = factories.received()
    address = f"/t/{codes.written(case.code)}/"
    opened(client, received)
    assert client.get("/mine/")["Location"] == "/mine/cases/"
    clock[0] += mine.HOLDS
    assert client.get("/mine/cases/")["Location"] == "/mine/"
    assert case.content not in client.get(address).content.decode()
    opened(client, received)
    client.post("/t/", {"code": codes.written(case.code), "digits": factories.DIGITS})
    before = client.cookies["sessionid"].value
    assert client.post("/mine/leave/")["Location"] == "/mine/"
    assert client.get("/mine/cases/")["Location"] == "/mine/"
    assert case.content not in client.get(address).content.decode()
    assert client.cookies["sessionid"].value != before


def test_a_session_gets_a_new_name_when_the_list_opens(
    client: Client, city: factories.City, received: list[Outgoing]
) -> None:
    factories.received()
    ask(client)
    before = client.cookies["sessionid"].value
    client.post("/mine/code/", {"code": digits(received)})
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "\x00"])
def test_what_is_no_code_says_so_and_costs_no_try(
    client: Client, city: factories.City, received: list[Outgoing], typed: str
) -> None:
    factories.received()
    ask(client)
    code = digits(received)
    for _n in range(6):
        assert client.post("/mine/code/", {"code": typed}).status_code == 422
    wide = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert client.post("/mine/code/", {"code": f" {wide[:3]} {wide[3:]} "}).status_code == 302


@pytest.mark.parametrize("typed", ["", "x", "1" * 39])
def test_what_is_no_number_says_so_at_the_field(client: Client, db: None, typed: str) -> None:
    answer = ask(client, typed)
    assert answer.status_code == 422
    assert 'id="id_phone_error"' in answer.content.decode()


def test_codes_are_asked_for_and_tried_only_so_often(client: Client, city: factories.City) -> None:
    factories.received()
    for n in range(5):
        assert ask(Client(), REMOTE_ADDR=f"192.0.2.{n}").status_code == 302
    answer = ask(client, "138 0000 0000")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "尝试次数过多" in answer.content.decode()
    for n in range(20):
        with pytest.raises(Invalid):
            one_time.redeem(NUMBER, "x", f"192.0.2.{n}", timezone.now())
    with pytest.raises(Limited):
        one_time.redeem(NUMBER, "x", "192.0.2.99", timezone.now())


def test_cases_older_than_a_year_are_not_listed_and_cause_no_message(
    client: Client, city: factories.City, clock: list[dt.datetime]
) -> None:
    factories.received()
    clock[0] += one_time.LISTED
    ask(client)
    assert not Message.objects.filter(template="one_time").exists()


def test_where_no_message_can_leave_the_page_says_so(client: Client, db: None, settings: Any) -> None:
    settings.SMS_GATEWAY_URL = ""
    assert "尚未开通短信" in client.get("/mine/").content.decode()
    assert ask(client).status_code == 200
    assert not OneTimeCode.objects.exists()


def test_no_table_holds_a_code_or_number_in_the_clear_and_what_is_old_goes(
    client: Client, city: factories.City, received: list[Outgoing], clock: list[dt.datetime]
) -> None:
    factories.received()
    ask(client)
    code = digits(received)
    message = Message.objects.get(template="one_time")
    assert code not in str(message.params)
    assert code not in outbox.text_of(message)
    kept = OneTimeCode.objects.get()
    assert code.encode() not in bytes(kept.digest)
    session = Session.objects.get(session_key=client.cookies["sessionid"].value).get_decoded()
    assert NUMBER not in str(session)
    sweep = next(s for s in SWEEPS if s.name == "one-time codes")
    clock[0] += 5 * MINUTE
    assert sweep.run(timezone.now()) == 1
    clock[0] += 55 * MINUTE
    assert sweep.run(timezone.now()) == 1
    assert not Message.objects.filter(template="one_time").exists()


def test_nobody_of_staff_sees_that_a_code_was_sent_and_only_the_demo_city_shows_it(
    client: Client, city: factories.City, settings: Any
) -> None:
    case = factories.received()
    ask(client)
    staff = factories.client(city, "duty_officer")
    pages = [
        address
        for address in ("/messages/", f"/cases/{case.number}/")
        if staff.get(address).status_code == 200
    ]
    assert len(pages) == 2
    assert not [a for a in pages if "我的诉求" in staff.get(a).content.decode()]
    settings.DEMO = True
    assert [a for a in pages if re.search(r"验证码\d{6}", staff.get(a).content.decode())] == pages


def test_a_page_of_the_list_costs_the_same_with_one_case_and_with_many(
    client: Client,
    city: factories.City,
    received: list[Outgoing],
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", 1e9)
    factories.case_in(State.SIGNED, city)
    opened(client, received)
    with django_assert_num_queries(2):
        client.get("/mine/cases/")
    for n in range(22):
        factories.received(content=f"第{n}件事")
    with django_assert_num_queries(2):
        first = client.get("/mine/cases/").content.decode()
    second = client.get("/mine/cases/?page=2").content.decode()
    listed = re.findall(r"LC-[0-9A-Z-]{14}", first) + re.findall(r"LC-[0-9A-Z-]{14}", second)
    assert len(set(listed)) == Case.objects.count() == 23


@pytest.mark.django_db(transaction=True)
def test_of_two_who_type_the_right_code_at_once_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_time.secrets, "randbelow", lambda most: 204816)
    now = timezone.now()
    one_time.ask(NUMBER, "192.0.2.1", now)
    ready = threading.Barrier(4)
    passed: list[bool] = []

    def run() -> None:
        try:
            ready.wait(10)
            one_time.redeem(NUMBER, "204816", "192.0.2.1", now)
            passed.append(True)
        except Invalid:
            passed.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(passed) == [False, False, False, True]
