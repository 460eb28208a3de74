"""The matters of a neighbourhood as anyone may see them."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases.models import Case, State
from tests import factories
from tests.factories import CITY, COMMUNITY, GRID, INSIDE_GRID, LAMP, OUTSIDE, STREET, WEST


@pytest.fixture
def page(city: factories.City) -> Client:
    cache.clear()
    return Client(headers={"accept-language": "zh-CN"})


def reported(n: int, **changes: object) -> None:
    for _n in range(n):
        factories.received(timezone.now(), **{"matter": LAMP, **changes})


def test_a_neighbourhood_is_told_in_numbers_with_their_age(page: Client) -> None:
    reported(7)
    told = page.get(f"/around/{COMMUNITY}/").content.decode()
    assert "长青街道 · 花园社区" in told
    assert "5件以上" in told
    assert "7件" not in told
    assert "少于5件" in told
    assert "数据截至" in told


def test_few_matters_are_not_told(page: Client) -> None:
    reported(4)
    told = page.get(f"/around/{COMMUNITY}/").content.decode()
    assert "少于 5 件" in told
    assert "件以上</dd>" not in told


def test_no_word_of_anybody_stands_on_the_page(page: Client) -> None:
    reported(
        6, content="机密内容", title="机密标题", address="机密小区501", name="机密姓名", phone="13900001111"
    )
    Case.objects.update(state=State.CLOSED, public_reply="机密答复")
    told = page.get(f"/around/{COMMUNITY}/?days=90").content.decode()
    assert "5件以上" in told
    case = Case.objects.first()
    assert case is not None
    for private in ("机密", "13900001111", "139****1111", case.number, case.code, "测试人", "鹿苑小区"):
        assert private not in told


def test_a_place_is_found_from_words(page: Client) -> None:
    told = page.get("/around/", {"q": "鹿苑小区3号楼"}).content.decode()
    assert f'href="/around/{COMMUNITY}/"' in told


def test_words_that_name_no_place_are_answered_with_what_to_do(page: Client) -> None:
    assert "没有找到这个地名" in page.get("/around/", {"q": "火星"}).content.decode()
    assert "请写出小区" in page.get("/around/", {"q": "  "}).content.decode()


def test_a_place_is_found_where_the_telephone_stands(page: Client) -> None:
    lon, lat = INSIDE_GRID
    assert page.post("/around/", {"lon": lon, "lat": lat})["Location"] == f"/around/{COMMUNITY}/"


@pytest.mark.parametrize("point", [OUTSIDE, ("nan", "40"), ("", ""), ("999", "999"), ("x", "y")])
def test_a_point_elsewhere_is_answered_with_the_list(page: Client, point: tuple[object, object]) -> None:
    answer = page.post("/around/", {"lon": point[0], "lat": point[1]})
    assert answer.status_code == 422
    assert f'href="/around/{WEST}/"' in answer.content.decode()


def test_a_place_is_found_down_the_list(page: Client) -> None:
    assert f'href="/around/{WEST}/"' in page.get("/around/").content.decode()
    assert page.get(f"/around/{WEST}/")["Location"] == f"/around/?in={WEST}"
    assert f'href="/around/{STREET}/"' in page.get(f"/around/?in={WEST}").content.decode()
    assert f'href="/around/{COMMUNITY}/"' in page.get(f"/around/{STREET}/").content.decode()


@pytest.mark.parametrize("place", [GRID, "990199", "x", "9" * 300, "%00"])
def test_other_addresses_lead_nowhere(page: Client, place: str) -> None:
    assert page.get(f"/around/{place}/").status_code == 404


@pytest.mark.parametrize("asked", ["?in=x", "?in=" + CITY, "?in=" + GRID, "?in=" + "9" * 400, "?days=7"])
def test_odd_questions_are_answered_with_the_list(page: Client, asked: str) -> None:
    assert f'href="/around/{WEST}/"' in page.get("/around/" + asked).content.decode()


def test_an_odd_period_is_thirty_days(page: Client) -> None:
    told = page.get(f"/around/{COMMUNITY}/?days=%00x").content.decode()
    assert 'href="?days=30" aria-current="page"' in told


def test_the_page_costs_the_same_however_much_was_reported(page: Client) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            page.get(f"/around/{STREET}/")
        return len(asked)

    queries()
    few = queries()
    reported(30)
    assert queries() == few
