"""Building-chief officers: whose buildings they are, what their visits may count, and what the figures make of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.errors import Forbidden
from lucheng.core.indicators.indicator import named as indicator_named
from lucheng.core.indicators.periods import window
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Building, Estate
from lucheng.core.registers import book, exchange
from lucheng.core.registers.register import named
from lucheng.core.revisions import snapshot
from lucheng.projects.building_chiefs import demo
from lucheng.projects.building_chiefs.models import Chief, Visit
from tests import factories
from tests.factories import CITY, COMMUNITY, EAST, GRID, NOW, STREET, SUMU, WEST, City
from tests.projects.entries import TODAY, refused, value, write

ESTATE = "鹿苑小区"


@pytest.fixture
def estate(city: City) -> Estate:
    """The estate with a second building, a settlement in a gacha, and the police."""
    factories.unit("police", "东原区公安分局", Unit.Kind.POLICE, WEST, city.units["west"])
    estate = Estate.objects.get(name=ESTATE)
    Building.objects.filter(estate=estate).update(residents=110)
    Building.objects.create(estate=estate, name="4号楼", grid=GRID, households=20, residents=50)
    village = Estate.objects.create(name="乌兰前街", place=SUMU + "001")
    Building.objects.create(estate=village, name="第1排", grid=SUMU + "001001", households=9, residents=20)
    snapshot.bump("places")
    snapshot.forget()
    return estate


def chief(code: str = "L1", **changes: Any) -> Chief:
    given = {
        "name": "鹿苑小区楼长",
        "place": COMMUNITY,
        "estate": ESTATE,
        "officer": "测试民警",
        "badge": "900001",
        "unit": "police",
        "phone": "0472-0000001",
        "valid_from": "2020-03-01",
    }
    made = write("chiefs", code, **{**given, **changes})
    assert isinstance(made, Chief)
    return made


def visit(code: str = "Z1", **changes: Any) -> Visit:
    given = {
        "name": "鹿苑小区3号楼走访",
        "place": GRID,
        "chief": "L1",
        "building": "3号楼",
        "households": 12,
        "valid_from": "2020-05-01",
    }
    made = write("visits", code, **{**given, **changes})
    assert isinstance(made, Visit)
    return made


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"estate": "无此小区"}, "estate"),
        ({"place": STREET + "002"}, "estate"),
        ({"buildings": "3号楼、9号楼"}, "buildings"),
        ({"unit": "utilities"}, "unit"),
        ({"badge": "12345"}, "badge"),
        ({"badge": "张三"}, "badge"),
        ({"phone": ""}, "phone"),
        ({"place": STREET}, "place"),
    ],
)
def test_a_chief_is_of_the_police_and_of_buildings_that_stand(
    estate: Estate, wrong: dict[str, Any], at: str
) -> None:
    assert refused(chief, **wrong) == [at]
    assert not Chief.objects.exists()


def test_a_chief_may_have_the_whole_estate_or_some_of_it(estate: Estate) -> None:
    assert sorted(chief().charge()) == ["3号楼", "4号楼"]
    assert sorted(chief("L2", buildings="4号楼", place=GRID).charge()) == ["4号楼"]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"households": 49}, ["households"]),
        ({"building": "4号楼", "households": 21}, ["households"]),
        ({"building": "", "households": 69}, ["households"]),
        ({"people": 111}, ["people"]),
        ({"households": 49, "people": 111}, ["households", "people"]),
        ({"households": 0, "people": 3}, ["households"]),
        ({"households": -1}, ["households"]),
        ({"households": ""}, ["households"]),
        ({"hazards": -1}, ["hazards"]),
        ({"building": "9号楼"}, ["building"]),
        ({"place": SUMU}, ["place"]),
        ({"valid_from": "2020-02-29"}, ["valid_from"]),
        ({"chief": "L9"}, ["chief"]),
    ],
)
def test_a_visit_counts_no_more_than_live_there(estate: Estate, wrong: dict[str, Any], at: list[str]) -> None:
    chief()
    assert refused(visit, **wrong) == at
    assert not Visit.objects.exists()
    assert visit(households=48, people=110).people == 110
    assert visit("Z2", building="", households=68).households == 68


def test_a_visit_of_a_building_of_somebody_else_is_refused(estate: Estate) -> None:
    chief(buildings="4号楼")
    assert refused(visit) == ["building"]


def test_an_officer_enters_visits_where_they_serve_and_writes_no_roster(estate: Estate, city: City) -> None:
    officer = factories.person(
        "officer", "building_chief_officer", COMMUNITY, Unit.objects.get(code="police")
    )
    chief()
    scope = scope_of(officer)
    given = {"name": "走访", "place": GRID, "chief": "L1", "households": 1, "valid_from": "2020-05-01"}
    assert book.write(named("visits"), "Z1", given, by=officer, scope=scope, now=NOW)
    with pytest.raises(Forbidden):
        elsewhere = {**given, "place": STREET + "002"}
        book.write(named("visits"), "Z2", elsewhere, by=officer, scope=scope, now=NOW)
    with pytest.raises(Forbidden):
        said = named("chiefs").said(Chief.objects.get())
        book.write(named("chiefs"), "L1", said, by=officer, scope=scope, now=NOW, version=1)


def test_coverage_is_over_the_buildings_of_urban_communities(estate: Estate) -> None:
    assert value("5.coverage") == 0
    chief(buildings="4号楼")
    assert (value("5.coverage"), value("5.buildings"), value("5.estates")) == (50, 1, 1)
    chief("L2", buildings="3号楼", badge="900002")
    chief("L3", name="又一", badge="900002")
    assert (value("5.coverage"), value("5.buildings"), value("5.officers")) == (100, 2, 2)
    assert value("5.coverage", "2020-02") == 0, "nobody was in post then"
    # A settlement of herders has no chief and is not counted against the city; a building without an estate is.
    assert value("5.coverage", place=EAST) is None
    Building.objects.create(name="无名楼", grid=GRID)
    assert value("5.coverage") == pytest.approx(200 / 3)
    at = window("2020", TODAY)
    assert {p: v.numerator for p, v in indicator_named("5.coverage").by_place(at, CITY, 6).items()} == {
        WEST: 2
    }


def test_an_estate_of_the_same_name_elsewhere_is_another(estate: Estate) -> None:
    other = Estate.objects.create(name=ESTATE, place=STREET + "002")
    Building.objects.create(estate=other, name="3号楼", grid=STREET + "002001")
    chief()
    assert (value("5.buildings"), value("5.estates")) == (2, 1)


def test_visits_are_counted_on_their_days(estate: Estate) -> None:
    chief()
    visit(people=20, hazards=2, opinions=3)
    visit("Z2", valid_from="2021-01-01", households=5, hazards=1)
    assert [value(f"5.{of}") for of in ("households", "registrations", "hazards", "opinions")] == [
        12,
        20,
        2,
        3,
    ]
    assert (value("5.households", "2021"), value("5.hazards", "2021")) == (5, 1)
    assert (value("5.households", "2020-05-01", GRID), value("5.households", place=EAST)) == (12, 0)


def test_the_demo_has_a_chief_for_every_urban_building(estate: Estate) -> None:
    factories.unit("city-police", "鹿原市公安局", Unit.Kind.POLICE, CITY)
    demo.fill(dt.datetime(2026, 3, 18, 15, tzinfo=dt.UTC))
    assert (value("5.coverage"), value("5.officers"), value("5.estates")) == (100, 2, 1)
    assert value("5.households") == 68 and value("5.registrations") == 160
    rows = exchange.sheet_of(
        named("visits"), map(named("visits").said, Visit.objects.select_related("chief"))
    )
    assert exchange.check(named("visits"), rows, None).unchanged == 2
