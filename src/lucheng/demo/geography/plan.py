"""How the city is divided: every division down to the grid, with its outline, before any building stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import Polygon

from lucheng.core.places.models import Kind
from lucheng.demo import pack
from lucheng.demo.chance import Rng, apportion, stream
from lucheng.demo.geography import naming, tiling

#: Square kilometres of built-up land for each urban community, and degrees of latitude in a kilometre.
_BUILT_UP = 0.7
_DEGREE = 1 / 111.2


@dataclass
class Division:
    """One division as it will stand in the register."""

    code: str
    kind: Kind
    name: str
    shape: Polygon
    households: int = 0
    residents: int = 0


@dataclass
class Grid(Division):
    #: The convex part of it that is built upon.
    settled: Polygon = field(default_factory=Polygon)


@dataclass
class Community(Division):
    grids: list[Grid] = field(default_factory=list)


@dataclass
class Township(Division):
    communities: list[Community] = field(default_factory=list)


@dataclass
class County(Division):
    townships: list[Township] = field(default_factory=list)


@dataclass
class City(Division):
    counties: list[County] = field(default_factory=list)

    def communities(self) -> Iterator[Community]:
        for county in self.counties:
            for township in county.townships:
                yield from township.communities

    def grids(self) -> Iterator[Grid]:
        for community in self.communities():
            yield from community.grids

    def divisions(self) -> Iterator[Division]:
        """All of them, each before those below it."""
        yield self
        for county in self.counties:
            yield county
            for township in county.townships:
                yield township
                for community in township.communities:
                    yield community
                    yield from community.grids


def divide(seed: int, scale: float = 1.0) -> City:
    """Divide the city. ``scale`` shrinks the numbers of communities and grids; counties and townships always all stand.

    The same seed and scale give the same city.
    """
    city = pack.city()
    outline = Polygon(city.outline).convex_hull
    assert isinstance(outline, Polygon)  # its corners do not lie on one line
    sited = [t for c in city.counties for t in c.townships]
    cells = tiling.cut(outline, np.array([(t.lon, t.lat) for t in sited]))
    shapes = {t.code: cell for t, cell in zip(sited, cells, strict=True)}
    counties = []
    for c in city.counties:
        townships = _townships(stream(seed, "divide", c.code), c, shapes, scale)
        shape = shapely.union_all([t.shape for t in townships])
        assert isinstance(shape, Polygon)  # the sites of a county's townships lie together
        counties.append(County(c.code, c.kind, c.name, shape, townships=townships))
    return City(city.code, Kind.CITY, city.name, outline, counties=counties)


def _scaled(number: int, scale: float, least: int) -> int:
    return max(least, round(number * scale))


def _townships(rng: Rng, county: pack.County, shapes: dict[str, Polygon], scale: float) -> list[Township]:
    urban = np.array([t.urban for t in county.townships])
    rural = np.array([t.rural if county.villages else 0.0 for t in county.townships])
    alone = (rural == 0).astype(np.int64)  # a township without villages must have a community
    communities = apportion(_scaled(county.communities, scale, max(1, int(alone.sum()))), urban, alone)
    villages = apportion(_scaled(county.villages, scale, int((rural > 0).sum())), rural, 1)
    names = naming.Communities(rng)
    townships = []
    for t, n_urban, n_rural in zip(county.townships, communities, villages, strict=True):
        cell = shapes[t.code]
        township = Township(t.code, t.kind, t.name, cell)
        township.communities = _communities(rng, t, cell, int(n_urban), int(n_rural), names)
        townships.append(township)
    every = [c for t in townships for c in t.communities]
    _fill_with_grids(rng, county, every, scale)
    return townships


def _communities(
    rng: Rng, township: pack.Township, cell: Polygon, urban: int, rural: int, names: naming.Communities
) -> list[Community]:
    core = _around(township.lon, township.lat, (max(urban, 1) * _BUILT_UP / np.pi) ** 0.5, cell)
    inner = tiling.scatter(rng, core, urban)
    outer = tiling.scatter(rng, cell, rural)
    # A village site in the built-up core moves out of it, along the line from the core's middle.
    middle = np.array([township.lon, township.lat])
    for i in np.flatnonzero(shapely.contains_xy(core, outer)):
        outer[i] = _outside(rng, core, cell, middle)
    sites = np.concatenate([inner, outer])
    cells = tiling.cut(cell, sites)
    gacha = round(rural * township.gacha)
    found = []
    for group, start, kinds in (
        (inner, 1, [Kind.COMMUNITY] * urban),
        (outer, 200, [Kind.GACHA] * gacha + [Kind.VILLAGE] * (rural - gacha)),
    ):
        offset = 0 if group is inner else urban
        for number, i in enumerate(tiling.reading_order(group)):
            kind = kinds[number]
            shape = cells[offset + i]
            name = names.next(kind)
            c = Community(f"{township.code}{start + number:03d}", kind, name, shape)
            c.grids = [Grid("", Kind.BASIC_GRID, "", shape, settled=_settled(shape, core, kind))]
            found.append(c)
    return found


def _settled(shape: Polygon, core: Polygon, kind: Kind) -> Polygon:
    """Where a community builds: in the township's core if it is urban; a village may build anywhere."""
    both = shapely.intersection(shape, core)
    return both if kind == Kind.COMMUNITY and isinstance(both, Polygon) and not both.is_empty else shape


def _around(lon: float, lat: float, km: float, cell: Polygon) -> Polygon:
    """The convex part of ``cell`` within ``km`` of a point in it."""
    disc = shapely.Point(0, 0).buffer(km * _DEGREE, quad_segs=6)
    disc = shapely.transform(disc, lambda p: p / np.array([tiling.SHRINK, 1.0]) + np.array([lon, lat]))
    part = shapely.intersection(disc, cell)
    return part if isinstance(part, Polygon) and not part.is_empty else cell


def _outside(rng: Rng, core: Polygon, cell: Polygon, middle: tiling.Points) -> tiling.Points:
    for _ in range(200):
        p = tiling.sample(rng, cell, 1)[0]
        if not shapely.contains_xy(core, p[0], p[1]):
            found: tiling.Points = p
            return found
    raise ValueError(f"the built-up core leaves no room for villages around {middle}")


def _fill_with_grids(rng: Rng, county: pack.County, communities: list[Community], scale: float) -> None:
    """Cut each community into its grids: basic and dedicated ones in towns, one for each villagers' group elsewhere."""
    urban = np.array([c.kind == Kind.COMMUNITY for c in communities])
    size = rng.gamma(6, 1, len(communities))
    basic = apportion(_scaled(county.basic, scale, int(urban.sum())), size * urban, 1)
    rural = apportion(_scaled(county.rural, scale, int((~urban).sum())), size * ~urban, 1)
    dedicated = apportion(
        _scaled(county.dedicated, scale, 1), size * urban * rng.gamma(3, 1, len(communities))
    )
    for c, n_basic, n_rural, n_dedicated in zip(communities, basic, rural, dedicated, strict=True):
        settled = c.grids[0].settled
        c.grids = _grids(rng, c, settled, int(n_basic), int(n_rural), int(n_dedicated))


def _grids(rng: Rng, c: Community, settled: Polygon, basic: int, rural: int, dedicated: int) -> list[Grid]:
    count = basic + rural + dedicated
    sites = tiling.scatter(rng, settled, count)
    sites = sites[tiling.reading_order(sites)]
    cells = tiling.cut(c.shape, sites)
    special = np.zeros(count, dtype=bool)
    special[rng.choice(count, size=dedicated, replace=False)] = True
    grids = []
    for i, cell in enumerate(cells):
        kind = Kind.DEDICATED_GRID if special[i] else Kind.BASIC_GRID if basic else Kind.RURAL_GRID
        number = i + 1
        ground = (
            _around(sites[i, 0], sites[i, 1], 0.3, cell)
            if kind == Kind.RURAL_GRID
            else _settled(cell, settled, c.kind)
        )
        grids.append(
            Grid(f"{c.code}{number:03d}", kind, naming.grid(rng, kind, number, c.name), cell, settled=ground)
        )
    return grids
