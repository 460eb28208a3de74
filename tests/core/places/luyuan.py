"""Luyuan on the ground, for tests of locating: squares on a map, roads, estates, buildings. The city is invented.

Two counties side by side, each 0.04° wide; in each a township, in each township two communities, one above the other.
990102001001 (south-west) is cut into grids, west and east, and a school has a grid of its own inside the first; of
990103100002 (north-east) only the western half has one::

    40.04 ┌─────────────┬─────────────┐
          │ …001002     │001│  …100002  │
    40.02 ├──────┬──────┼───┴─────────┤
          │ 001  │ 002  │ …100001     │
    40.00 └──────┴──────┴─────────────┘
        110.00 110.02 110.04       110.08
          990102001       990103100
"""

from __future__ import annotations

import datetime as dt

import shapely
from shapely import box

from lucheng.core.places.models import Boundary, Building, Division, Estate, Kind, Road

SINCE = dt.date(2020, 1, 1)

WEST, EAST = "990102", "990103"
STREET, TOWN = WEST + "001", EAST + "100"
COMMUNITY = STREET + "001"
GRID, EAST_GRID, SCHOOL = COMMUNITY + "001", COMMUNITY + "002", COMMUNITY + "901"
RURAL_GRID = TOWN + "002001"

PLACES = {
    "9901": ("鹿原市", Kind.CITY, box(110.00, 40.00, 110.08, 40.05)),
    WEST: ("青川区", Kind.DISTRICT, box(110.00, 40.00, 110.04, 40.04)),
    STREET: ("友谊大街街道", Kind.SUBDISTRICT, box(110.00, 40.00, 110.04, 40.04)),
    COMMUNITY: ("花园里社区居委会", Kind.COMMUNITY, box(110.00, 40.00, 110.04, 40.02)),
    STREET + "002": ("建设社区居委会", Kind.COMMUNITY, box(110.00, 40.02, 110.04, 40.04)),
    GRID: ("花园里第一网格", Kind.BASIC_GRID, box(110.00, 40.00, 110.02, 40.02)),
    EAST_GRID: ("花园里第二网格", Kind.BASIC_GRID, box(110.02, 40.00, 110.04, 40.02)),
    SCHOOL: ("实验小学网格", Kind.DEDICATED_GRID, box(110.005, 40.005, 110.010, 40.010)),
    EAST: ("东原旗", Kind.BANNER, box(110.04, 40.00, 110.08, 40.04)),
    TOWN: ("南河镇", Kind.TOWN, box(110.04, 40.00, 110.08, 40.04)),
    TOWN + "001": ("乌兰哈达嘎查", Kind.GACHA, box(110.04, 40.00, 110.08, 40.02)),
    TOWN + "002": ("建设村委会", Kind.VILLAGE, box(110.04, 40.02, 110.08, 40.04)),
    RURAL_GRID: ("建设前街网格", Kind.RURAL_GRID, box(110.04, 40.02, 110.06, 40.04)),
}


def lay_out() -> None:
    divisions = Division.objects.bulk_create(
        Division(
            code=code,
            level=len(code),
            kind=kind,
            name=name,
            valid_from=SINCE,
            aliases=["青区"] if code == WEST else [],
        )
        for code, (name, kind, _) in PLACES.items()
    )
    Boundary.objects.bulk_create(
        Boundary(division=d, shape=shapely.to_wkb(PLACES[d.code][2]), source_crs="wgs84") for d in divisions
    )
    Road.objects.bulk_create([Road(name="钢城大街", place=WEST), Road(name="友谊大街", place="9901")])
    west, east, one_grid = Estate.objects.bulk_create(
        [
            Estate(name="阳光小区", place=COMMUNITY, address="钢城大街18号", lon=110.015, lat=40.012),
            Estate(name="阳光小区", place=TOWN + "002", lon=110.05, lat=40.03),
            Estate(name="锦绣华庭", place=COMMUNITY, lon=110.03, lat=40.01),
        ]
    )
    Building.objects.bulk_create(
        Building(estate=estate, name=name, grid=grid, lon=lon, lat=40.011)
        for estate, name, grid, lon in [
            (west, "3号楼", GRID, 110.011),
            (west, "12号楼", EAST_GRID, 110.021),
            (west, "A座", GRID, 110.012),
            (east, "3号楼", RURAL_GRID, 110.051),
            (one_grid, "1号楼", EAST_GRID, 110.031),
            (one_grid, "2号楼", EAST_GRID, 110.032),
        ]
    )
