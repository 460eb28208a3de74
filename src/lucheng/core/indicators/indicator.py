"""What an indicator is, which there are, and what they come to at a place in a period."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

from django.apps import apps
from django.db.models import Count, Model, QuerySet, Sum
from django.db.models.functions import Left
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import NotFound, Text
from lucheng.core.fields import within
from lucheng.core.indicators.periods import Window
from lucheng.core.places.models import LEVELS

#: How a figure comes about, in a person's words.
OBTAINED: Mapping[str, Text] = {
    "counted": pgettext_lazy("indicator", "counted from records"),
    "measured": pgettext_lazy("indicator", "measured"),
    "declared": pgettext_lazy("indicator", "declared by a committee"),
}


@dataclass(frozen=True)
class Rows:
    """The records that are counted, and how."""

    query: Callable[[Window], QuerySet[Any]]
    #: The field that holds the place; a path to another record's where it is not their own; empty: the whole city's.
    place: str = "place"
    #: The field that is added up; empty: each record counts one.
    add: str = ""
    #: The field whose different values are counted; empty: records.
    distinct: str = ""

    def under(self, window: Window, place: str) -> QuerySet[Any]:
        """The records themselves: what a figure opens to."""
        rows = self.query(window)
        return rows.filter(within(self.place, place)) if place and self.place else rows

    def _sum(self) -> Any:
        if self.add:
            return Sum(self.add, default=0)
        return Count(self.distinct, distinct=True) if self.distinct else Count("pk")

    def count(self, window: Window, place: str) -> float:
        """What they come to under a place."""
        return float(self.under(window, place).order_by().aggregate(n=self._sum())["n"] or 0)

    def by_place(self, window: Window, place: str, length: int) -> dict[str, float]:
        """The same for every division of codes with ``length`` digits under ``place``, in one query."""
        if not self.place:
            return {}
        rows = self.under(window, place).annotate(at=Left(self.place, length)).order_by().values("at")
        found = rows.annotate(n=self._sum()).values_list("at", "n")
        return {at: float(n or 0) for at, n in found if len(at) == length}


@dataclass(frozen=True)
class Indicator:
    """One figure: what is counted, over what, and how it is read."""

    #: As in the city's own tables: "1.centres.city".
    id: str
    name: Text
    unit: Text
    #: The formula in words.
    formula: Text
    numerator: Rows
    #: None: the figure is a number; else a share of these, times ``times``.
    denominator: Rows | None = None
    times: float = 1.0
    better: Literal["more", "fewer", ""] = "more"
    obtained: str = "counted"
    #: Whether it counts what stands at the end of the period ("stock") or what happened in it ("flow").
    kind: Literal["stock", "flow"] = "stock"
    #: Digits after the point.
    digits: int = 0

    @property
    def project(self) -> int:
        """The number of its project; 0 for those of the whole programme."""
        first = self.id.partition(".")[0]
        return int(first) if first.isdecimal() else 0

    def value(self, window: Window, place: str) -> Value:
        """What it comes to under ``place`` in ``window``."""
        over = self.denominator.count(window, place) if self.denominator is not None else None
        return self.of(self.numerator.count(window, place), over, window.day)

    def by_place(self, window: Window, place: str, length: int) -> dict[str, Value]:
        """The same for every division of codes with ``length`` digits under ``place``; two queries at most."""
        top = self.numerator.by_place(window, place, length)
        if self.denominator is None:
            return {at: self.of(n, None, window.day) for at, n in top.items()}
        below = self.denominator.by_place(window, place, length)
        return {at: self.of(top.get(at, 0.0), n, window.day) for at, n in below.items()}

    def of(self, numerator: float, denominator: float | None, day: dt.date) -> Value:
        if denominator is None:
            return Value(numerator, numerator, None, day)
        return Value(
            self.times * numerator / denominator if denominator else None, numerator, denominator, day
        )


@dataclass(frozen=True)
class Value:
    """What an indicator came to. ``value`` is None where nothing is there to be counted over: no share of nothing."""

    value: float | None
    numerator: float
    denominator: float | None
    as_of: dt.date

    def interval(self) -> tuple[float, float] | None:
        """Where a share may lie that was seen on so few: the 95 % interval of Wilson (1927), as shares from 0 to 1.

        None for a number, for a share of nothing, and where numerator and denominator are no counts of one another.

        >>> [round(x, 3) for x in Value(0.5, 5, 10, dt.date(2020, 1, 1)).interval()]
        [0.237, 0.763]
        """
        n, k = self.denominator, self.numerator
        if not n or k > n:
            return None
        z = 1.959964
        p, z2 = k / n, z * z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@cache
def indicators() -> Mapping[str, Indicator]:
    """Every room's indicators by their ids, in the order of projects. Raises ValueError where an id stands twice."""
    found: list[Indicator] = []
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.indicators"):
            found += getattr(import_module(f"{config.name}.indicators"), "INDICATORS", ())
    ids = [i.id for i in found]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise ValueError(f"indicators with the same id: {', '.join(twice)}")
    return {i.id: i for i in sorted(found, key=lambda i: i.project or 99)}


def named(id: str) -> Indicator:
    """The indicator with this id. Raises NotFound."""
    found = indicators().get(id)
    if found is None:
        raise NotFound(_("There is no such figure."))
    return found


def level_below(place: str) -> int:
    """The digits of the codes of the divisions below ``place``; those of a grid where none are."""
    return next((n for n in LEVELS.values() if n > len(place)), LEVELS["grid"])


def stands(model: type[Model], **where: Any) -> Callable[[Window], QuerySet[Any]]:
    """The entries of a register (or divisions) in force on a window's day, narrowed by ``where``."""
    return lambda window: model._default_manager.all().as_of(window.day).filter(**where)  # type: ignore[attr-defined]
