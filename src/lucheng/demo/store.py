"""Writing the plan of the city down: divisions with outlines, roads, estates, buildings, units, people and posts."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Iterable, Iterator

import shapely

from lucheng.core.copy import copy, next_id, quiet, set_sequence
from lucheng.core.organisation.models import Person, Post, Unit
from lucheng.core.places.models import Boundary, Building, BuildingUnit, Division, Estate, Kind, Road
from lucheng.core.revisions.snapshot import bump
from lucheng.core.sheets import Progress
from lucheng.demo import pack
from lucheng.demo.chance import stream
from lucheng.demo.geography.buildings import Stock
from lucheng.demo.geography.plan import City
from lucheng.demo.organisation import SINCE, Organisation

#: 城乡分类代码 by kind, where the kind tells it.
_URBAN_RURAL = {Kind.COMMUNITY: "111", Kind.VILLAGE: "220", Kind.GACHA: "220"}


def places(city: City, stock: Stock, *, report: Progress = quiet) -> None:
    """Write divisions, outlines and everything built."""
    plan = pack.city()
    divisions = list(city.divisions())
    first = next_id(Division)
    copy(
        Division,
        [
            "id",
            "code",
            "level",
            "kind",
            "name",
            "name_mn",
            "urban_rural_type",
            "households",
            "residents",
            "valid_from",
        ],
        (
            (
                first + i,
                d.code,
                len(d.code),
                d.kind.value,
                d.name,
                "",
                _URBAN_RURAL.get(d.kind, ""),
                d.households,
                d.residents,
                plan.grids_since if len(d.code) == 15 else plan.divisions_since,
            )
            for i, d in enumerate(divisions)
        ),
    )
    copy(
        Boundary,
        ["division_id", "shape", "source_crs", "repaired"],
        ((first + i, shapely.to_wkb(d.shape), "WGS84", "") for i, d in enumerate(divisions)),
    )
    copy(Road, ["name", "place"], stock.roads)
    estates = next_id(Estate)
    copy(
        Estate,
        ["id", "name", "place", "address", "lon", "lat"],
        ((estates + i, e.name, e.place, e.address, e.lon, e.lat) for i, e in enumerate(stock.estates)),
    )
    buildings = next_id(Building)
    copy(
        Building,
        ["id", "estate_id", "name", "grid", "lon", "lat", "floors", "households", "residents"],
        (
            (
                buildings + i,
                estates + b.estate,
                b.name,
                b.grid,
                b.lon,
                b.lat,
                b.floors,
                b.households,
                b.residents,
            )
            for i, b in enumerate(stock.buildings)
        ),
        report=report,
        total=len(stock.buildings),
    )
    copy(
        BuildingUnit,
        ["building_id", "number", "households"],
        (
            (buildings + i, number, int(households))
            for i, b in enumerate(stock.buildings)
            for number, households in enumerate(b.stairwells, start=1)
        ),
    )
    for model in (Division, Boundary, Road, Estate, Building, BuildingUnit):
        set_sequence(model)
    bump("places")


def people(organisation: Organisation, seed: int, *, report: Progress = quiet) -> None:
    """Write units, people and posts. Nobody can sign in until they are given a password."""
    copy(
        Unit,
        ["id", "code", "name", "kind", "parent_id", "place", "domains", "phone", "active"],
        (
            (u.id, u.code, u.name, str(u.kind), u.parent, u.place, "{}", u.phone, True)
            for u in organisation.units
        ),
    )
    copy(
        Person,
        ["id", "password", "username", "name", "language", "is_active"],
        (
            (p.id, unusable, p.username, p.name, "", True)
            for p, unusable in zip(organisation.people, _unusable(seed), strict=False)
        ),
        report=report,
        total=len(organisation.people),
    )
    copy(
        Post,
        ["id", "person_id", "role_id", "unit_id", "place", "domains", "basis", "valid_from"],
        ((p.id, p.person, p.role, p.unit, p.place, "{}", str(p.basis), SINCE) for p in organisation.posts),
    )
    for model in (Unit, Person, Post):
        set_sequence(model)


def _unusable(seed: int) -> Iterator[str]:
    """Password columns that no password fits, as Django writes them: an exclamation mark and a random tail."""
    rng = stream(seed, "unusable passwords")
    letters = list(string.ascii_letters + string.digits)
    while True:
        tails: Iterable[list[str]] = rng.choice(letters, (1000, 40)).tolist()
        for tail in tails:
            yield "!" + "".join(tail)


def day(moment: dt.datetime) -> dt.date:
    """The date of a moment in the city."""
    from lucheng.core.clocks.calendar import ZONE

    return moment.astimezone(ZONE).date()
