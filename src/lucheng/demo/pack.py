"""The demo city's pack: what is public about it (names and codes) and what is invented (all the rest)."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lucheng.core.packs import DEMO_CITY, of_demo_city
from lucheng.core.places.models import Kind


@dataclass(frozen=True)
class Township:
    code: str
    name: str
    kind: Kind
    lon: float
    lat: float
    #: Weights by which a county's urban communities and villages are shared among its townships.
    urban: float
    rural: float
    #: Share of its villages that are gacha.
    gacha: float


@dataclass(frozen=True)
class County:
    code: str
    name: str
    #: As the names of its offices begin.
    short: str
    kind: Kind
    communities: int
    villages: int
    basic: int
    rural: int
    dedicated: int
    townships: tuple[Township, ...] = field(repr=False)


@dataclass(frozen=True)
class Spread:
    """A number that varies: mean, spread, least and most."""

    mean: float
    spread: float
    least: int
    most: int


@dataclass(frozen=True)
class City:
    code: str
    name: str
    #: Longitude and latitude, convex.
    outline: tuple[tuple[float, float], ...]
    divisions_since: dt.date
    grids_since: dt.date
    counties: tuple[County, ...]
    totals: dict[str, Any]
    people: dict[str, Any]
    stock: list[dict[str, Any]]
    raw: dict[str, Any] = field(repr=False)


def spread(values: list[float]) -> Spread:
    mean, sd, least, most = values
    return Spread(mean, sd, int(least), int(most))


def read_tsv(name: str) -> list[dict[str, str]]:
    with (DEMO_CITY / name).open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t"))


@cache
def city() -> City:
    """The pack, read and joined: each township with its public name and its invented site.

    Raises KeyError where a township stands in one file and not in the other.
    """
    raw = of_demo_city("city.toml")
    public = {r["code"]: r["name"] for r in read_tsv("townships.tsv")}
    sites = read_tsv("siting.tsv")
    unsited = {c for c in public if len(c) == 9} - {s["code"] for s in sites}
    if unsited:
        raise KeyError(f"townships without a site in siting.tsv: {sorted(unsited)}")
    townships = [
        Township(
            code=s["code"],
            name=public[s["code"]],
            kind=Kind(s["kind"]),
            lon=float(s["lon"]),
            lat=float(s["lat"]),
            urban=float(s["urban"]),
            rural=float(s["rural"]),
            gacha=float(s["gacha"]),
        )
        for s in sites
    ]
    counties = tuple(
        County(
            code=c["code"],
            name=public[c["code"]],
            short=c["short"],
            kind=Kind(c["kind"]),
            communities=c["communities"],
            villages=c["villages"],
            basic=c["basic"],
            rural=c["rural"],
            dedicated=c["dedicated"],
            townships=tuple(t for t in townships if t.code.startswith(c["code"])),
        )
        for c in raw["counties"]
    )
    return City(
        code=raw["city"]["code"],
        name=raw["city"]["name"],
        outline=tuple((float(x), float(y)) for x, y in raw["city"]["outline"]),
        divisions_since=raw["city"]["divisions_since"],
        grids_since=raw["city"]["grids_since"],
        counties=counties,
        totals=raw["totals"],
        people=raw["people"],
        stock=raw["stock"],
        raw=raw,
    )


def names() -> dict[str, Any]:
    """The syllables from which names are made."""
    return of_demo_city("names.toml")
