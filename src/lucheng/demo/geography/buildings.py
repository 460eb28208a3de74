"""What stands in the grids: roads, estates and settlements, buildings and stairwells, with people as counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lucheng.core.places.models import Kind
from lucheng.demo import pack
from lucheng.demo.chance import Rng, apportion, draw, fit, stream
from lucheng.demo.geography import naming, tiling
from lucheng.demo.geography.plan import City, Community, Grid, Township


@dataclass
class Estate:
    """A residential estate, or a village settlement."""

    name: str
    place: str
    address: str
    lon: float = 0.0
    lat: float = 0.0


@dataclass
class Building:
    #: Index of its estate.
    estate: int
    name: str
    grid: str
    lon: float
    lat: float
    floors: int
    households: int
    residents: int
    #: Households behind each stairwell; empty for a row of courtyards.
    stairwells: NDArray[np.int64]


@dataclass
class Stock:
    """Everything built, in the order in which it is numbered."""

    roads: list[tuple[str, str]] = field(default_factory=list)  # name, place
    estates: list[Estate] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    #: Urban estates come first in the figures; settlements of villages are counted apart.
    settlements: int = 0


def build(city: City, seed: int) -> Stock:
    """Fill every grid, and sum its people up to the city: a division's counts are those of its buildings."""
    stock = Stock()
    for county in city.counties:
        rng = stream(seed, "build", county.code)
        n = pack.names()
        road_names = naming.shuffled(rng, (n["road"]["first"], n["road"]["urban"]))
        estate_names = naming.shuffled(rng, (n["estate"]["first"], n["estate"]["second"]))
        stock.roads += [(next(road_names), county.code) for _ in range(3)]
        for township in county.townships:
            roads = _roads(rng, township, road_names)
            stock.roads += [(name, township.code) for name in roads]
            for community in township.communities:
                if community.kind == Kind.COMMUNITY:
                    _urban(rng, stock, community, roads, estate_names)
                else:
                    _rural(rng, stock, community)
    _count(city, stock)
    return stock


def _roads(rng: Rng, township: Township, names: Iterator[str]) -> list[str]:
    own = pack.city().raw["roads"]
    return [next(names) for _ in range(own["urban" if township.kind == Kind.SUBDISTRICT else "rural"])]


def _residents(rng: Rng, households: NDArray[np.int64], kind: str) -> NDArray[np.int64]:
    mean = pack.city().people["residents_per_household"][kind]
    people: NDArray[np.int64] = np.rint(households * mean * rng.normal(1, 0.05, len(households))).astype(
        np.int64
    )
    return people


def _urban(rng: Rng, stock: Stock, c: Community, roads: list[str], names: Iterator[str]) -> None:
    city = pack.city()
    types = city.stock
    band = pack.spread(city.people["basic_grid_households"])
    first = len(stock.buildings)
    for grid in c.grids:
        if grid.kind != Kind.BASIC_GRID:
            continue
        total = int(draw(rng, band, 1)[0])
        t = types[rng.choice(len(types), p=[s["share"] for s in types])]
        size = pack.spread(t["households"])
        count = min(max(round(total / size.mean), -(-total // size.most)), total // size.least)
        households = fit(draw(rng, size, count), total, size.least, size.most)
        points = tiling.sample(rng, grid.settled, count)
        order = np.argsort(points[:, 0], kind="stable")
        residents = _residents(rng, households, "urban")
        for i in range(count):
            floors = int(rng.choice(t["floors"]))
            lon, lat = points[order[i]].tolist()
            wells = max(1, min(8, round(households[i] / (floors * t["households_a_floor"]))))
            stock.buildings.append(
                Building(
                    0, "", grid.code, lon, lat, floors, int(households[i]), int(residents[i]),
                    apportion(int(households[i]), np.ones(wells)),
                )
            )  # fmt: skip
    _estates(rng, stock, c, first, roads, names)


def _estates(
    rng: Rng, stock: Stock, c: Community, first: int, roads: list[str], names: Iterator[str]
) -> None:
    """Group a community's buildings, from ``first`` on, into estates of neighbouring ones."""
    size = pack.spread(pack.city().raw["estates"]["buildings"])
    buildings = stock.buildings[first:]
    start = 0
    while start < len(buildings):
        end = start + int(draw(rng, size, 1)[0])
        if len(buildings) - end < size.least:
            end = len(buildings)
        members = buildings[start:end]
        address = f"{roads[rng.integers(len(roads))]}{rng.integers(1, 180)}号"
        where = np.array([(b.lon, b.lat) for b in members]).mean(axis=0)
        for number, b in enumerate(members, start=1):
            b.estate, b.name = len(stock.estates), f"{number}号楼"
        stock.estates.append(Estate(next(names), c.code, address, float(where[0]), float(where[1])))
        start = end


def _rural(rng: Rng, stock: Stock, c: Community) -> None:
    city = pack.city()
    band = pack.spread(city.people["rural_grid_households"])
    row = pack.spread(city.raw["rural_rows"]["households"])
    for grid in c.grids:
        total = int(draw(rng, band, 1)[0])
        count = max(1, round(total / row.mean))
        households = fit(draw(rng, row, count), total, row.least, row.most)
        residents = _residents(rng, households, "rural")
        points = tiling.sample(rng, grid.settled, count)
        points = points[np.argsort(-points[:, 1], kind="stable")]
        group = grid.name.partition("（")[2].removesuffix("）")
        name = f"{naming.bare(c.name, c.kind)}{group}"
        where = points.mean(axis=0)
        stock.estates.append(Estate(name, c.code, "", float(where[0]), float(where[1])))
        stock.settlements += 1
        for i in range(count):
            lon, lat = points[i].tolist()
            stock.buildings.append(
                Building(
                    len(stock.estates) - 1, f"第{i + 1}排", grid.code, lon, lat, 1, int(households[i]),
                    int(residents[i]), np.zeros(0, dtype=np.int64),
                )
            )  # fmt: skip


def _count(city: City, stock: Stock) -> None:
    grids: dict[str, Grid] = {g.code: g for g in city.grids()}
    for b in stock.buildings:
        grids[b.grid].households += b.households
        grids[b.grid].residents += b.residents
    for community in city.communities():
        community.households = sum(g.households for g in community.grids)
        community.residents = sum(g.residents for g in community.grids)
    for county in city.counties:
        for township in county.townships:
            township.households = sum(c.households for c in township.communities)
            township.residents = sum(c.residents for c in township.communities)
        county.households = sum(t.households for t in county.townships)
        county.residents = sum(t.residents for t in county.townships)
    city.households = sum(c.households for c in city.counties)
    city.residents = sum(c.residents for c in city.counties)
