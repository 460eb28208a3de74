"""What cases are about: a class of matter for each, by nature and season."""

from __future__ import annotations

import datetime as dt
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from lucheng.core.dispatch.models import Matter
from lucheng.demo.cases.rhythm import in_season, plan
from lucheng.demo.chance import Rng


@dataclass(frozen=True)
class Subject:
    """One class of matter, with what is needed to write about it."""

    code: str
    name: str
    urgency: str
    grassroots: bool
    examples: tuple[str, ...]


class Subjects:
    """Chooses a class for a nature on a day."""

    def __init__(self, rng: Rng) -> None:
        every = list(Matter.objects.order_by("code"))
        above = {m.code[:-2] for m in every}
        self.all: Mapping[str, Subject] = {
            m.code: Subject(
                m.code, m.name, m.urgency, m.grassroots, tuple(m.examples) or tuple(m.terms) or (m.name,)
            )
            for m in every
            if m.code not in above
        }
        #: Middle class → its classes.
        self.beside: dict[str, list[str]] = {}
        for code in self.all:
            self.beside.setdefault(code[:4], []).append(code)
        self._rows = sorted(plan()["matter"], key=lambda row: -len(row["prefix"]))
        share = {code: float(g) for code, g in zip(self.all, rng.gamma(2.0, 1.0, len(self.all)), strict=True)}
        self._row_of = {code: self._row(code) for code in self.all}
        total: dict[str, float] = {}
        for code, row in self._row_of.items():
            total[row["prefix"]] = total.get(row["prefix"], 0.0) + share[code]
        self._share = {code: share[code] / total[row["prefix"]] for code, row in self._row_of.items()}
        self._seasons: Mapping[str, Sequence[Sequence[int]]] = plan()["seasons"]
        self._days: dict[dt.date, tuple[str, ...]] = {}
        self._tables: dict[tuple[str, tuple[str, ...]], tuple[list[str], list[float]]] = {}

    def _row(self, code: str) -> dict[str, Any]:
        for row in self._rows:
            if code.startswith(row["prefix"]):
                found: dict[str, Any] = row
                return found
        raise ValueError(f"cases.toml says nothing of matter {code}")

    def choose(self, random: Random, nature: str, day: dt.date) -> Subject:
        """A class for something of this nature that comes in on this day."""
        seasons = self._days.get(day)
        if seasons is None:
            seasons = tuple(name for name, spans in self._seasons.items() if in_season(day, spans))
            self._days[day] = seasons
        table = self._tables.get((nature, seasons))
        if table is None:
            table = self._tables[nature, seasons] = self._table(nature, seasons)
        codes, sums = table
        return self.all[codes[bisect(sums, random.random() * sums[-1])]]

    def _table(self, nature: str, seasons: tuple[str, ...]) -> tuple[list[str], list[float]]:
        codes, weights = [], []
        for code, row in self._row_of.items():
            weight = row.get(nature, 0) * self._share[code]
            for season in seasons:
                weight *= row.get("season", {}).get(season, 1.0)
            if weight > 0:
                codes.append(code)
                weights.append(weight)
        return codes, list(accumulate(weights))
