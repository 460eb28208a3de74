"""What the law and good sense ask of a row before it may stand in the catalogue."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import translation

from lucheng.core.dispatch.models import Matter
from lucheng.core.dispatch.rules import Checker, Row
from lucheng.core.places.models import Division
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

DAY = city.NOW.date()


def wrong(row: Row, day: dt.date = DAY) -> dict[str, str]:
    with translation.override("en"):
        return {column: str(text) for column, text in Checker(day).row(row)}


def test_good_rows_pass() -> None:
    city.lay_out()
    assert wrong(city.LAMPS) == {}
    assert wrong(city.CLUTTER) == {}
    assert wrong(Row("", "1502", "lighting", (), "三定方案")) == {}


@pytest.mark.parametrize("lead", ["street", "community"])
@pytest.mark.parametrize("matter", ["", "01", "0102", "010201"])
def test_duties_of_departments_are_not_pushed_down_to_the_grass_roots(lead: str, matter: str) -> None:
    """国办函〔2025〕66号; Beijing art. 17; Weifang art. 24."""
    city.lay_out()
    found = wrong(Row(matter, "150203001", lead, (), "惯例"))
    assert list(found) == ["主办单位编码"]
    assert "list of duties" in found["主办单位编码"]


def test_the_grass_roots_lead_what_is_on_their_list() -> None:
    city.lay_out()
    assert wrong(Row("0201", "150203001001", "community", (), "履职事项清单第12项")) == {}
    assert wrong(Row("02", "150203001", "street", (), "履职事项清单")) == {}


def test_one_matter_off_the_list_under_a_prefix_bars_the_whole_prefix() -> None:
    city.lay_out()
    Matter.objects.create(code="0202", name="物业收费", grassroots=False)
    assert "主办单位编码" in wrong(Row("02", "150203001", "street", (), "履职事项清单"))
    assert wrong(Row("0201", "150203001", "street", (), "履职事项清单")) == {}


def test_the_grass_roots_may_assist_a_department_anywhere() -> None:
    city.lay_out()
    assert wrong(replace(city.LAMPS, assists=("street",))) == {}


def test_matter_and_place_must_be_there() -> None:
    city.lay_out()
    assert "matter 99" in wrong(replace(city.LAMPS, matter="99"))["事项编码"]
    assert "grid 159999" in wrong(replace(city.LAMPS, place="159999"))["区划编码"]
    assert "区划编码" in wrong(replace(city.LAMPS, place=""))


def test_a_place_that_has_ended_takes_no_new_row() -> None:
    city.lay_out()
    Division.objects.filter(code="150223").update(valid_to=DAY)
    assert "区划编码" in wrong(replace(city.LAMPS, place="150223"))
    assert wrong(replace(city.LAMPS, place="150223"), DAY - dt.timedelta(days=1)) == {}


def test_units_must_be_known_and_standing() -> None:
    units = city.lay_out()
    units["urban"].active = False
    units["urban"].save()
    assert "code nobody" in wrong(replace(city.LAMPS, lead="nobody"))["主办单位编码"]
    assert "钢铁区城管局 has been closed" in wrong(replace(city.LAMPS, lead="urban"))["主办单位编码"]
    assert "钢铁区城管局 has been closed" in wrong(replace(city.LAMPS, assists=("urban",)))["协办单位编码"]


def test_a_unit_assists_once_and_never_itself() -> None:
    city.lay_out()
    assert "itself" in wrong(replace(city.LAMPS, assists=("lighting",)))["协办单位编码"]
    assert "twice" in wrong(replace(city.LAMPS, assists=("urban", "urban")))["协办单位编码"]


@pytest.mark.parametrize("basis", ["", "   "])
def test_a_row_without_a_basis_is_refused(basis: str) -> None:
    city.lay_out()
    assert list(wrong(replace(city.LAMPS, basis=basis))) == ["依据"]


def test_two_rows_for_one_matter_and_place_are_refused_at_the_second() -> None:
    city.lay_out()
    faults = Checker(DAY).rows([(2, city.LAMPS), (3, city.CLUTTER), (4, replace(city.LAMPS, lead="urban"))])
    with translation.override("en"):
        assert [str(f) for f in faults] == ["row 4, 事项编码: The same matter and place as row 2."]
