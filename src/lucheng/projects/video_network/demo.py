"""This room's share of the demo city: key positions that are all covered and networked since 2020, as the city said."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

import shapely

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Boundary, Division, Kind
from lucheng.core.registers import imports
from lucheng.projects.video_network.models import LAW_SINCE, OLD_FILED_WITHIN, Area, Asker, Failing, Ground

_Given = dict[str, Any]


def fill(until: dt.datetime) -> None:
    """Write positions, systems, cameras, faults and looks; of a smaller city as many as it has places for."""
    day = until.astimezone(ZONE).date()
    pack = packs.of_demo_city("video_network.toml")
    positions = list(_positions(pack, day))
    systems = list(_systems(pack, positions))
    cameras = list(_cameras(pack, positions))
    for slug, given in (
        ("key-positions", positions),
        ("video-systems", systems),
        ("cameras", cameras),
        ("camera-faults", list(_faults(pack, cameras, day))),
        ("recordings-access", list(_looks(pack, systems, day))),
    ):
        imports.write(slug, given, until)


def _positions(pack: _Given, day: dt.date) -> Iterator[_Given]:
    for area, kind, ending in (
        (Area.PUBLIC, Kind.COMMUNITY, "广场路口"),
        (Area.SECTOR_PUBLIC, Kind.DEDICATED_GRID, "出入口"),
    ):
        places = list(
            Division.objects.as_of(day).filter(kind=kind).order_by("code")[: pack["positions"][area]]
        )
        shapes = dict(Boundary.objects.filter(division__in=places).values_list("division__code", "shape"))
        for place in places:
            inside = shapely.from_wkb(bytes(shapes[place.code])).representative_point()
            setting = "square" if area == Area.PUBLIC else "other"
            for word, found in pack["settings"].items():
                setting = found if area == Area.SECTOR_PUBLIC and word in place.name else setting
            yield {
                "code": f"ZB-{place.code}",
                "name": f"{place.name.removesuffix('网格')}{ending}",
                "place": place.code,
                "lon": round(inside.x, 6),
                "lat": round(inside.y, 6),
                "area": area.value,
                "setting": setting,
                "approved_by": "全市重点部位名录（2020年）",
                "valid_from": "2020-01-01",
            }


def _is_public(position: _Given) -> bool:
    return bool(position["area"] == Area.PUBLIC)


def _system_of(position: _Given) -> str:
    """Public areas belong to a county's own system, a sector's place to its own."""
    return f"SX-{position['place'][:6] if _is_public(position) else position['place']}"


def _systems(pack: _Given, positions: list[_Given]) -> Iterator[_Given]:
    chance = random.Random(6)
    police = dict(Unit.objects.filter(kind=Unit.Kind.POLICE).order_by("-code").values_list("place", "name"))
    for code, position in {_system_of(p): p for p in positions}.items():
        public = _is_public(position)
        county = position["place"][:6]
        name = f"{police.get(county, county)}公共区域" if public else position["name"].removesuffix("出入口")
        filed = chance.randrange(1000) >= pack["systems"]["unfiled"]
        by = LAW_SINCE + OLD_FILED_WITHIN
        yield {
            "code": code,
            "name": f"{name}视频系统",
            "place": county if public else position["place"],
            "manager": police.get(county, county) if public else name,
            "phone": f"0472-0{chance.randrange(100_000, 1_000_000)}",
            "ground": Ground.ROADS.value if public else Ground.GATHERING.value,
            "storage_days": 90 if public else chance.choice([30, 30, 60, 90]),
            "filed_on": by - dt.timedelta(days=chance.randrange(1, 80)) if filed else None,
            "filing": f"演示备{code[3:]}" if filed else None,
            "signs_since": dt.date(2020, 6, 1) if chance.randrange(50) else None,
            "contractor": "演示运维有限公司" if public else None,
            "agreement_on": "2020-01-10" if public else None,
            "valid_from": "2020-01-02",
        }


def _cameras(pack: _Given, positions: list[_Given]) -> Iterator[_Given]:
    chance = random.Random(66)
    number = 0
    for n, position in enumerate(positions):
        public = _is_public(position)
        count = pack["cameras"][position["area"]]
        inside = 0 if public or n % pack["cameras"]["inside_every"] else 1
        for turn in range(count + inside):
            number += 1
            facing = turn < count
            begun = dt.date(2020, 1, 6) + dt.timedelta(days=chance.randrange(240))
            accepted = begun + dt.timedelta(days=chance.randrange(5, 40))
            yield {
                "code": f"{position['place'][:6]}00{'00' if public else '03'}132{0 if facing else 8}{number:06}",
                "name": f"{position['name']}{turn + 1}号"
                if facing
                else f"{position['name']}内部{turn + 1}号",
                "place": position["place"],
                "lon": position["lon"],
                "lat": position["lat"],
                "system": _system_of(position),
                "position": position["code"] if facing else None,
                "view": "street" if public else "entrance" if facing else "hall",
                "form": chance.choice(["dome", "fixed", "fixed", "steered"]),
                "accepted_on": accepted,
                "networked_since": accepted + dt.timedelta(days=chance.randrange(30)) if facing else None,
                "valid_from": begun,
            }


def _faults(pack: _Given, cameras: list[_Given], day: dt.date) -> Iterator[_Given]:
    chance = random.Random(666)
    for camera in cameras:
        drawn = chance.randrange(1000)
        past = drawn < pack["faults"]["past"]
        if not past and drawn < 1000 - pack["faults"]["standing"]:
            continue
        if past:
            found = dt.date(2020, 11, 1) + dt.timedelta(days=chance.randrange(50))
        else:
            found = day - dt.timedelta(days=chance.randrange(1, 9))
        yield {
            "code": f"{camera['code']}-{found:%Y%m%d}",
            "name": camera["name"],
            "place": camera["place"],
            "camera": camera["code"],
            "failing": chance.choice(
                [Failing.OFFLINE, Failing.OFFLINE, Failing.BLIND, Failing.UNCLEAR]
            ).value,
            "due": found + dt.timedelta(days=5),
            "repairer": "演示运维有限公司",
            "valid_from": found,
            "valid_to": found + dt.timedelta(days=chance.randrange(1, 7)) if past else None,
        }


def _looks(pack: _Given, systems: list[_Given], day: dt.date) -> Iterator[_Given]:
    chance = random.Random(6666)
    for number in range(1, min(pack["systems"]["looks"], len(systems)) + 1):
        system = chance.choice(systems)
        on = dt.date(2020, 3, 1) + dt.timedelta(days=chance.randrange((day - dt.date(2020, 3, 1)).days))
        organ = bool(chance.randrange(3))
        yield {
            "code": f"CY-{number:05}",
            "name": f"查阅{on:%Y%m%d}第{number}号",
            "place": system["place"],
            "system": system["code"],
            "asker": (Asker.ORGAN if organ else Asker.PERSON).value,
            "organ": "演示公安机关" if organ else None,
            "official": "演示民警" if organ else None,
            "reason": "办理案件" if organ else "寻找遗失物品",
            "basis": "《公共安全视频图像信息系统管理条例》第二十条；调取证据通知书" if organ else None,
            "content": f"1号摄像机，{on.isoformat()} 08:00至09:00",
            "copied": "是" if organ else "否",
            "approved_by": "管理单位负责人",
            "valid_from": on,
        }
