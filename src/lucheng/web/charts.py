"""A figure for a page: a table first, with its unit, its source and its time; a script draws it where there is one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise


@dataclass(frozen=True)
class Series:
    """One column of figures. ``shape`` says how it is drawn ("" for a column that stands in the table only), ``tone``
    names a colour of tokens.css."""

    key: str
    name: str | Promise
    shape: Literal["", "bar", "line"] = "bar"
    tone: str = "deep"


@dataclass(frozen=True)
class Cell:
    """One figure and the address of its rows; None stands for what is not known."""

    value: float | None
    address: str = ""


@dataclass(frozen=True)
class Line:
    """One row: its words, and a cell for each series."""

    label: str
    cells: Sequence[Cell]
    key: str = ""
    address: str = ""


@dataclass(frozen=True)
class Chart:
    """``{% include "web/chart.html" with chart=chart %}``. ``heading`` stands over the words of the lines; ``flat``
    draws bars lying down, for long words; ``live`` lets the island "live" renew the table."""

    id: str
    caption: str | Promise
    unit: str | Promise
    source: str | Promise
    as_of: dt.datetime
    heading: str | Promise
    series: Sequence[Series]
    lines: Sequence[Line]
    stacked: bool = False
    flat: bool = False
    live: bool = False

    def rows(self) -> list[tuple[Line, list[tuple[Series, Cell]]]]:
        """Every line with its cells beside their series."""
        return [(line, list(zip(self.series, line.cells, strict=True))) for line in self.lines]
