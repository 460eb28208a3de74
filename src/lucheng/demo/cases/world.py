"""What the stories ask of the city that stands in the database: places, units, people, the catalogue in force."""

from __future__ import annotations

import datetime as dt
from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from django.conf import settings
from django.utils import translation

from lucheng.core.clocks.calendar import Calendar
from lucheng.core.clocks.holidays import calendar
from lucheng.core.clocks.models import ClockKind
from lucheng.core.dispatch import alarms, catalogue
from lucheng.core.dispatch.catalogue import Decision, Edition
from lucheng.core.organisation.models import Post, Unit
from lucheng.core.places.models import Building, Division, Estate, Kind, Road
from lucheng.demo.cases.subjects import Subjects
from lucheng.demo.chance import stream


@dataclass(frozen=True, slots=True)
class Where:
    """A place that a case names: its code, a point if there is one, the address, and how people call it."""

    place: str
    lon: float | None
    lat: float | None
    address: str
    words: str


@dataclass
class World:
    """Everything held in memory. Read it, do not change it."""

    root: str
    names: dict[str, str]
    edition: Edition
    calendar: Calendar
    subjects: Subjects
    #: Unit → (code, kind, place).
    units: dict[int, tuple[str, str, str]]
    unit_names: dict[int, str]
    by_code: dict[str, int]
    parents: dict[int, int | None]
    #: (role, unit) → people.
    serving: dict[tuple[str, int | None], list[int]]
    #: Grid → its workers.
    workers: dict[str, list[int]]
    grids: list[str]
    townships: list[str]
    roads: dict[str, list[str]]
    hotline: int
    #: Clock → its name in messages.
    clock_names: dict[str, str]
    #: Grid, estate, address, building, longitude, latitude.
    _buildings: list[tuple[str, str, str, str, float | None, float | None]]
    _sums: list[float] = field(repr=False)
    _decisions: dict[tuple[str, str], Decision | None] = field(default_factory=dict)
    _reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def decide(self, matter: str, place: str) -> Decision | None:
        """What the catalogue says; rows hold for cities, counties or townships, which is as far as it is remembered."""
        key = (matter, place[:9])
        if key not in self._decisions:
            self._decisions[key] = self.edition.match(*key)
        return self._decisions[key]

    def why_none(self, matter: str, place: str) -> str:
        """Why the catalogue has no answer, as the alarm keeps it."""
        key = (matter, place[:9])
        if key not in self._reasons:
            self._reasons[key] = alarms.words(catalogue.why_none(*key))
        return self._reasons[key]

    def near(self, random: Random) -> Where:
        """Somewhere in the city: mostly at a building, by its households, else along a road or in a township."""
        shape = random.random()
        if shape < 0.80:
            grid, estate, address, building, lon, lat = self._buildings[
                bisect(self._sums, random.random() * self._sums[-1])
            ]
            exact = shape < 0.62
            words = (
                f"{self.names[grid[:6]]}{estate}{building}" if exact else f"{self.names[grid[:9]]}{estate}"
            )
            return Where(grid, lon, lat, f"{address}{estate}{building if exact else ''}", words)
        township = random.choice(self.townships)
        if shape < 0.96 and self.roads.get(township):
            road = random.choice(self.roads[township])
            words = f"{self.names[township[:6]]}{self.names[township]}{road}"
            return Where(township, None, None, f"{road}附近", words)
        if shape < 0.985:
            return Where(township, None, None, "", f"{self.names[township[:6]]}{self.names[township]}")
        return Where(self.root, None, None, "", self.names[self.root])

    def first_built(self, place: str) -> str:
        """The first grid of a place in which buildings stand."""
        return next(grid for grid, *_rest in self._buildings if grid.startswith(place))

    def in_grid(self, random: Random, grid: str) -> Where:
        """A spot in a grid, as its worker reports it."""
        name = self.names[grid]
        community = self.names[grid[:12]]
        return Where(grid, None, None, "", f"{community}{name}")

    def handler(self, random: Random, unit: int) -> int:
        """Somebody who handles cases in the unit."""
        return random.choice(self.serving["handler", unit])

    def centre(self, random: Random, role: str) -> int:
        """Somebody in this role at the hotline centre."""
        return random.choice(self.serving[role, self.hotline])

    def unit(self, key: str, place: str) -> int | None:
        """The unit called ``key`` in the place's county, or else the city's."""
        return self.by_code.get(f"{place[:6]}-{key}") or self.by_code.get(f"{self.root}-{key}")

    def above(self, unit: int) -> set[int]:
        """The unit and its line of command below the city itself, and everything beneath it."""
        line = {unit}
        step = self.parents[unit]
        while step is not None and self.parents[step] is not None:
            line.add(step)
            step = self.parents[step]
        return line | {u for u in self.units if self._under(u, unit)}

    def _under(self, unit: int, top: int) -> bool:
        step: int | None = unit
        while step is not None:
            if step == top:
                return True
            step = self.parents[step]
        return False


def load(seed: int, day: dt.date) -> World:
    """Read the city as it stands on ``day``."""
    divisions = Division.objects.as_of(day).order_by("code")
    names = dict(divisions.values_list("code", "name"))
    kinds = dict(divisions.values_list("code", "kind"))
    root = min(names, key=len)
    estates = {
        pk: (name, address) for pk, name, address in Estate.objects.values_list("id", "name", "address")
    }
    buildings, weights = [], []
    for estate, name, grid, lon, lat, households in Building.objects.order_by("id").values_list(
        "estate_id", "name", "grid", "lon", "lat", "households"
    ):
        buildings.append((grid, *estates[estate], name, lon, lat))
        weights.append(float(households))
    units: dict[int, tuple[str, str, str]] = {}
    unit_names: dict[int, str] = {}
    by_code: dict[str, int] = {}
    parents: dict[int, int | None] = {}
    for pk, code, name, kind, place, parent in Unit.objects.order_by("id").values_list(
        "id", "code", "name", "kind", "place", "parent_id"
    ):
        units[pk], unit_names[pk], by_code[code], parents[pk] = (code, kind, place), name, pk, parent
    serving: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    workers: dict[str, list[int]] = defaultdict(list)
    for person, role, unit, place in (
        Post.objects.filter(Post.in_force(day))
        .order_by("id")
        .values_list("person_id", "role_id", "unit_id", "place")
    ):
        serving[role, unit].append(person)
        if role == "grid_worker":
            workers[place].append(person)
    roads: dict[str, list[str]] = defaultdict(list)
    for name, place in Road.objects.order_by("id").values_list("name", "place"):
        roads[place].append(name)
    with translation.override(settings.LANGUAGE_CODE):
        clock_names = {kind.value: str(kind.label) for kind in ClockKind}
    return World(
        root=root,
        names=names,
        edition=catalogue.published(),
        calendar=calendar(),
        subjects=Subjects(stream(seed, "subjects")),
        units=units,
        unit_names=unit_names,
        by_code=by_code,
        parents=parents,
        serving=dict(serving),
        workers=dict(workers),
        grids=[c for c, k in kinds.items() if k in (Kind.BASIC_GRID, Kind.RURAL_GRID, Kind.DEDICATED_GRID)],
        townships=[c for c in names if len(c) == 9],
        roads=dict(roads),
        hotline=next(pk for pk, (_code, kind, _place) in units.items() if kind == Unit.Kind.HOTLINE),
        clock_names=clock_names,
        _buildings=buildings,
        _sums=list(accumulate(weights)),
    )
