"""This room's share of the demo city: one town's joint hall, its windows and shifts, rangers' posts, inspections."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS, Division
from lucheng.core.registers import imports
from lucheng.core.registers.models import Weekday
from lucheng.projects.border_service.models import Department, Task


def fill(until: dt.datetime) -> None:
    """Write every register of this room, at the border town or, in a smaller city, at its last township."""
    pack, day = packs.of_demo_city("border_service.toml"), until.astimezone(ZONE).date()
    divisions = Division.objects.as_of(day).order_by("code")
    towns = divisions.filter(level=LEVELS["township"])
    town = towns.filter(code=pack["place"]).first() or towns.last()
    if town is None:
        return
    chance = random.Random(10)
    villages = list(divisions.under(town.code).filter(level=LEVELS["community"]))
    windows = list(_windows(pack, town))
    posts = list(_posts(pack, chance, villages))
    for slug, name, given in [
        ("border-halls", "联动大厅.xlsx", [_hall(pack, town)]),
        ("border-windows", "派驻窗口.xlsx", windows),
        ("border-shifts", "大厅排班.xlsx", _shifts(pack, windows)),
        ("ranger-posts", "护边员岗位.xlsx", posts),
        ("ranger-training", "护边员培训.xlsx", _trainings(pack, chance, posts, day)),
        ("ranger-duty", "护边员执勤.xlsx", _duty(posts, day)),
        ("border-inspections", "联合检查.xlsx", _inspections(pack, chance, villages, day)),
    ]:
        imports.write(slug, given, until, name)


def _hall(pack: dict[str, Any], town: Division) -> dict[str, Any]:
    unit = Unit.objects.filter(code=f"{town.code}-office", active=True).first()
    return {
        "code": "BT-1",
        "name": f"{town.name}{pack['hall']['name']}",
        "place": town.code,
        "unit": unit.code if unit is not None else "",
        "functions": "、".join(pack["hall"]["functions"]),
        "hours": pack["hall"]["hours"],
        "phone": "0472-0800100",
        "valid_from": pack["since"],
    }


def _windows(pack: dict[str, Any], town: Division) -> Iterator[dict[str, Any]]:
    for window in pack["window"]:
        yield {
            "code": f"BC-{window['department']}",
            "name": window["name"],
            "place": town.code,
            "hall": "BT-1",
            "department": window["department"],
            "matters": "、".join(window["matters"]),
            "valid_from": pack["since"],
        }


def _shifts(pack: dict[str, Any], windows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for window in windows:
        for n, shift in enumerate(pack["shift"], 1):
            yield {
                "code": f"BB-{window['department']}-{n}",
                "name": f"{window['name']}{shift['name']}",
                "place": window["place"],
                "window": window["code"],
                "weekdays": "、".join(Weekday.values),
                "begins": shift["begins"],
                "ends": shift["ends"],
                "staff": shift["staff"],
                "valid_from": window["valid_from"],
            }


def _posts(
    pack: dict[str, Any], chance: random.Random, villages: Sequence[Division]
) -> Iterator[dict[str, Any]]:
    least, most = pack["rangers"]["posts"]
    for village in villages:
        posts = chance.randrange(least, most + 1)
        filled = posts - chance.randrange(0, pack["rangers"]["vacant"] + 1)
        yield {
            "code": f"HB-{village.code}",
            "name": f"{village.name}护边员岗位",
            "place": village.code,
            "posts": posts,
            "filled": filled,
            "insured": filled,
            "valid_from": pack["since"],
        }


def _trainings(
    pack: dict[str, Any], chance: random.Random, posts: Sequence[dict[str, Any]], day: dt.date
) -> Iterator[dict[str, Any]]:
    """Two a year for the posts of each village."""
    topics = pack["trainings"]["topics"]
    for v, post in enumerate(posts):
        for n in range(2 * (day.year - 2020) + 2):
            on = dt.date(2020 + n // 2, 5 if n % 2 == 0 else 10, 10)
            if on >= day:
                break
            topic = topics[(v + n) % len(topics)]
            yield {
                "code": f"HX-{post['place']}-{n + 1:02}",
                "name": pack["trainings"]["names"][topic],
                "place": post["place"],
                "of": post["code"],
                "topic": topic,
                "hours": pack["trainings"]["hours"],
                "trained": post["filled"] - chance.randrange(0, 3),
                "valid_from": on,
                "valid_to": on + dt.timedelta(days=1),
            }


def _duty(posts: Sequence[dict[str, Any]], day: dt.date) -> Iterator[dict[str, Any]]:
    """A plan for each quarter; of those that are over also what was done."""
    for post in posts:
        for n in range(1, 4 * (day.year - 2020) + 4):
            first = dt.date(2020 + n // 4, 3 * (n % 4) + 1, 1)
            last = dt.date(2020 + (n + 1) // 4, 3 * ((n + 1) % 4) + 1, 1)
            if first > day:
                break
            planned = 20 * post["filled"]
            yield {
                "code": f"HZ-{post['place']}-{first.year}{first.month:02}",
                "name": f"{first.year}年第{n % 4 + 1}季度执勤",
                "place": post["place"],
                "of": post["code"],
                "tasks": "、".join(Task.values),
                "planned": planned,
                "served": planned - n % 5 if last <= day else None,
                "valid_from": first,
                "valid_to": last,
            }


def _inspections(
    pack: dict[str, Any], chance: random.Random, villages: Sequence[Division], day: dt.date
) -> Iterator[dict[str, Any]]:
    """Every third finds nothing; the others are put right, a few late, and looked at again."""
    facilities = pack["inspections"]["facility"]
    begin = dt.date(2020, 5, 1)
    apart = max(1, (day - begin).days // (pack["inspections"]["count"] - 1))
    for n in range(pack["inspections"]["count"] if villages else 0):
        kind, on = facilities[n % len(facilities)], begin + dt.timedelta(days=n * apart)
        if on > day:
            break
        wrong = n % 3 != 0
        due = on + dt.timedelta(days=30)
        put_right = on + dt.timedelta(days=chance.choice((7, 15, 21, 28, 38)))
        seen = put_right + dt.timedelta(days=5)
        over = wrong and seen <= day
        village = villages[n % len(villages)]
        yield {
            "code": f"LC-{n + 1:02}",
            "name": f"{village.name}{kind['name']}",
            "place": village.code,
            "facility": kind["facility"],
            "departments": "、".join(
                d.value for d in (Department.POLICE, Department.TOWNSHIP, Department.EMERGENCY)
            ),
            "found": kind["found"] if wrong else "",
            "due": due if wrong else None,
            "put_right": put_right if over else None,
            "seen": seen if over else None,
            "valid_from": on,
            "valid_to": (seen if over else on) + dt.timedelta(days=1) if over or not wrong else None,
        }
