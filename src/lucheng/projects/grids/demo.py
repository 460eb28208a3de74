"""This room's share of the demo city: organs and their members serving down in its grids, as many as the city said."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS, Division
from lucheng.core.registers import imports
from lucheng.core.shares import shares
from lucheng.projects.grids.models import Organ

_Given = dict[str, Any]


def fill(until: dt.datetime) -> None:
    """Write organs and services of 2020; in a smaller city no more organs than it has grids."""
    pack = packs.of_demo_city("grids.toml")
    day = until.astimezone(ZONE).date()
    grids = Division.objects.as_of(day).filter(level=LEVELS["grid"]).order_by("code")
    codes = list(grids.values_list("code", flat=True))
    organs = list(_organs(pack, codes))
    imports.write("organs", organs, until, "下沉单位2020.xlsx")
    imports.write("services", _services(pack, organs, codes), until, "下沉服务2020.xlsx")


def _organs(pack: _Given, grids: list[str]) -> Iterator[_Given]:
    """Departments and companies of the city first, then invented enterprises and institutions."""
    chance = random.Random(2)
    count = min(pack["organs"], len(grids))
    members = shares(
        pack["members"] * count // pack["organs"], [chance.uniform(0.5, 1.5) for _ in range(count)]
    )
    kinds = {Unit.Kind.DEPARTMENT: Organ.Kind.ORGAN, Unit.Kind.COMPANY: Organ.Kind.ENTERPRISE}
    units = list(Unit.objects.filter(kind__in=list(kinds), active=True).order_by("code")[:count])
    for number in range(count):
        unit = units[number] if number < len(units) else None
        grid = grids[number * len(grids) // count]
        invented = chance.choice(list(pack["invented"]))
        name = f"{chance.choice(pack['words'])}{invented}"
        yield {
            "code": f"XC-{number + 1:05}",
            "name": unit.name if unit is not None else f"第{number + 1}号{name}",
            "place": unit.place if unit is not None else grid[: LEVELS["community"]],
            "kind": kinds[Unit.Kind(unit.kind)] if unit is not None else pack["invented"][invented],
            "unit": unit.code if unit is not None else None,
            "party_members": members[number] + chance.randrange(20),
            "phone": f"0472-0{chance.randrange(100_000, 1_000_000)}",
            "valid_from": "2020-03-01",
            "serving": members[number],
        }


def _services(pack: _Given, organs: list[_Given], grids: list[str]) -> Iterator[_Given]:
    """Each organ serves in grids that lie beside each other, a few members in each."""
    chance = random.Random(22)
    number = 0
    for n, organ in enumerate(organs):
        start = n * len(grids) // len(organs)
        here = grids[start : max(start + 1, (n + 1) * len(grids) // len(organs))]
        for grid, members in zip(here, shares(organ["serving"], [1] * len(here)), strict=True):
            if not members:
                continue
            number += 1
            begun = dt.date(2020, 3, 1) + dt.timedelta(days=chance.randrange(240))
            yield {
                "code": f"FW-{number:05}",
                "name": f"{organ['name']}下沉服务",
                "place": grid,
                "organ": organ["code"],
                "members": members,
                "doing": chance.choice(pack["doing"]),
                "valid_from": begun.isoformat(),
            }
