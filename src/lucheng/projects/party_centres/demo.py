"""This room's share of the demo city: as many centres on each level as the city has published."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import shapely

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.places.models import LEVELS, Boundary, Division, Estate, Kind
from lucheng.core.registers import imports
from lucheng.projects.party_centres.models import Access, Centre, Level

#: The kinds of division that have a centre of each level.
_KINDS: dict[Level, tuple[Kind, ...]] = {
    Level.CITY: (Kind.CITY,),
    Level.COUNTY: (Kind.DISTRICT, Kind.BANNER, Kind.COUNTY),
    Level.SUBDISTRICT: (Kind.SUBDISTRICT,),
    Level.TOWNSHIP: (Kind.TOWN, Kind.TOWNSHIP, Kind.SUMU),
    Level.COMMUNITY: (Kind.COMMUNITY,),
    Level.VILLAGE: (Kind.VILLAGE, Kind.GACHA),
    Level.ORGANISATION: (Kind.DEDICATED_GRID,),
}


def fill(until: dt.datetime) -> None:
    """Write the centres of the year 2020; of a smaller city as many as it has places for."""
    pack = packs.of_demo_city("centres.toml")
    imports.write("centres", _centres(pack, until.astimezone(ZONE).date()), until, "党群服务中心2020.xlsx")
    imports.write("demonstration-sites", _sites(pack), until)
    imports.write("premises-upgrades", _upgrades(pack), until)


def _sites(pack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every other centre of the urban districts' sub-districts and communities, in two batches."""
    urban = Division.objects.filter(kind=Kind.DISTRICT, valid_to=None).values_list("code", flat=True)
    found = Centre.objects.filter(level__in=(Level.SUBDISTRICT, Level.COMMUNITY)).order_by("code")
    chosen = [c for c in found if c.place[: LEVELS["county"]] in set(urban)][::2][
        : pack["programme"]["demonstration"]
    ]
    for n, centre in enumerate(chosen):
        batch = 1 if n < len(chosen) // 2 else 2
        yield {
            "code": f"SF-{centre.place}",
            "name": f"{centre.name}示范点",
            "place": centre.place,
            "batch": batch,
            "reason": "场地规范、服务完整，群众往来方便",
            "valid_from": "2020-06-30" if batch == 1 else "2020-11-30",
        }


def _upgrades(pack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The smallest centres of communities."""
    small = Centre.objects.filter(level=Level.COMMUNITY).order_by("area", "code")[
        : pack["programme"]["upgraded"]
    ]
    for n, centre in enumerate(small):
        area = centre.area or 100
        yield {
            "code": f"TS-{centre.place}",
            "name": f"{centre.name}提升",
            "place": centre.place,
            "centre": centre.code,
            "need": "用房不足，活动无处开展",
            "area_before": area * 2 // 3,
            "area_after": area,
            "due": "2020-12-20",
            "begun": f"2020-0{3 + n % 5}-10",
            "accepted": f"2020-1{n % 3}-1{n % 9}",
            "evidence": "竣工验收单",
            "valid_from": "2020-02-01",
        }


def _centres(pack: dict[str, Any], day: dt.date) -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    homes = {e.place: e for e in Estate.objects.order_by("-id")}
    for level, kinds in _KINDS.items():
        places = Division.objects.as_of(day).filter(kind__in=kinds).order_by("code")
        shapes = dict(Boundary.objects.filter(division__in=places).values_list("division__code", "shape"))
        for n, place in enumerate(places[: pack["count"][level]]):
            lon, lat = _point(place, homes, shapes)
            begun = dt.date(2020, 1, 1) + dt.timedelta(days=chance.randrange(0, 240))
            inland = len(place.code) == LEVELS["grid"]
            yield {
                "code": f"DQ-{place.code}",
                "name": f"{place.name.removesuffix('社区')}{pack['name'][level]}"
                if not inland
                else f"第{n + 1}{pack['name'][level]}",
                "place": place.code,
                "lon": lon,
                "lat": lat,
                "level": level.value,
                "services": "、".join(pack["services"]["all"] + pack["services"][level]),
                "hours": pack["hours"].get(level, pack["hours"]["all"]),
                "phone": f"0472-0{chance.randrange(100_000, 1_000_000)}",
                "area": chance.randrange(80, 400) * (10 if level in (Level.CITY, Level.COUNTY) else 1),
                "access": "、".join(sorted(chance.sample(Access.values, chance.randrange(1, 4)))),
                "valid_from": begun.isoformat(),
                "standard_since": (begun + dt.timedelta(days=chance.randrange(0, 110))).isoformat(),
            }


def _point(place: Division, homes: dict[str, Estate], shapes: dict[str, Any]) -> tuple[Any, Any]:
    """In a community beside its homes, elsewhere inside the outline."""
    home = homes.get(place.code)
    if home is not None and home.lon is not None:
        return round(home.lon, 6), round(home.lat or 0, 6)
    if place.code not in shapes:
        return "", ""
    inside = shapely.from_wkb(bytes(shapes[place.code])).representative_point()
    return round(inside.x, 6), round(inside.y, 6)
