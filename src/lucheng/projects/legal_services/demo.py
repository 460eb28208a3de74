"""This room's share of the demo city: as many outlets on each level as the city has published, with their lawyers."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

import shapely

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Boundary, Division, Kind
from lucheng.core.registers import imports
from lucheng.core.registers.models import Weekday
from lucheng.projects.legal_services.models import Level, Standing

#: The kinds of division that have an outlet of each level; the development zone has none.
_KINDS: dict[Level, tuple[Kind, ...]] = {
    Level.CITY: (Kind.CITY,),
    Level.COUNTY: (Kind.DISTRICT, Kind.BANNER, Kind.COUNTY),
    Level.TOWNSHIP: (Kind.SUBDISTRICT, Kind.TOWN, Kind.TOWNSHIP, Kind.SUMU),
    Level.VILLAGE: (Kind.COMMUNITY, Kind.VILLAGE, Kind.GACHA),
}


def fill(until: dt.datetime) -> None:
    """Write outlets, rosters, advisers and the expert pool; of a smaller city as many as it has places for."""
    pack = packs.of_demo_city("legal_services.toml")
    people = packs.of_demo_city("names.toml")["people"]
    chance = random.Random(8)
    outlets = list(_outlets(pack, chance, until.astimezone(ZONE).date()))
    for slug, name, given in [
        ("legal-outlets", "公共法律服务实体平台2020.xlsx", outlets),
        ("legal-duty", "律师值班表.xlsx", _turns(pack, people, chance, outlets)),
        ("legal-advisers", "村居法律顾问聘任表.xlsx", _advisers(pack, people, chance, outlets)),
        ("mediation-experts", "人民调解专家库.xlsx", _experts(pack, people, chance)),
    ]:
        imports.write(slug, given, until, name)


def _some(places: Sequence[Division], count: int) -> list[Division]:
    """``count`` of the places, spread over all of them; all where there are no more."""
    if len(places) <= count:
        return list(places)
    return [places[n * len(places) // count] for n in range(count)]


def _outlets(pack: dict[str, Any], chance: random.Random, day: dt.date) -> Iterator[dict[str, Any]]:
    units = set(Unit.objects.filter(active=True).values_list("code", flat=True))
    for level, kinds in _KINDS.items():
        places = list(Division.objects.as_of(day).filter(kind__in=kinds).order_by("code"))
        chosen = _some(places, pack["count"][level])
        shapes = dict(Boundary.objects.filter(division__in=chosen).values_list("division__code", "shape"))
        for place in chosen:
            point = shapely.from_wkb(bytes(shapes[place.code])).representative_point()
            least, most = pack["area"][level]
            begun = dt.date(2020, 1, 1) + dt.timedelta(days=chance.randrange(0, 330))
            street = chance.choice(pack["address"]["streets"])
            office, bureau = f"{place.code}-justice-office", f"{place.code[:6]}-justice"
            yield {
                "code": f"FL-{place.code}",
                "name": f"{place.name}{pack['name'][level]}",
                "place": place.code,
                "address": f"{street}{chance.randrange(1, 200)}号",
                "lon": round(point.x, 6),
                "lat": round(point.y, 6),
                "postcode": pack["address"]["postcode"],
                "level": level.value,
                "unit": next((u for u in (office, bureau) if u in units), ""),
                "services": "、".join(pack["services"][level]),
                "hours": pack["hours"][level],
                "phone": _phone(chance),
                "area": chance.randrange(least, most + 1),
                "valid_from": begun.isoformat(),
            }


def _phone(chance: random.Random) -> str:
    return f"0472-0{chance.randrange(100_000, 1_000_000)}"


def _person(people: dict[str, Any], chance: random.Random) -> str:
    given = chance.sample(people["given"], chance.randrange(1, 3))
    return "".join([chance.choice(people["surnames"]), *given])


def _turns(
    pack: dict[str, Any], people: dict[str, Any], chance: random.Random, outlets: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """One lawyer for each working day in the centres, one a week in a station."""
    weekdays = Weekday.values[:5]
    for outlet in outlets:
        if "lawyer" not in pack["services"][outlet["level"]]:
            continue
        centre = outlet["level"] in (Level.CITY, Level.COUNTY)
        for weekday in weekdays if centre else [chance.choice(weekdays)]:
            yield {
                "code": f"ZB-{outlet['place']}-{weekday}",
                "name": _person(people, chance),
                "place": outlet["place"],
                "outlet": outlet["code"],
                "firm": chance.choice(pack["firms"]["lawyer"]),
                "weekdays": weekday,
                "begins": "09:00" if centre else "14:30",
                "ends": "17:00",
                "valid_from": outlet["valid_from"],
            }


def _advisers(
    pack: dict[str, Any], people: dict[str, Any], chance: random.Random, outlets: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Each village with a room has an adviser, contract after contract; who advises has three or four villages."""
    plan = pack["advisers"]
    pool = []
    for n in range(plan["people"]):
        standing = Standing.LEGAL_WORKER if n % 4 == 0 else Standing.LAWYER
        pool.append(
            {
                "name": _person(people, chance),
                "standing": standing.value,
                "firm": chance.choice(pack["firms"][standing]),
                "phone": _phone(chance),
            }
        )
    for outlet in outlets:
        if outlet["level"] != Level.VILLAGE:
            continue
        for begin, end in zip(plan["contracts"], plan["contracts"][1:], strict=False):
            yield {
                **chance.choice(pool),
                "code": f"GW-{outlet['place']}-{begin}",
                "place": outlet["place"],
                "there": chance.choice(plan["there"]),
                "valid_from": f"{begin}-01-01",
                "valid_to": f"{end}-01-01",
            }


def _experts(pack: dict[str, Any], people: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    counties = list(Division.objects.filter(kind__in=_KINDS[Level.COUNTY], valid_to=None).order_by("code"))
    professions = pack["experts"]["profession"]
    for n in range(pack["experts"]["count"]):
        county, profession = counties[n % len(counties)], professions[n % len(professions)]
        yield {
            "code": f"ZJ-{n + 1:03}",
            "name": _person(people, chance),
            "place": county.code,
            "fields": "、".join(profession["fields"]),
            "post": f"{county.name}{profession['post']}",
            "grade": chance.choice("1234"),
            "phone": _phone(chance),
            "valid_from": "2020-06-01",
        }
