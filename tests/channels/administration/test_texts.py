"""The pages on which people word outgoing messages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from lucheng.core.ledger import wording
from lucheng.core.ledger.models import Message, MessageText
from lucheng.core.ledger.outbox import text_of
from lucheng.core.revisions.snapshot import forget
from tests import factories
from tests.channels.administration.counting import queries

pytestmark = pytest.mark.django_db

GOOD = {"zh": "已登记，编号{number}，查询码{code}。", "en": "Registered: {number}, code {code}."}


@pytest.fixture
def browser(client: Client, city: factories.City) -> Client:
    client.force_login(city.people["duty_officer"])
    client.cookies["django_language"] = "en"
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def test_it_asks_for_its_own_capability(client: Client, city: factories.City) -> None:
    for who, status in (("dispatcher", 403), ("auditor", 403), ("administrator", 200), ("duty_officer", 200)):
        client.force_login(city.people[who])
        assert client.get("/admin/messages/").status_code == status
        assert client.get("/admin/messages/received/").status_code == status
    client.force_login(city.people["dispatcher"])
    for page in ("", "read/", "reset/"):
        assert client.post(f"/admin/messages/received/{page}?seen=0", GOOD | {"seen": "0"}).status_code == 403
    assert not MessageText.objects.exists()


def test_a_text_is_worded_and_the_next_message_reads_so(browser: Client) -> None:
    case = factories.received()
    response = browser.post("/admin/messages/received/?seen=0", GOOD, follow=True)
    assert "holds from now on" in text(response) and "duty_officer" in text(response)
    forget()
    message = Message.objects.filter(case=case, template="received").latest("id")
    assert text_of(message).startswith(f"已登记，编号{case.number}，查询码LC-")
    listed = text(browser.get("/admin/messages/"))
    assert "worded by the city" in listed and "已登记" in listed


@pytest.mark.parametrize(
    ("name", "zh", "words"),
    [
        ("received", "编号{number}，手机{phone}，{code}", "may not use {phone}"),
        ("received", "编号{number}", "must use {code}"),
        ("received", "{number {code}", "no partner"),
        ("received", "{code:>9}", "nothing but a name"),
        ("received", "{code.__class__}", "may not use"),
        ("received", "请拨打13800000000，{code}", "A long number"),
        ("received", "请拨打0472-5618 888，{code}", "A long number"),
        ("received", "字" * 501 + "{code}", "at most 500"),
        ("received", "一\n二{code}", "one paragraph"),
        ("dispatched_unit", "工单{number}，查询码{code}", "may not use {code}"),
        ("dispatched_unit", "有新工单", "must use {number}"),
    ],
)
def test_words_that_a_message_may_not_have_are_refused_at_their_field(
    browser: Client, name: str, zh: str, words: str
) -> None:
    response = browser.post(f"/admin/messages/{name}/?seen=0", {"zh": zh, "en": ""})
    assert response.status_code == 422 and words in text(response)
    assert escape(zh.splitlines()[0]) in text(response), "nothing typed is lost"
    assert not MessageText.objects.exists()


def test_a_public_number_may_stand_in_a_text(browser: Client) -> None:
    assert browser.post("/admin/messages/received/?seen=0", {"zh": "请拨12345，{code}"}).status_code == 302


def test_how_it_reads_is_shown_without_changing_anything(browser: Client) -> None:
    typed = {"zh": "很短{code}", "en": ""}
    page = browser.post("/admin/messages/received/", typed | {"preview": "1"})
    assert page.status_code == 200 and "很短LC-7Q4K-29XM-5TAB" in text(page) and "19 characters" in text(page)
    part = browser.post("/admin/messages/received/read/", {"zh": "{phone}", "en": "x" * 161 + "{code}"})
    assert (
        "<html" not in text(part) and "may not use {phone}" in text(part) and "2 text messages" in text(part)
    )
    assert not MessageText.objects.exists()


def test_of_two_who_word_one_message_the_second_is_told_and_loses_nothing(browser: Client) -> None:
    browser.post("/admin/messages/received/?seen=0", GOOD)
    late = browser.post("/admin/messages/received/?seen=0", {"zh": "另一种{code}", "en": ""})
    assert late.status_code == 409 and "另一种" in text(late) and "已登记" in text(late)
    assert browser.post("/admin/messages/received/reset/", {"seen": "0"}).status_code == 409
    assert wording.changed()["received", "zh"].text == GOOD["zh"]


def test_the_same_text_sent_twice_is_one_change(browser: Client) -> None:
    browser.post("/admin/messages/received/?seen=0", GOOD)
    seen = wording.seen("received")
    again = browser.post(f"/admin/messages/received/?seen={seen}", GOOD, follow=True)
    assert "Nothing differs" in text(again) and MessageText.objects.count() == 2


def test_it_goes_back_to_the_pack_and_the_history_stays(browser: Client) -> None:
    browser.post("/admin/messages/received/?seen=0", GOOD)
    browser.post("/admin/messages/received/reset/", {"seen": wording.seen("received")})
    forget()
    assert wording.wording("received") == wording.of_pack("received")
    page = text(browser.get("/admin/messages/received/"))
    assert "as delivered" in page and "已登记" in page and MessageText.objects.count() == 4


def test_an_unknown_message_is_not_found(browser: Client) -> None:
    for page in ("", "read/", "reset/"):
        assert browser.post(f"/admin/messages/nothing/{page}", {"seen": "0"}).status_code == 404
    assert browser.get("/admin/messages/nothing/").status_code == 404


def test_the_pages_ask_the_same_number_of_queries_for_one_change_and_for_a_hundred(
    browser: Client, city: factories.City
) -> None:
    browser.post("/admin/messages/received/?seen=0", GOOD)
    few = [queries(browser, f"/admin/messages/{page}") for page in ("", "received/")]
    for n in range(100):
        wording.word(
            "received",
            {"zh": f"第{n}版{{code}}"},
            city.people["duty_officer"],
            factories.NOW,
            after=wording.seen("received"),
        )
    assert [queries(browser, f"/admin/messages/{page}") for page in ("", "received/")] == few
