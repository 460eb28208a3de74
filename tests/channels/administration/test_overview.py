"""The front page of the administration opens the parts that a person may keep, and finding by name serves its forms."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lucheng.core.organisation import roles
from lucheng.core.organisation.models import Post, Unit
from tests.channels.administration.counting import queries
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db


@pytest.fixture
def units() -> dict[str, Unit]:
    roles.load()
    return city.lay_out()


def opened(client: Client, *capabilities: str) -> Any:
    client.force_login(city.officer("keeper", *capabilities))
    client.cookies["django_language"] = "en"
    return client.get("/admin/")


def test_one_entry_of_the_bar_leads_to_it(client: Client, units: dict[str, Unit]) -> None:
    page = str(opened(client, "organisation.edit").content.decode())
    bar = page[page.index("<header") : page.index("</header>")]
    assert bar.count("/admin/") == 1 + bar.count('value="/admin/"')


@pytest.mark.parametrize(
    ("capabilities", "shown"),
    [
        (["catalogue.edit"], ["catalogue-editions"]),
        (["calendar.edit", "messages.edit"], ["calendar-now", "time-limits", "message-texts"]),
        (["organisation.edit"], ["units", "people", "roles", "jobs"]),
    ],
)
def test_each_person_finds_the_parts_that_are_theirs(
    client: Client, units: dict[str, Unit], capabilities: list[str], shown: list[str]
) -> None:
    response = opened(client, *capabilities)
    assert [part.page for part, _lines in response.context["cards"]] == shown


def test_who_keeps_nothing_is_told(client: Client, units: dict[str, Unit]) -> None:
    assert client.get("/admin/").status_code == 302
    assert opened(client, "case.view").status_code == 403
    # Names of units and places are found by whoever holds a post: registers of all rooms need them.
    assert client.get("/admin/find/unit/?q=照明").status_code == 200
    Post.objects.all().delete()
    assert client.get("/admin/find/unit/?q=照明").status_code == 403


def test_it_says_what_waits_for_somebody(client: Client, units: dict[str, Unit]) -> None:
    city.in_force(city.LAMPS)
    units["lighting"].active = False
    units["lighting"].save()
    page = str(opened(client, "catalogue.edit", "calendar.edit", "organisation.edit").content.decode())
    for words in ("names a closed unit", "have not been entered", "worker does not run", "No time limit"):
        assert words in page


@pytest.mark.parametrize(
    ("what", "typed", "first"),
    [
        ("unit", "照明", "市照明管理中心 [lighting]"),
        ("unit", "urb", "钢铁区城管局 [urban]"),
        ("place", "钢花", "钢花街道 [150203001]"),
        ("place", "钢花 第一", "第一社区 [150203001001]"),
        ("place", "150223", "草原旗 [150223]"),
        ("matter", "路灯", "路灯不亮 [010201]"),
        ("matter", "0201", "楼道堆物 [0201]"),
    ],
)
def test_names_are_found_while_they_are_typed(
    client: Client, units: dict[str, Unit], what: str, typed: str, first: str
) -> None:
    opened(client, "catalogue.edit")
    found = client.get(f"/admin/find/{what}/", {"q": typed}).json()["found"]
    assert found[0].endswith(first)


def test_nothing_typed_finds_nothing_and_a_closed_unit_is_not_offered(
    client: Client, units: dict[str, Unit]
) -> None:
    opened(client, "catalogue.edit")
    for what in ("unit", "place", "matter"):
        assert client.get(f"/admin/find/{what}/").json() == {"found": []}
        assert client.get(f"/admin/find/{what}/?q=%00%25").json() == {"found": []}
    Unit.objects.update(active=False)
    assert client.get("/admin/find/unit/?q=照明").json() == {"found": []}
    assert client.get("/admin/find/person/?q=x").status_code == 404


def test_the_page_asks_the_same_number_of_queries_however_large_the_city(
    client: Client, units: dict[str, Unit]
) -> None:
    opened(client, "organisation.edit", "messages.edit", "calendar.edit")
    few = queries(client, "/admin/")
    Unit.objects.bulk_create(
        Unit(code=f"u{n}", name=f"所{n}", kind="department", place="1502") for n in range(100)
    )
    assert queries(client, "/admin/") == few
