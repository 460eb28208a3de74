"""This room's share of the demo city: criteria, statements and reviews of 2020, priorities, tasks, two campaigns."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS, Division, Kind
from lucheng.core.registers import imports
from lucheng.projects.safe_communities.models import Criterion, Review

_Given = dict[str, Any]


def fill(until: dt.datetime) -> None:
    """Write what stood in 2020; of a smaller city for as many places as it has."""
    pack = packs.of_demo_city("safe_communities.toml")
    day = until.astimezone(ZONE).date()
    divisions = Division.objects.as_of(day)
    root = divisions.get(level=LEVELS["city"])
    units = {unit.place: unit for unit in Unit.objects.order_by("-code") if not unit.code.endswith("station")}
    committees = Unit.objects.filter(kind=Unit.Kind.COMMUNITY).order_by("code")
    statements = list(_statements(pack, list(committees)))
    priorities = list(_priorities(pack, root.code))
    campaigns = list(_campaigns(pack, units[root.code]))
    grids = list(divisions.filter(level=LEVELS["grid"]).order_by("code").values_list("code", "kind"))
    for slug, given in (
        ("safe-criteria", list(_criteria(pack, root.code))),
        ("safe-statements", statements),
        ("safe-reviews", list(_reviews(statements, units))),
        ("safe-priorities", priorities),
        ("safe-tasks", list(_tasks(pack, priorities, units))),
        ("campaigns", campaigns),
        ("campaign-actions", list(_actions(pack, campaigns, grids))),
    ):
        imports.write(slug, given, until)


def _criteria(pack: _Given, city: str) -> Iterator[_Given]:
    for number, criterion in enumerate(Criterion, 1):
        yield {
            "code": f"BZ-{number}",
            "name": pack["criteria"][criterion]["name"],
            "place": city,
            "criterion": criterion.value,
            "evidence": pack["criteria"][criterion]["evidence"],
            "valid_from": "2020-01-01",
        }


def _statements(pack: _Given, committees: list[Unit]) -> Iterator[_Given]:
    chance = random.Random(3)
    for committee in committees:
        open_ = chance.sample(Criterion.values, 1) if chance.randrange(100) < pack["open_percent"] else []
        day = dt.date(2020, 12, 1) + dt.timedelta(days=chance.randrange(14))
        yield {
            "code": f"PA-2020-{committee.place}",
            "name": f"{committee.name}2020年自评",
            "place": committee.place,
            "year": 2020,
            "unit": committee.code,
            "met": "、".join(c for c in Criterion.values if c not in open_),
            "evidence": pack["evidence"],
            "to_do": pack["to_do"] if open_ else None,
            "valid_from": day.isoformat(),
        }


def _reviews(statements: list[_Given], units: dict[str, Unit]) -> Iterator[_Given]:
    chance = random.Random(33)
    for statement in statements:
        place = statement["place"]
        office = next((units[place[:n]] for n in (9, 6, 4) if place[:n] in units), None)
        if office is None:
            continue
        day = dt.date.fromisoformat(statement["valid_from"]) + dt.timedelta(days=chance.randrange(3, 15))
        back = chance.randrange(40) == 0
        yield {
            "code": f"FH-2020-{place}",
            "name": f"{statement['name']}复核",
            "place": place,
            "statement": statement["code"],
            "unit": office.code,
            "result": (Review.Result.SENT_BACK if back else Review.Result.CONFIRMED).value,
            "looked_at": "依据不全，补充后再报。" if back else "查阅台账并实地查看。",
            "valid_from": day.isoformat(),
        }


def _priorities(pack: _Given, city: str) -> Iterator[_Given]:
    number = 0
    for kind, names in pack["priorities"].items():
        for name in names:
            number += 1
            yield {
                "code": f"ZD-{number}",
                "name": name,
                "place": city,
                "kind": kind,
                "approved_by": "演示方案",
                "valid_from": "2020-03-01",
            }


def _tasks(pack: _Given, priorities: list[_Given], units: dict[str, Unit]) -> Iterator[_Given]:
    chance = random.Random(333)
    offices = [u for place, u in sorted(units.items()) if len(place) == LEVELS["township"]]
    for number in range(1, min(pack["tasks"], 3 * len(offices)) + 1):
        office, priority = chance.choice(offices), chance.choice(priorities)
        begun = dt.date(2020, 4, 1) + dt.timedelta(days=chance.randrange(200))
        due = begun + dt.timedelta(days=chance.choice([30, 60]))
        done = begun + dt.timedelta(days=chance.randrange(10, 65))
        yield {
            "code": f"RW-{number:04}",
            "name": f"{office.name}{priority['name']}整治",
            "place": office.place,
            "priority": priority["code"],
            "owner": office.code,
            "due": due,
            "done_on": done,
            "outcome": "已整治并回访。",
            "valid_from": begun,
        }


def _campaigns(pack: _Given, lead: Unit) -> Iterator[_Given]:
    for number, campaign in enumerate(pack["campaign"], 1):
        yield {
            "code": f"XD-2020-{number}",
            "name": campaign["name"],
            "place": lead.place,
            "lead": lead.code,
            "aim": campaign["aim"],
            "valid_from": campaign["since"],
            "valid_to": campaign["until"],
        }


def _actions(pack: _Given, campaigns: list[_Given], grids: list[tuple[str, str]]) -> Iterator[_Given]:
    """Each campaign comes to the grids of its kinds, all but a few."""
    chance = random.Random(3333)
    for campaign, said in zip(campaigns, pack["campaign"], strict=True):
        kinds = {Kind(kind) for kind in said["kinds"]}
        days = (campaign["valid_to"] - campaign["valid_from"]).days
        for grid in (code for code, kind in grids if kind in kinds):
            if chance.randrange(100) >= said["percent"]:
                continue
            yield {
                "code": f"{campaign['code']}-{grid}",
                "name": campaign["name"],
                "place": grid,
                "campaign": campaign["code"],
                "reached": chance.randrange(5, 60),
                "found": chance.choice([0, 0, 0, 0, 1, 2]),
                "valid_from": campaign["valid_from"] + dt.timedelta(days=chance.randrange(days)),
            }
