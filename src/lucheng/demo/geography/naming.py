"""Invented names of communities, villages, gacha, grids, estates and roads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from lucheng.core.places.models import Kind
from lucheng.demo import pack
from lucheng.demo.chance import Rng


def shuffled(rng: Rng, *pairs: tuple[list[str], list[str]]) -> Iterator[str]:
    """Every joining of a first and a second part, each once, in random order; then again with 新 before it."""
    every = sorted({a + b for firsts, seconds in pairs for a, b in product(firsts, seconds) if a != b})
    for prefix in ("", "新", "东", "西", "南", "北"):
        for i in rng.permutation(len(every)):
            yield prefix + every[i]


class Communities:
    """Names for the communities, villages and gacha of one county, each given once."""

    def __init__(self, rng: Rng) -> None:
        n = pack.names()
        v = n["village"]
        self._names = {
            Kind.COMMUNITY: shuffled(rng, (n["community"]["first"], n["community"]["second"])),
            Kind.VILLAGE: shuffled(rng, (v["surnames"], v["of_surnames"]), (v["things"], v["of_things"])),
            Kind.GACHA: shuffled(rng, (n["gacha"]["first"], n["gacha"]["second"])),
        }

    def next(self, kind: Kind) -> str:
        return next(self._names[kind]) + _ENDINGS[kind]


_ENDINGS = {Kind.COMMUNITY: "社区", Kind.VILLAGE: "村", Kind.GACHA: "嘎查"}


def bare(community: str, kind: Kind) -> str:
    """The name without its kind.

    >>> bare("巴音花嘎查", Kind.GACHA)
    '巴音花'
    """
    return community.removesuffix(_ENDINGS[kind])


def grid(rng: Rng, kind: Kind, number: int, community: str) -> str:
    """The name of grid ``number``: its number, what it is drawn around, or its villagers' group."""
    n = pack.names()
    if kind == Kind.DEDICATED_GRID:
        types = n["dedicated"]
        chosen = types[rng.choice(len(types), p=[t["share"] for t in types])]
        return f"{bare(community, Kind.COMMUNITY)}{rng.choice(chosen['names'])}网格"
    if kind == Kind.RURAL_GRID:
        words = n["pasture" if community.endswith("嘎查") else "group"]["names"]
        return f"{number:03d}网格（{words[(number - 1) % len(words)]}）"
    return f"{number:03d}网格"
