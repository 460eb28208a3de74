"""Work in hand, for sharing it out: who may look, what is counted, and that nobody is compared with anybody."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases.models import State
from lucheng.core.revisions import snapshot
from tests import factories
from tests.channels.unit.conftest import Door
from tests.factories import City, case_in, received, step


def rows(page: str, section: str) -> list[list[str]]:
    """The cells of a section's table, as people read them."""
    table = page.partition(f'id="{section}"')[2].partition("</tbody>")[0].partition("<tbody>")[2]
    lines = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)][:3]
        for line in lines
    ]


def test_it_is_for_the_head_and_shows_what_each_has_in_hand(city: City, door: Door) -> None:
    case_in(State.SIGNED, city)
    step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    case_in(State.DISPATCHED, city)
    case_in(State.CALLBACK, city)  # no longer the unit's to do
    assert door("handler").get("/unit/load/").status_code == 403
    assert 'href="/unit/load/"' not in door("handler").get("/unit/").content.decode()
    page = door("head").get("/unit/load/").content.decode()
    assert [r[:2] for r in rows(page, "by-person")] == [
        ["暂无", "1"],
        ["colleague", "2"],
        ["handler", "1"],
        ["head", "0"],
    ]
    assert [r[:2] for r in rows(page, "by-matter")] == [["城市照明", "4"]]


def test_people_stand_by_name_whatever_they_have_in_hand(city: City, door: Door) -> None:
    """No ranking: the order of the rows says nothing about anybody, and there is no average and no sum of the past."""
    for _ in range(3):
        case_in(State.SIGNED, city)
    page = door("head").get("/unit/load/").content.decode()
    names = [r[0] for r in rows(page, "by-person")][1:]
    assert names == sorted(names)
    assert not re.search(r"平均|排名|得分|名次|办结率|%", page.partition("<main")[2].partition("</main>")[0])


def test_each_number_opens_to_its_rows(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    head = door("head")
    page = head.get("/unit/load/").content.decode()
    for section in ("by-person", "by-matter"):
        links = re.findall(
            r'href="(/unit/\?[^"]+)"', page.partition(f'id="{section}"')[2].partition("</section>")[0]
        )
        assert any(case.number in head.get(link).content.decode() for link in links)


def test_the_head_of_a_unit_above_sees_the_units_below_and_no_others(city: City, door: Door) -> None:
    city.people["county"] = factories.person("county", "unit_head", factories.WEST, city.units["west"])
    rubbish = step(received(), "accept", "dispatcher", city, matter=factories.RUBBISH)
    step(rubbish, "dispatch", "dispatcher", city)
    case_in(State.SIGNED, city)
    county = door("county")
    page = county.get("/unit/load/").content.decode()
    assert [r[:2] for r in rows(page, "by-unit")] == [[city.units["street"].name, "1"]]
    below = county.get(f"/unit/load/?unit={city.units['street'].pk}").content.decode()
    assert ["street_handler", "0"] in [r[:2] for r in rows(below, "by-person")]
    for strange in (city.units["utilities"].pk, "x", "99999999999999999999"):
        page = county.get(f"/unit/load/?unit={strange}").content.decode()
        assert "handler" not in [r[0] for r in rows(page, "by-person")]


def test_it_asks_as_much_for_one_order_as_for_many(
    city: City, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    head = door("head")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert head.get("/unit/load/").status_code == 200
        return len(queries)

    case_in(State.SIGNED, city)
    asked()
    first = asked()
    for _ in range(10):
        case_in(State.SIGNED, city)
        step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    assert asked() == first
