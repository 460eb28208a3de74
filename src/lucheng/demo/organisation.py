"""The units of the city and who serves in them: planned as rows, with the numbers under which they will be stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from lucheng.core import packs
from lucheng.core.organisation.models import Post, Unit
from lucheng.core.places.models import Kind
from lucheng.demo import pack
from lucheng.demo.chance import Rng, apportion, stream
from lucheng.demo.geography.naming import bare
from lucheng.demo.geography.plan import City


@dataclass
class UnitRow:
    id: int
    code: str
    name: str
    kind: str
    parent: int | None
    place: str
    phone: str


@dataclass
class PersonRow:
    id: int
    username: str
    name: str


@dataclass
class PostRow:
    id: int
    person: int
    role: str
    unit: int | None
    place: str
    basis: str


@dataclass
class Organisation:
    """Everything at once, with the look-ups that later steps ask for."""

    units: list[UnitRow] = field(default_factory=list)
    people: list[PersonRow] = field(default_factory=list)
    posts: list[PostRow] = field(default_factory=list)
    #: Username → role of the accounts with which one looks around.
    accounts: dict[str, str] = field(default_factory=dict)
    by_code: dict[str, UnitRow] = field(default_factory=dict)
    #: (role, unit) → people who hold it there.
    serving: dict[tuple[str, int | None], list[int]] = field(default_factory=dict)
    #: Grid → its workers.
    workers: dict[str, list[int]] = field(default_factory=dict)

    def unit(self, key: str, place: str) -> UnitRow | None:
        """The unit of the pack called ``key`` at exactly this place."""
        return self.by_code.get(f"{place}-{key}")

    def people_of(self, role: str, unit: int | None) -> list[int]:
        return self.serving.get((role, unit), [])


@dataclass
class _Writer:
    """Adds rows and hands out numbers, each kind from its own first one."""

    out: Organisation
    rng: Rng
    next_unit: int
    next_person: int
    next_post: int

    def unit(self, key: str, name: str, kind: str, parent: UnitRow | None, place: str) -> UnitRow:
        number = self.next_unit + len(self.out.units)
        row = UnitRow(
            id=number,
            code=f"{place}-{key}",
            name=name,
            kind=kind,
            parent=None if parent is None else parent.id,
            place=place,
            phone=packs.of_demo_city("units.toml")["phone"].format(len(self.out.units) + 1),
        )
        self.out.units.append(row)
        self.out.by_code[row.code] = row
        return row

    def person(
        self, username: str, role: str, unit: UnitRow | None, place: str, *, basis: str = "full"
    ) -> int:
        number = self.next_person + len(self.out.people)
        self.out.people.append(PersonRow(number, username, ""))
        where = None if unit is None else unit.id
        self.out.posts.append(
            PostRow(self.next_post + len(self.out.posts), number, role, where, place, basis)
        )
        self.out.serving.setdefault((role, where), []).append(number)
        return number


def organise(
    city: City, seed: int, *, first_unit: int = 1, first_person: int = 1, first_post: int = 1
) -> Organisation:
    """Plan all units, people and posts. Numbers start where they are told; the same seed gives the same rows."""
    out = Organisation()
    writer = _Writer(out, stream(seed, "organise"), first_unit, first_person, first_post)
    _units(writer, city)
    _accounts(writer, city)
    _staff(writer)
    _grids(writer, city)
    _name_people(out, stream(seed, "people"))
    return out


def _units(w: _Writer, city: City) -> None:
    plan = packs.of_demo_city("units.toml")
    root = w.unit(
        plan["root"]["key"], city.name + plan["root"]["name"], Unit.Kind.GOVERNMENT, None, city.code
    )
    w.unit(plan["hotline"]["key"], city.name + plan["hotline"]["name"], Unit.Kind.HOTLINE, root, city.code)
    for body in plan["body"]:
        name = body["name"] if body["kind"] == "company" else city.name + body["name"]
        w.unit(body["key"], name, body["kind"], root, city.code)
    shorts = {c.code: c.short for c in pack.city().counties}
    for county in city.counties:
        short = shorts[county.code]
        government = w.unit(
            plan["root"]["key"], short + plan["root"]["name"], Unit.Kind.GOVERNMENT, root, county.code
        )
        for body in plan["body"]:
            if body["counties"] == "all" or county.code in body["counties"]:
                name = short + body.get("county_name", body["name"])
                w.unit(body["key"], name, body["kind"], government, county.code)
        for township in county.townships:
            office = (
                township.name if township.kind == Kind.PARK else f"{township.name}{_office(township.kind)}"
            )
            street = w.unit("office", office, Unit.Kind.STREET, government, township.code)
            for c in township.communities:
                name = bare(c.name, c.kind) + _COMMITTEES[c.kind]
                w.unit("committee", name, Unit.Kind.COMMUNITY, street, c.code)
    _stations(w, city, plan["station"])


_COMMITTEES = {Kind.COMMUNITY: "社区居民委员会", Kind.VILLAGE: "村民委员会", Kind.GACHA: "嘎查委员会"}


def _office(kind: Kind) -> str:
    return {Kind.SUBDISTRICT: "办事处"}.get(kind, "人民政府")


def _stations(w: _Writer, city: City, stations: list[dict[str, str | int]]) -> None:
    """Police stations and justice offices: the largest townships have one."""
    townships = sorted(
        (t for county in city.counties for t in county.townships), key=lambda t: (-t.residents, t.code)
    )
    for station in stations:
        for t in townships[: int(station["count"])]:
            above = w.out.by_code[f"{t.code[:6]}-{station['under']}"]
            short = t.name.removesuffix("街道").removesuffix("镇").removesuffix("乡").removesuffix("苏木")
            w.unit(str(station["key"]), f"{short}{station['name']}", str(station["kind"]), above, t.code)


def _accounts(w: _Writer, city: City) -> None:
    for account in packs.of_demo_city("staff.toml")["account"]:
        unit = w.out.by_code[account["unit"]] if "unit" in account else None
        place = account.get("place") or (unit.place if unit is not None else city.code)
        if place == "basic_grid":
            assert unit is not None  # the pack says whose
            basic = (g.code for g in city.grids() if g.kind == Kind.BASIC_GRID)
            place = next(code for code in basic if code.startswith(unit.place))
        w.person(account["username"], account["role"], unit, place)
        w.out.accounts[account["username"]] = account["role"]
        if account["role"] == "grid_worker":
            w.out.workers.setdefault(place, []).append(w.out.people[-1].id)


def _staff(w: _Writer) -> None:
    plan = packs.of_demo_city("staff.toml")
    for unit in list(w.out.units):
        if unit.kind == Unit.Kind.HOTLINE:
            _fill(w, unit, plan["hotline"])
        elif unit.kind == Unit.Kind.GOVERNMENT and len(unit.place) == 6:
            _fill(w, unit, plan["county"])
        elif unit.kind == Unit.Kind.COMMUNITY:
            _fill(w, unit, plan["community"])
        _fill(w, unit, {"handler": plan["handlers"][unit.kind]})


def _fill(w: _Writer, unit: UnitRow, roles: dict[str, int]) -> None:
    for role, count in roles.items():
        for n in range(len(w.out.people_of(role, unit.id)), count):
            w.person(f"{role.replace('_', '-')}-{unit.code}-{n + 1}", role, unit, unit.place)


def _grids(w: _Writer, city: City) -> None:
    """Grid heads, one to a grid, and grid workers, at least one to a grid: their exact number at full scale."""
    totals = pack.city().totals
    grids = list(city.grids())
    workers = max(len(grids), round(totals["grid_workers"] * len(grids) / totals["grids"]))
    need = {Kind.BASIC_GRID: 1.3, Kind.RURAL_GRID: 0.8, Kind.DEDICATED_GRID: 0.6}
    shares = apportion(workers, [need[g.kind] for g in grids], 1)
    full_left = round(workers * totals["full_time_share"])
    for turn in range(int(shares.max())):
        for grid, share in zip(grids, shares, strict=True):
            if turn >= share:
                continue
            basis = Post.Basis.FULL if full_left > 0 else Post.Basis.PART
            full_left -= 1
            held = w.out.workers.setdefault(grid.code, [])
            if turn < len(held):
                continue  # an account to look around with is one of the workers
            committee = w.out.by_code[f"{grid.code[:12]}-committee"]
            held.append(
                w.person(f"g{grid.code}-{turn + 1}", "grid_worker", committee, grid.code, basis=basis)
            )
    for grid in grids:
        committee = w.out.by_code[f"{grid.code[:12]}-committee"]
        w.person(f"z{grid.code}", "grid_head", committee, grid.code)


def _name_people(out: Organisation, rng: Rng) -> None:
    for row, name in zip(out.people, invented_names(rng, len(out.people)), strict=True):
        row.name = name


def invented_names(rng: Rng, count: int) -> Iterator[str]:
    """Names joined from common syllables: a person of such a name is a coincidence."""
    n = pack.names()["people"]
    surnames = rng.choice(n["surnames"], count)
    first, second = rng.choice(n["given"], count), rng.choice(n["given"], count)
    mongolian = rng.choice(n["mongolian"], count)
    shape = rng.random(count)
    for i in range(count):
        if shape[i] < 0.1:
            yield str(mongolian[i])
        elif shape[i] < 0.4 or first[i] == second[i]:
            yield f"{surnames[i]}{first[i]}"
        else:
            yield f"{surnames[i]}{first[i]}{second[i]}"


#: Since when posts are held.
SINCE = dt.date(2020, 1, 1)
