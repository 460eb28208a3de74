"""The data-protection officer reads who looked, page by page, and never what was seen."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.privacy.contacts import reveal
from lucheng.core.privacy.models import Reveal
from tests import factories
from tests.channels.administration.counting import queries
from tests.factories import City

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(city: City, client: Client) -> Client:
    client.force_login(factories.person("officer", "data_protection_officer", factories.CITY))
    return client


def look(city: City, reason: str = "上门前联系", count: int = 1) -> str:
    case = factories.received(name="闻人未央", contact_address="青年路 9 号 302")
    now = timezone.now()
    unit = city.units["utilities"]
    reveal(
        case.contact, person=city.people["handler"], role="handler", unit_id=unit.pk, reason=reason, now=now
    )
    made = Reveal.objects.get(number=case.number)
    Reveal.objects.bulk_create(
        Reveal(
            contact=made.contact, number=f"{n:08}", person=made.person, unit=unit, role="handler", fields=["phone"],
            at=now - dt.timedelta(seconds=n), reason=reason,
        )
        for n in range(1, count)
    )  # fmt: skip
    return case.number


def read(browser: Client, address: str = "/admin/looks/") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_it_opens_to_who_audits_personal_data_and_to_nobody_else(client: Client, city: City) -> None:
    factories.person("officer", "data_protection_officer", factories.CITY)
    for page in ("/admin/looks/", "/admin/looks/sheet/"):
        assert client.get(page).status_code == 302
        for who in ("operator", "dispatcher", "administrator", "auditor"):
            client.force_login(city.people[who])
            assert client.get(page).status_code == 403
        client.logout()


def test_a_look_is_shown_with_all_but_what_was_seen(officer: Client, city: City) -> None:
    number = look(city)
    page = read(officer)
    for words in (number, "handler", city.units["utilities"].name, "姓名、电话", "上门前联系"):
        assert words in page
    assert not re.search("闻人未央|青年路|13800000000", page)


def test_what_is_asked_for_stands_in_the_form_and_what_is_no_day_is_said(officer: Client, city: City) -> None:
    number = look(city)
    page = read(officer, "/admin/looks/?person=nobody&reason=x%22y")
    assert "没有符合条件的查看记录" in page and number not in page
    assert 'value="nobody"' in page and 'value="x&quot;y"' in page
    page = read(officer, "/admin/looks/?since=2026-02-30&until=yesterday&before=abc")
    assert "2026-02-30”不是日期" in page and "yesterday”不是日期" in page and number in page
    assert number not in read(officer, "/admin/looks/?until=2020-01-01")


def test_page_follows_page_and_each_costs_the_same(officer: Client, city: City) -> None:
    look(city, count=2)
    few = queries(officer, "/admin/looks/")
    look(city, count=118)
    assert queries(officer, "/admin/looks/") == few
    page, seen = read(officer), 0
    for _ in range(3):
        seen += page.count('<th scope="row">handler')
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)
        page = read(officer, "/admin/looks/" + older[1].replace("&amp;", "&")) if older else ""
    assert seen == 120 and not page


def test_an_unusual_day_is_a_count_of_a_unit(officer: Client, city: City) -> None:
    look(city, count=12)
    page = read(officer)
    unusual = page[page.index('id="unusual"') : page.index('id="list"')]
    assert city.units["utilities"].name in unusual and ">12<" in unusual and "handler" not in unusual


def test_the_sheet_holds_what_was_asked_for(officer: Client, city: City) -> None:
    look(city)
    answer = officer.get("/admin/looks/sheet/?person=handler")
    assert answer["Content-Type"].endswith("spreadsheetml.sheet") and answer.getvalue()[:2] == b"PK"
