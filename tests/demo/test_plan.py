"""The whole city as it is planned, before a row is written: published figures hold exactly, and everything sums up."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
import shapely

from lucheng.core.places.models import Kind
from lucheng.demo import catalogue, pack
from lucheng.demo.geography import buildings, plan
from lucheng.demo.geography.buildings import Stock
from lucheng.demo.geography.plan import City
from lucheng.demo.organisation import Organisation, organise


@pytest.fixture(scope="module")
def city() -> City:
    return plan.divide(2021)


@pytest.fixture(scope="module")
def stock(city: City) -> Stock:
    return buildings.build(city, 2021)


@pytest.fixture(scope="module")
def staff(city: City, stock: Stock) -> Organisation:
    return organise(city, 2021)


def test_divisions_and_grids_are_as_many_as_published(city: City) -> None:
    kinds = Counter(d.kind for d in city.divisions())
    assert len(city.counties) == 10
    assert sum(len(c.townships) for c in city.counties) == 91
    assert kinds[Kind.COMMUNITY] + kinds[Kind.VILLAGE] + kinds[Kind.GACHA] == 855
    assert kinds[Kind.BASIC_GRID] + kinds[Kind.RURAL_GRID] + kinds[Kind.DEDICATED_GRID] == 5519
    # At least as many as have a party-service centre.
    assert kinds[Kind.COMMUNITY] >= 250
    assert kinds[Kind.VILLAGE] + kinds[Kind.GACHA] >= 330
    kundulun = next(c for c in city.counties if c.code == "150203")
    assert sum(len(c.grids) for t in kundulun.townships for c in t.communities) == 1391


def test_gacha_lie_in_pastoral_townships_alone(city: City) -> None:
    pastoral = {t.code for c in pack.city().counties for t in c.townships if t.gacha > 0}
    gacha = {c.code[:9] for c in city.communities() if c.kind == Kind.GACHA}
    assert gacha
    assert gacha <= pastoral


def test_codes_nest_and_names_are_told_apart(city: City) -> None:
    every = list(city.divisions())
    codes = {d.code for d in every}
    assert len(codes) == len(every)
    shorter = {4: "", 6: 4, 9: 6, 12: 9, 15: 12}
    for d in every:
        length = shorter[len(d.code)]
        assert not length or d.code[:length] in codes
    for county in city.counties:
        names = [c.name for t in county.townships for c in t.communities]
        assert len(set(names)) == len(names)


def test_basic_grids_keep_to_the_band_and_dedicated_ones_have_no_households(city: City, stock: Stock) -> None:
    for grid in city.grids():
        if grid.kind == Kind.BASIC_GRID:
            assert 300 <= grid.households <= 500
        elif grid.kind == Kind.DEDICATED_GRID:
            assert grid.households == grid.residents == 0
        else:
            assert 0 < grid.households < 300


def test_estates_buildings_and_people(city: City, stock: Stock) -> None:
    urban = [b for b in stock.buildings if len(b.stairwells)]
    assert len(urban) >= 16_000
    assert len(stock.estates) - stock.settlements >= 1_200
    assert 2_650_000 <= city.residents <= 2_750_000
    assert 1_050_000 <= city.households <= 1_150_000


def test_people_sum_up_from_stairwell_to_city(city: City, stock: Stock) -> None:
    households: dict[str, int] = defaultdict(int)
    residents: dict[str, int] = defaultdict(int)
    for b in stock.buildings:
        assert not len(b.stairwells) or int(b.stairwells.sum()) == b.households
        for length in (4, 6, 9, 12, 15):
            households[b.grid[:length]] += b.households
            residents[b.grid[:length]] += b.residents
    for d in city.divisions():
        assert (d.households, d.residents) == (households[d.code], residents[d.code])


def test_outlines_tile_their_parents(city: City) -> None:
    for parent, children in (
        (city, city.counties),
        *((c, c.townships) for c in city.counties),
        *((t, t.communities) for c in city.counties for t in c.townships),
        *((c, c.grids) for c in city.communities()),
    ):
        areas = shapely.area([c.shape for c in children])
        assert areas.sum() == pytest.approx(parent.shape.area, rel=1e-9)
        assert shapely.union_all([c.shape for c in children]).area == pytest.approx(
            parent.shape.area, rel=1e-6
        )


def test_buildings_lie_in_their_grids(city: City, stock: Stock) -> None:
    shapes = {g.code: g.shape for g in city.grids()}
    inside = shapely.contains_xy(
        [shapes[b.grid] for b in stock.buildings],
        [b.lon for b in stock.buildings],
        [b.lat for b in stock.buildings],
    )
    assert inside.all()


def test_an_estate_lies_in_one_community(stock: Stock) -> None:
    for b in stock.buildings:
        assert b.grid.startswith(stock.estates[b.estate].place)


def test_grid_workers_are_as_many_as_published_and_every_grid_has_one(
    city: City, staff: Organisation
) -> None:
    posts = Counter(p.role for p in staff.posts)
    assert posts["grid_worker"] == 24_558
    assert posts["grid_head"] == 5_519
    assert set(staff.workers) == {g.code for g in city.grids()}
    assert {p.basis for p in staff.posts if p.role == "grid_worker"} == {"full", "part"}


def test_every_unit_has_a_handler_and_people_are_told_apart(staff: Organisation) -> None:
    assert 1_400 <= len(staff.units) <= 1_700
    for unit in staff.units:
        assert staff.people_of("handler", unit.id)
    assert len({p.username for p in staff.people}) == len(staff.people)
    assert len({u.code for u in staff.units}) == len(staff.units)
    assert all(len(u.code) <= 40 for u in staff.units)


def test_every_unit_of_the_catalogue_stands(staff: Organisation) -> None:
    for line in pack.read_tsv("catalogue.tsv"):
        for key in [line["lead"], *filter(None, line["assists"].split(","))]:
            assert catalogue.nearest(staff, key, "150203") is not None, key


def test_the_same_seed_gives_the_same_city_and_another_one_another(city: City, stock: Stock) -> None:
    again = plan.divide(7, 0.02)
    same = plan.divide(7, 0.02)
    other = plan.divide(8, 0.02)
    assert [(d.code, d.name, d.shape.wkb) for d in again.divisions()] == [
        (d.code, d.name, d.shape.wkb) for d in same.divisions()
    ]
    assert [d.name for d in again.communities()] != [d.name for d in other.communities()]
