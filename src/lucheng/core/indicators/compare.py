"""Figures that a city has published, against what its records come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.faults import Fault, Faulty
from lucheng.core.indicators.indicator import Indicator, indicators
from lucheng.core.indicators.periods import Window

RELATIONS = ("=", ">=", "<=")


@dataclass(frozen=True)
class Compared:
    """One published figure. ``holds`` says whether the records stand to it as it says."""

    indicator: Indicator
    relation: str
    published: float
    value: float | None

    @property
    def holds(self) -> bool:
        if self.value is None:
            return False
        near = abs(self.value - self.published) < 0.5 * 10.0**-self.indicator.digits
        if self.relation == "=":
            return near
        return near or (self.value > self.published) == (self.relation == ">=")


def compare(path: Path, window: Window, place: str) -> list[Compared]:
    """Every figure of a CSV or xlsx file with the columns id, relation (=, >= or <=) and value.

    Raises Faulty with every fault at its row.
    """
    columns = [sheets.Column(name, required=True) for name in ("id", "relation", "value")]
    with path.open("rb") as file:
        entries, faults = sheets.read(file, columns)
    known = indicators()
    found: list[Compared] = []
    for entry in entries:
        name, relation, text = (entry.cells[c.header] for c in columns)
        try:
            published = float(text)
        except ValueError:
            faults.append(Fault(entry.row, "value", _("Write a number.")))
            continue
        if name not in known:
            faults.append(Fault(entry.row, "id", format_lazy(_("There is no figure “{name}”."), name=name)))
        elif relation not in RELATIONS:
            faults.append(Fault(entry.row, "relation", _("Write =, >= or <=.")))
        else:
            value = known[name].value(window, place).value
            found.append(Compared(known[name], relation, published, value))
    if faults:
        raise Faulty(faults)
    return found
