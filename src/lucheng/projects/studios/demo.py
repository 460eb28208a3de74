"""This room's share of the demo city: five studios and their joint mediation centre, with invented names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS, Division
from lucheng.core.registers import imports
from lucheng.core.registers.models import Weekday


def fill(until: dt.datetime) -> None:
    """Write the studios, their people and lines, and the centre with its rooms and roster."""
    pack = packs.of_demo_city("studios.toml")
    places = Division.objects.as_of(until.astimezone(ZONE).date()).filter(level=LEVELS["county"])
    place = places.filter(code=pack["place"]).first() or places.order_by("code").first()
    if place is None:
        return
    frame = {"place": place.code, "valid_from": pack["since"].isoformat()}
    for slug, name, given in [
        ("studios", "五室台账.xlsx", _studios(pack, frame)),
        ("studio-members", "工作室人员.xlsx", _members(pack, frame)),
        ("service-lines", "五线台账.xlsx", _lines(pack, frame)),
        ("mediation-centres", "联合调解中心.xlsx", [_centre(pack, frame, place.name)]),
        ("mediation-rooms", "调解室.xlsx", _rooms(pack, frame)),
        ("mediation-roster", "联合调解排班.xlsx", _turns(pack, frame)),
    ]:
        imports.write(slug, given, until, name)


def _studios(pack: dict[str, Any], frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for n, studio in enumerate(pack["studio"], 1):
        unit = Unit.objects.filter(code=f"{frame['place']}-{studio['unit']}", active=True).first()
        yield {
            **frame,
            "code": f"GZ-{n}",
            "name": studio["name"],
            "organ": studio["organ"],
            "unit": unit.code if unit is not None else "",
            "specialities": "、".join(studio["specialities"]),
            "hours": pack["centre"]["hours"],
            "phone": f"0472-07001{n:02}",
        }


def _members(pack: dict[str, Any], frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for n, studio in enumerate(pack["studio"], 1):
        for m, (name, office) in enumerate(studio["people"], 1):
            yield {
                **frame,
                "code": f"GR-{n}-{m}",
                "name": name,
                "studio": f"GZ-{n}",
                "office": office,
                "leads": m == 1,
            }


def _lines(pack: dict[str, Any], frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for line in pack["line"]:
        for n in line["studios"]:
            yield {
                **frame,
                "code": f"XL-{n}-{line['line']}",
                "name": f"{pack['studio'][n - 1]['name']}{line['name']}",
                "studio": f"GZ-{n}",
                "line": line["line"],
                "how": line["how"],
            }


def _centre(pack: dict[str, Any], frame: dict[str, Any], place: str) -> dict[str, Any]:
    return {
        **frame,
        "code": "TJ-1",
        "name": f"{place}{pack['centre']['name']}",
        "hours": pack["centre"]["hours"],
        "phone": "0472-0700100",
    }


def _rooms(pack: dict[str, Any], frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for n, room in enumerate(pack["centre"]["room"], 1):
        yield {**frame, **room, "code": f"TS-{n}", "centre": "TJ-1"}


def _turns(pack: dict[str, Any], frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each studio has a morning of its own in the first room; two of them share the third in the afternoon."""
    for n, studio in enumerate(pack["studio"], 1):
        yield {
            **frame,
            "code": f"TB-{n}",
            "name": f"{studio['name']}上午",
            "room": "TS-1",
            "studio": f"GZ-{n}",
            "weekdays": Weekday.values[n - 1],
            "begins": "08:30",
            "ends": "12:00",
        }
    for n in (1, 3):
        yield {
            **frame,
            "code": f"TB-{n}-B",
            "name": f"{pack['studio'][n - 1]['name']}家事调解",
            "room": "TS-3",
            "studio": f"GZ-{n}",
            "weekdays": Weekday.values[n],
            "begins": "14:30",
            "ends": "17:00",
        }
