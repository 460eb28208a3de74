"""This room's share of the demo city: organisations, agencies with their workers, projects, volunteers and posts."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS, Division, Kind
from lucheng.core.registers import imports
from lucheng.projects.social_work.models import GRADES, Outcome, Post


def fill(until: dt.datetime) -> None:
    """Write every register of this room; organisations and posts of a smaller city by its communities."""
    pack, day = packs.of_demo_city("social_work.toml"), until.astimezone(ZONE).date()
    chance = random.Random(9)
    communities = list(
        Division.objects.as_of(day)
        .filter(kind__in=(Kind.COMMUNITY, Kind.VILLAGE, Kind.GACHA))
        .order_by("code")
    )
    places = Division.objects.as_of(day)
    counties = list(places.filter(level=LEVELS["county"]).order_by("code"))
    root = places.filter(level=LEVELS["city"]).order_by("code").first()
    if not communities or not counties or root is None:
        return
    since = pack["since"]
    organisations = list(_organisations(pack, chance, communities, since))
    agencies = list(_agencies(pack, chance, counties, since))
    incubators = list(_incubators(pack, chance, counties, since))
    projects = list(_projects(pack, chance, agencies, day))
    for slug, name, given in [
        ("social-organisations", "社区社会组织2020.xlsx", organisations),
        ("social-agencies", "社工机构2020.xlsx", agencies),
        ("social-workers", "社工人数.xlsx", _workers(pack, agencies)),
        ("incubators", "孵化基地.xlsx", incubators),
        ("incubations", "入驻孵化.xlsx", _incubations(pack, chance, incubators, day)),
        ("social-projects", "社工项目合同.xlsx", projects),
        ("social-milestones", "社工项目节点.xlsx", _milestones(pack, chance, projects, day)),
        ("volunteer-hours", "志愿服务时长.xlsx", _activities(pack, chance, communities, day)),
        ("pay-grades", "三岗十八级薪酬表.xlsx", _pay(pack, root, since)),
        ("community-posts", "社区工作者定岗定级.xlsx", _posts(pack, communities, since)),
    ]:
        imports.write(slug, given, until, name)


def _phone(chance: random.Random) -> str:
    return f"0472-0{chance.randrange(100_000, 1_000_000)}"


def _organisations(
    pack: dict[str, Any], chance: random.Random, communities: Sequence[Division], since: dt.date
) -> Iterator[dict[str, Any]]:
    plan = pack["organisations"]
    count = min(plan["count"], len(communities))
    for n in range(count):
        place = communities[n * len(communities) // count]
        kind = n % len(plan["names"])
        yield {
            "code": f"SZ-{place.code}",
            "name": f"{place.name}{plan['names'][kind]}",
            "place": place.code,
            "purpose": plan["purposes"][kind],
            "standing": "registered" if n % 7 == 0 else "filed",
            "members": chance.randrange(8, 80),
            "valid_from": since + dt.timedelta(days=chance.randrange(0, 330)),
        }


def _agencies(
    pack: dict[str, Any], chance: random.Random, counties: Sequence[Division], since: dt.date
) -> Iterator[dict[str, Any]]:
    plan = pack["agencies"]
    for n in range(plan["count"]):
        county = counties[n % len(counties)]
        first = plan["first"][n % len(plan["first"])]
        second = plan["second"][n // len(plan["first"]) % len(plan["second"])]
        yield {
            "code": f"SG-{n + 1:02}",
            "name": f"{county.name}{first}{second}",
            "place": county.code,
            "phone": _phone(chance),
            "valid_from": since,
        }


def _workers(pack: dict[str, Any], agencies: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The count of 2020, and one of two years later, which follows it."""
    plan = pack["agencies"]
    for n, agency in enumerate(agencies):
        workers = plan["workers"][n % len(plan["workers"])]
        frame = {"name": agency["name"], "place": agency["place"], "agency": agency["code"]}
        second = dt.date(2022, 1, 1)
        yield {
            **frame,
            "code": f"SR-{n + 1:02}-1",
            "workers": workers,
            "certified": workers // 2,
            "valid_from": agency["valid_from"],
            "valid_to": second,
        }
        yield {
            **frame,
            "code": f"SR-{n + 1:02}-2",
            "workers": workers + plan["growth"],
            "certified": workers // 2 + plan["growth"],
            "valid_from": second,
        }


def _incubators(
    pack: dict[str, Any], chance: random.Random, counties: Sequence[Division], since: dt.date
) -> Iterator[dict[str, Any]]:
    for n, incubator in enumerate(pack["incubator"], 1):
        county = counties[incubator["county"] % len(counties)]
        yield {
            "code": f"FH-{n}",
            "name": f"{county.name}{incubator['name']}",
            "place": county.code,
            "area": incubator["area"],
            "places": incubator["places"],
            "phone": _phone(chance),
            "valid_from": since,
        }


def _incubations(
    pack: dict[str, Any], chance: random.Random, incubators: Sequence[dict[str, Any]], day: dt.date
) -> Iterator[dict[str, Any]]:
    names = pack["organisations"]["names"]
    for incubator in incubators:
        for n in range(incubator["places"]):
            begun = dt.date(2020, 3, 1) + dt.timedelta(days=90 * n)
            end = begun + dt.timedelta(days=540)
            if begun >= day:
                break
            over = end <= day
            yield {
                "code": f"FY-{incubator['code']}-{n + 1:02}",
                "name": f"{names[n % len(names)]}（{begun.year}）",
                "place": incubator["place"],
                "incubator": incubator["code"],
                "valid_from": begun,
                "valid_to": end if over else None,
                "outcome": chance.choice(Outcome.values) if over else "",
            }


def _projects(
    pack: dict[str, Any], chance: random.Random, agencies: Sequence[dict[str, Any]], day: dt.date
) -> Iterator[dict[str, Any]]:
    plan = pack["projects"]
    buyers = set(Unit.objects.filter(code__endswith="-civil-affairs").values_list("code", flat=True))
    for n in range(plan["count"]):
        agency = agencies[n % len(agencies)]
        buyer = f"{agency['place']}-civil-affairs"
        begun = dt.date(2020 + n % (day.year - 2019), 4, 1)
        kind = n % len(plan["names"])
        yield {
            "code": f"SX-{n + 1:02}",
            "name": f"{plan['names'][kind]}项目",
            "place": agency["place"],
            "agency": agency["code"],
            "buyer": buyer if buyer in buyers else "",
            "sphere": plan["spheres"][kind],
            "contract": f"民购〔{begun.year}〕{n + 1:03}号",
            "amount": chance.choice(plan["amounts"]),
            "valid_from": begun,
            "valid_to": begun.replace(year=begun.year + 1),
            "result": "服务量按合同完成，居民反馈良好。" if begun.year + 1 < day.year else "",
        }


def _milestones(
    pack: dict[str, Any], chance: random.Random, projects: Sequence[dict[str, Any]], day: dt.date
) -> Iterator[dict[str, Any]]:
    for project in projects:
        for n, name in enumerate(pack["projects"]["milestones"], 1):
            due = project["valid_from"] + dt.timedelta(days=110 * n)
            done = due + dt.timedelta(days=chance.choice((-12, -6, -2, 0, 0, 9)))
            over = done < day
            yield {
                "code": f"{project['code']}-{n}",
                "name": name,
                "place": project["place"],
                "project": project["code"],
                "due": due,
                "done": done if over else None,
                "reached": chance.randrange(30, 400) if over else None,
                "result": f"{name}完成，资料已归档。" if over else "",
                "valid_from": project["valid_from"],
                "valid_to": project["valid_to"],
            }


def _activities(
    pack: dict[str, Any], chance: random.Random, communities: Sequence[Division], day: dt.date
) -> Iterator[dict[str, Any]]:
    plan = pack["volunteers"]
    begin = dt.date(2020, 1, 1)
    for n in range(plan["activities"]):
        place = chance.choice(communities)
        on = begin + dt.timedelta(days=chance.randrange(0, max(1, (day - begin).days)))
        people = chance.randrange(5, 40)
        yield {
            "code": f"ZY-{n + 1:04}",
            "name": chance.choice(plan["names"]),
            "place": place.code,
            "people": people,
            "hours": people * chance.randrange(2, 5),
            "valid_from": on,
            "valid_to": on + dt.timedelta(days=1),
        }


def _pay(pack: dict[str, Any], root: Division, since: dt.date) -> Iterator[dict[str, Any]]:
    plan = pack["pay"]
    for post, (least, most) in GRADES.items():
        for grade in range(least, most + 1):
            yield {
                "code": f"XC-{post.value}-{grade:02}",
                "name": f"{_POSTS[post]}{grade}级",
                "place": root.code,
                "post": post.value,
                "grade": grade,
                "pay": plan["base"] + plan["step"] * grade,
                "pay_before": plan["before"][post.value],
                "valid_from": since,
            }


_POSTS = {Post.CHIEF: "正职", Post.DEPUTY: "副职", Post.OTHER: "其他"}


def _posts(pack: dict[str, Any], communities: Sequence[Division], since: dt.date) -> Iterator[dict[str, Any]]:
    """Ten community workers in each urban community, by the tens of the pack; those of a community in one row count
    together."""
    tens = pack["pay"]["tens"]
    urban = [place for place in communities if place.kind == Kind.COMMUNITY]
    for n, place in enumerate(urban):
        for (post, grade), people in sorted(Counter(map(tuple, tens[n % len(tens)])).items()):
            yield {
                "code": f"SQ-{place.code}-{post}-{grade:02}",
                "name": f"{place.name}{_POSTS[Post(post)]}{grade}级",
                "place": place.code,
                "row": f"XC-{post}-{grade:02}",
                "people": people,
                "valid_from": since,
            }
