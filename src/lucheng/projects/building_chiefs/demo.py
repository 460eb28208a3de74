"""This room's share of the demo city: officers for every building of its urban estates, and their visits of 2020."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Building, Division, Kind
from lucheng.core.registers import imports
from lucheng.core.shares import shares


def fill(until: dt.datetime) -> None:
    """Write the officers and visits of the year 2020; of a smaller city no more officers than it has buildings."""
    pack = packs.of_demo_city("building_chiefs.toml")
    people = packs.of_demo_city("names.toml")["people"]
    chiefs = list(_chiefs(pack, people, until.astimezone(ZONE).date()))
    imports.write("chiefs", (given for given, _charge in chiefs), until, "楼长民警2020.xlsx")
    imports.write("visits", _visits(pack, chiefs), until, "楼长走访2020.xlsx")


_Chief = tuple[dict[str, Any], list[Building]]


def _chiefs(pack: dict[str, Any], people: dict[str, Any], day: dt.date) -> Iterator[_Chief]:
    """What each officer's entry says, and the buildings in their charge: those of an estate in the order of numbers."""
    chance = random.Random(5)
    urban = set(Division.objects.as_of(day).filter(kind=Kind.COMMUNITY).values_list("code", flat=True))
    estates: dict[Any, list[Building]] = defaultdict(list)
    for building in Building.objects.select_related("estate").order_by("estate", "id"):
        if building.estate is not None and building.estate.place in urban:
            estates[building.estate].append(building)
    police = dict(Unit.objects.filter(kind=Unit.Kind.POLICE).order_by("-code").values_list("place", "code"))
    officers = min(pack["officers"], sum(map(len, estates.values())))
    # One officer at least for each estate; the others where the buildings are.
    others = shares(officers - len(estates), [len(b) - 1 for b in estates.values()])
    number = 0
    for (estate, buildings), more in zip(estates.items(), others, strict=True):
        taken = shares(len(buildings), [1] * (more + 1))
        for turn, count in enumerate(taken, 1):
            number += 1
            start = sum(taken[: turn - 1])
            charge = buildings[start : start + count]
            place = estate.place
            given = {
                "code": f"LZ-{place}-{number:05}",
                "name": f"{estate.name}楼长{turn if more else ''}",
                "place": place,
                "lon": round(charge[0].lon, 6) if charge[0].lon is not None else None,
                "lat": round(charge[0].lat, 6) if charge[0].lat is not None else None,
                "estate": estate.name,
                "buildings": "、".join(b.name for b in charge) if more else "",
                "officer": chance.choice(people["surnames"]) + chance.choice(people["given"]),
                "badge": f"{pack['first_badge'] + number}",
                "unit": police.get(place[:9]) or police.get(place[:6]) or police[place[:4]],
                "phone": f"0472-0{chance.randrange(100_000, 1_000_000)}",
                "valid_from": (dt.date(2020, 1, 2) + dt.timedelta(days=chance.randrange(90))).isoformat(),
            }
            yield given, charge


def _visits(pack: dict[str, Any], chiefs: list[_Chief]) -> Iterator[dict[str, Any]]:
    """A round of each officer's, which come to the city's own figures; in a smaller city to what its buildings hold."""
    chance = random.Random(55)
    households = _counted(
        pack["households"], [sum(b.households for b in charge) for _given, charge in chiefs]
    )
    people = _counted(pack["registrations"], [sum(b.residents for b in charge) for _given, charge in chiefs])
    part = sum(households) / pack["households"]
    hazards, opinions = (
        shares(round(pack[name] * part), [chance.random() for _ in chiefs])
        for name in ("hazards", "opinions")
    )
    for number, (chief, charge) in enumerate(chiefs):
        day = dt.date(2020, 4, 1) + dt.timedelta(days=chance.randrange(270))
        yield {
            "code": f"ZF-2020-{number + 1:05}",
            "name": f"{chief['name']}走访",
            "place": chief["place"],
            "chief": chief["code"],
            "building": charge[0].name if len(charge) == 1 else "",
            "households": households[number],
            "people": people[number] if households[number] else 0,
            "hazards": hazards[number],
            "opinions": opinions[number],
            "valid_from": day.isoformat(),
        }


def _counted(total: int, living: list[int]) -> list[int]:
    return shares(min(total, sum(living)), living)
