"""From the world to a code: points a second and addresses a second, each beside a peer in the same run.

    python -m bench locate

Runs in a database of its own, which it makes and drops, on a city made from a seed: 5,519 grids in 855 communities, 91
townships and 10 counties, a tenth of the grids without an outline, 1,200 estates, 16,000 buildings. Peers: for points,
the same R-tree asked as shapely's manual shows it, in one call and in a plain loop; for texts, a plain search for every
name. Rounds of ours and of the peer take turns, and the median counts. What is found is compared with what was meant.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

SEED = 1502
COUNTIES, TOWNSHIPS, COMMUNITIES, GRIDS = 10, 91, 855, 5519
ESTATES, BUILDINGS, ROADS = 1200, 16_000, 400
WITHOUT_OUTLINE = 0.1
CITY = "9901"
SINCE = dt.date(2020, 1, 1)

POINTS, SINGLE, ROUNDS = 200_000, 4_000, 5
ADDRESSES, PLAIN = 4_000, 200

_FIRST = (
    "瑞锦阳丽和金香水翠龙御云鹿青紫华富银新恒嘉景天绿中书怡名澜春枫桂松钢建铁纺机电供德明文永福康宁泉柏兴安盛"
)
_SECOND = "安绣光景谐辉榭岸湖腾苑霞鸣山云盛丽泰都禾和溪泽洲央香仕庭江林雨鹤花工路织北力销源平馨祥河峰岭坡湾港"
_ENDS = ("小区", "花园", "家园", "佳苑", "华府", "新村")


@dataclass
class Made:
    """The city as it was made, for the peers and for checking."""

    outlines: dict[str, Any] = field(default_factory=dict)
    estates: list[tuple[int, str, str]] = field(default_factory=list)
    """Key, name and community."""
    buildings: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """By estate: number and grid."""
    names: list[str] = field(default_factory=list)
    counties: dict[str, str] = field(default_factory=dict)


def _shares(total: int, parts: int) -> list[int]:
    return [total * (i + 1) // parts - total * i // parts for i in range(parts)]


def _codes() -> list[str]:
    """The codes of all grids, nested and numbered as in a real city."""
    codes = []
    towns = _shares(TOWNSHIPS, COUNTIES)
    communities = iter(_shares(COMMUNITIES, TOWNSHIPS))
    grids = iter(_shares(GRIDS, COMMUNITIES))
    for county, count in enumerate(towns, 1):
        for town, community in itertools.chain.from_iterable(
            ((t, c) for c in range(1, next(communities) + 1)) for t in range(1, count + 1)
        ):
            codes += [f"{CITY}{county:02}{town:03}{community:03}{g:03}" for g in range(1, next(grids) + 1)]
    return codes


def _cells(rng: np.random.Generator) -> list[Any]:
    """One cell for each grid, in an order in which neighbours stand together: columns, then rows, then columns."""
    frame = shapely.box(109.7, 40.5, 110.3, 40.9)
    sites = rng.uniform((109.7, 40.5), (110.3, 40.9), (GRIDS, 2))
    order = np.lexsort((sites[:, 0], np.floor(sites[:, 1] * 40), np.floor(sites[:, 0] * 17)))
    cells = shapely.voronoi_polygons(shapely.multipoints(sites[order]), extend_to=frame, ordered=True)
    return list(shapely.segmentize(shapely.intersection(shapely.get_parts(cells), frame), 0.0004))


def _make() -> Made:
    from lucheng.core.places.models import Boundary, Building, Division, Estate, Kind, Road

    rng, chance = np.random.default_rng(SEED), random.Random(SEED)
    made = Made()
    grids = dict(zip(_codes(), _cells(rng), strict=True))
    shapes: dict[str, Any] = dict(grids)
    for digits in (12, 9, 6, 4):
        for code, group in itertools.groupby(sorted(grids), key=lambda c: c[:digits]):
            shapes[code] = shapely.union_all([grids[c] for c in group])

    kinds = {4: Kind.CITY, 6: Kind.DISTRICT, 9: Kind.SUBDISTRICT, 12: Kind.COMMUNITY, 15: Kind.BASIC_GRID}
    endings = {4: "市", 6: "区", 9: "街道", 12: "社区"}
    fresh = _fresh(chance)
    divisions = [
        Division(
            code=code,
            level=len(code),
            kind=kinds[len(code)],
            name=f"{code[-3:]}网格" if len(code) == 15 else next(fresh) + endings[len(code)],
            valid_from=SINCE,
        )
        for code in sorted(shapes)
    ]
    Division.objects.bulk_create(divisions)
    made.counties = {d.code: d.name for d in divisions if d.level == 6}
    kept = [d for d in divisions if d.level < 15 or chance.random() >= WITHOUT_OUTLINE]
    made.outlines = {d.code: shapes[d.code] for d in kept}
    Boundary.objects.bulk_create(
        Boundary(division=d, shape=shapely.to_wkb(shapes[d.code]), source_crs="wgs84") for d in kept
    )

    # A third of the estates share their name with another one, now and then in the same county, as they do in life.
    communities = sorted(c for c in shapes if len(c) == 12)
    titles = [next(fresh) + chance.choice(_ENDS) for _ in range(ESTATES * 5 // 6)]
    titles += titles[: ESTATES - len(titles)]
    estates = Estate.objects.bulk_create(
        Estate(name=name, place=chance.choice(communities), lon=110.0, lat=40.7) for name in titles
    )
    made.estates = [(e.pk, e.name, e.place) for e in estates]
    buildings = []
    below = {c: list(g) for c, g in itertools.groupby(sorted(grids), key=lambda c: c[:12])}
    for estate, count in zip(estates, _shares(BUILDINGS, ESTATES), strict=True):
        for number in range(1, count + 1):
            grid = chance.choice(below[estate.place])
            made.buildings.setdefault(estate.pk, []).append((str(number), grid))
            buildings.append(Building(estate=estate, name=f"{number}号楼", grid=grid, lon=110.0, lat=40.7))
    Building.objects.bulk_create(buildings)
    roads = [
        Road(name=next(fresh) + "大街", place=chance.choice(sorted(made.counties))) for _ in range(ROADS)
    ]
    Road.objects.bulk_create(roads)
    made.names = sorted({d.name for d in divisions if d.level < 15} | {r.name for r in roads} | set(titles))
    return made


def _fresh(chance: random.Random) -> Iterator[str]:
    """Names of two syllables, none twice."""
    pairs = [a + b for a in dict.fromkeys(_FIRST) for b in dict.fromkeys(_SECOND)]
    chance.shuffle(pairs)
    return iter(pairs)


def _rate(work: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _line(name: str, rates: Sequence[float], unit: str) -> None:
    print(f"{name:<58} {median(rates):>12,.0f} {unit}   (from {min(rates):,.0f} to {max(rates):,.0f})")


def _points(made: Made) -> None:
    from lucheng.core.places.locate import locate_point, locate_points

    rng = np.random.default_rng(SEED)
    lon, lat = rng.uniform(109.67, 110.33, POINTS), rng.uniform(40.48, 40.92, POINTS)
    codes = np.array(sorted(c for c in made.outlines if len(c) == 15))
    shapes = np.array([made.outlines[c] for c in codes], dtype=object)
    tree = shapely.STRtree(shapes)

    def ours() -> NDArray[np.str_]:
        return locate_points(lon, lat)

    def bulk() -> NDArray[np.intp]:
        return tree.query(shapely.points(lon, lat), predicate="within")

    def ours_single() -> list[str | None]:
        return [locate_point(x, y) for x, y in zip(lon[:SINGLE], lat[:SINGLE], strict=True)]

    def loop() -> list[str | None]:
        found = []
        for x, y in zip(lon[:SINGLE], lat[:SINGLE], strict=True):
            point = shapely.Point(x, y)
            found.append(next((str(codes[i]) for i in tree.query(point) if shapes[i].contains(point)), None))
        return found

    placed = ours()
    point, shape = bulk()
    assert (placed[point] == codes[shape]).all(), "a point lies in another grid than the peer says"
    assert (placed != "").mean() > 0.8
    assert ours_single() == [c or None for c in placed[:SINGLE].tolist()]
    fallen = float(((np.strings.str_len(placed) < 15) & (placed != "")).mean())
    vertices = shapely.get_num_coordinates(shapes).mean()
    print(
        f"{POINTS:,} points, {len(codes):,} grid outlines of {vertices:.0f} vertices each; "
        f"{(placed == '').mean():.0%} of the points lie outside the city, {fallen:.0%} in a grid without an outline"
    )
    rates: dict[str, list[float]] = {"ours": [], "bulk": [], "single": [], "loop": []}
    for _ in range(ROUNDS):
        rates["ours"].append(_rate(ours, POINTS))
        rates["bulk"].append(_rate(bulk, POINTS))
        rates["single"].append(_rate(ours_single, SINGLE))
        rates["loop"].append(_rate(loop, SINGLE))
    _line("locate_points, with all fall-backs", rates["ours"], "points/s")
    _line("  peer: STRtree.query(predicate='within'), grids only", rates["bulk"], "points/s")
    _line("locate_point, one at a time, with all fall-backs", rates["single"], "points/s")
    _line("  peer: a loop of STRtree.query and contains, grids only", rates["loop"], "points/s")


_MESSAGE = (
    "您好，我想反映一个问题：{}这边的路灯已经坏了好几天，晚上出门看不清路，老人孩子都不敢下楼。之前打过电话，"
    "物业说不归他们管，到现在也没有人来修，希望有关部门尽快处理一下，给个答复。"
)


def _addresses(made: Made) -> list[tuple[str, str]]:
    """Addresses as people write them, and the grid they mean: with the county, and with the building."""
    chance = random.Random(SEED + 1)
    written = []
    for _ in range(ADDRESSES):
        estate, name, place = chance.choice(made.estates)
        number, grid = chance.choice(made.buildings[estate])
        county = made.counties[place[:6]]
        building = chance.choice(["{}号楼", "{}栋", "{}#", "{}号楼2单元501"]).format(number)
        written.append((f"{county}{name}{building}", grid))
    return written


def _texts(made: Made) -> None:
    from lucheng.core.places.locate import locate_text

    addresses = _addresses(made)
    messages = [(_MESSAGE.format(a) * 3)[:300] for a, _ in addresses]
    start = time.perf_counter()
    locate_text(addresses[0][0])
    print(
        f"{len(made.names):,} names and {BUILDINGS:,} buildings read in {time.perf_counter() - start:.1f} s"
    )

    def ours() -> list[Any]:
        return [locate_text(a) for a, _ in addresses]

    def plain() -> list[list[str]]:
        return [[n for n in made.names if n in a] for a, _ in addresses[:PLAIN]]

    def ours_long() -> list[Any]:
        return [locate_text(m) for m in messages[:1000]]

    def plain_long() -> list[list[str]]:
        return [[n for n in made.names if n in m] for m in messages[:PLAIN]]

    found = ours()
    right = sum(bool(f) and f[0].place == grid for f, (_, grid) in zip(found, addresses, strict=True))
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "ours_long": [], "plain_long": []}
    for _ in range(ROUNDS):
        rates["ours"].append(_rate(ours, ADDRESSES))
        rates["plain"].append(_rate(plain, PLAIN))
        rates["ours_long"].append(_rate(ours_long, 1000))
        rates["plain_long"].append(_rate(plain_long, PLAIN))
    _line("locate_text, addresses of county, estate and building", rates["ours"], "addresses/s")
    _line("  peer: every name sought in turn, nothing ranked", rates["plain"], "addresses/s")
    _line("locate_text, messages of 300 characters", rates["ours_long"], "messages/s")
    _line("  peer: every name sought in turn, nothing ranked", rates["plain_long"], "messages/s")
    times = sorted(1e6 / _rate(lambda m=m: locate_text(m), 1) for m in messages)
    print(
        f"a message of 300 characters: p50 {median(times):.0f} µs, p99 {times[int(len(times) * 0.99)]:.0f} µs; "
        f"one of 50,000: {1e3 / _rate(lambda: locate_text(messages[0] * 167), 1):.1f} ms"
    )
    twins = Counter((name, place[:6]) for _, name, place in made.estates)
    unclear = sum(count for count in twins.values() if count > 1) / len(made.estates)
    print(
        f"the grid meant comes first for {right / len(addresses):.1%} of the addresses; "
        f"{unclear:.1%} of the estates have a namesake in their own county"
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.db import connection

    from lucheng.cli import ensure_database
    from lucheng.core.revisions import snapshot

    ensure_database()
    plain_name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "lucheng_bench_locate"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        start = time.perf_counter()
        made = _make()
        snapshot.forget()
        print(f"a city of {GRIDS:,} grids made in {time.perf_counter() - start:.1f} s")
        _points(made)
        _texts(made)
    finally:
        connection.creation.destroy_test_db(plain_name, verbosity=0)


if __name__ == "__main__":
    main()
