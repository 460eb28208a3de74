"""What a requester left of themselves lies nowhere in clear: not in any table, log, session, message or sheet."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case
from lucheng.core.ledger import outbox
from lucheng.core.ledger.models import Message
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.projects.command_centre.models import CallDraft
from tests import factories
from tests.factories import City

pytestmark = pytest.mark.django_db

NAME, PHONE, HOME = "闻人未央", "13900427781", "槐荫里 7 号 9 号楼 3 单元 1104"
SECRETS = (NAME, PHONE, HOME)


def spellings(secret: str) -> Iterator[str]:
    """A secret as a table, a log or a session could hold it without a key."""
    raw = secret.encode()
    yield secret
    yield raw.hex()
    yield secret.encode("unicode_escape").decode()
    for shift in range(3):  # base64 of a longer text, wherever in it the secret begins
        inside = base64.b64encode(b"\0" * shift + raw)[shift + 1 : -4].decode()
        yield inside


def held(text: str) -> list[str]:
    return [secret for secret in SECRETS if any(s.lower() in text.lower() for s in spellings(secret))]


def dump() -> dict[str, str]:
    """Every table of the database as COPY writes it."""
    found: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        )
        for (table,) in cursor.fetchall():
            with cursor.copy(f"copy {table} to stdout") as rows:  # type: ignore[attr-defined]
                found[table] = b"".join(bytes(block) for block in rows).decode()
    return found


@pytest.mark.parametrize("secret", SECRETS)
def test_the_search_would_find_it(secret: str) -> None:
    wrapped = base64.b64encode(f'{{"a": "{secret}", "b": 1}}'.encode()).decode()
    for text in (
        f"x{secret}y",
        secret.encode().hex(),
        wrapped,
        base64.b64encode(f"一{secret}二二".encode()).decode(),
    ):
        assert held(text) == [secret], text


def test_after_a_whole_life_no_table_session_or_log_holds_a_name_a_number_or_an_address(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    operator, handler, resident = (
        factories.client(city, "operator"),
        factories.client(city, "handler"),
        Client(),
    )
    left = {"name": NAME, "phone": PHONE, "contact_address": HOME}
    order = {
        "content": "鹿苑小区3号楼门口路灯不亮三天了", "nature": "help", "channel": "phone", "reply_wanted": "on",
        "matter": factories.LAMP, "place": factories.GRID, "taken": "1", **left,
    }  # fmt: skip
    assert operator.post("/desk/draft/", {**order, "key": "left-unfinished"}).status_code == 204
    assert operator.post("/desk/", {**order, "key": "finished", "do": "dispatch"}).status_code == 302
    wrong = operator.post("/desk/", {**order, "key": "refused", "phone": PHONE + "转甲", "do": "dispatch"})
    assert wrong.status_code == 422
    case = Case.objects.get()

    # A look with a reason, one without, and one of somebody who may not.
    address = f"/unit/cases/{case.number}/reveal/"
    case = factories.step(case, "sign", "handler", city)
    every = {"choose": "1", "fields": ["name", "phone", "address"]}
    assert not held(handler.post(address, {"reason": "x", **every}).content.decode())
    assert held(handler.post(address, {"reason": "上门前联系", **every}).content.decode()) == list(SECRETS)
    assert not held(factories.client(city, "stoker").post(address, {"reason": "上门前联系"}).content.decode())
    assert Reveal.objects.count() == 1
    case.refresh_from_db()

    # Then the rest of its life, its messages, and a resident's report on the way.
    case = factories.step(case, "contact", "handler", city, how="phone")
    case = factories.step(
        case, "reply", "handler", city, handling="换灯", public_reply="路灯已修好。", note="n"
    )
    case = factories.step(case, "approve", "dispatcher", city)
    factories.step(
        case, "close", "operator", city, satisfaction="5", contacted=True, solved=True, note="满意"
    )
    outbox.deliver(timezone.now())
    page = resident.get("/").content.decode()
    draft = re.findall(r'name="draft" value="([0-9a-f]{32})"', page)[0]
    assert (
        resident.post(
            "/", {"draft": draft, "text": f"我叫{NAME}，电话{PHONE}，住{HOME}，路灯不亮", "numbers": "leave"}
        ).status_code
        == 302
    )

    assert Message.objects.filter(case=case, channel="sms").exists() and CallDraft.objects.count() == 1
    assert not held("\n".join(outbox.text_of(m) for m in Message.objects.select_related("case__contact")))
    for session in Session.objects.all():
        assert not held(str(session.get_decoded()))
    tables = dump()
    assert "public.privacy_contact" in tables and case.number in tables["public.cases_case"]
    assert {table: held(text) for table, text in tables.items() if held(text)} == {}
    assert not held(caplog.text)
    contact = Contact.objects.get(case=case)
    assert contact.name is not None and contact.address is not None and contact.phone_mask == "139****7781"
    assert not held(repr(contact) + str(contact) + repr(case) + codes.written(case.code))


def test_no_list_search_sheet_or_page_shows_more_than_a_mask(city: City) -> None:
    case = factories.received(name=NAME, phone=PHONE, contact_address=HOME)
    case = factories.step(case, "accept", "dispatcher", city, matter=factories.LAMP)
    case = factories.step(case, "dispatch", "dispatcher", city)
    for who in ("operator", "dispatcher", "duty_officer", "supervisor", "handler", "helper"):
        browser = factories.client(city, who)
        for page in (
            "/board/", f"/board/?number={case.number}", f"/cases/{case.number}/", f"/cases/{case.number}/sheet/",
            f"/board/{case.number}/", "/unit/", f"/unit/cases/{case.number}/", "/overview/", "/callbacks/",
            f"/api/v1/cases?number={case.number}", f"/api/v1/cases/{case.number}", "/api/v1/overview",
        ):  # fmt: skip
            body = browser.get(page, headers={"X-Board": "1"}).content.decode()
            assert not held(body), (who, page)
    asked = f"/api/v1/cases?number={PHONE}"
    assert case.number not in factories.client(city, "dispatcher").get(asked).content.decode()
