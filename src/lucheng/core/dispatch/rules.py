"""What a row of the catalogue must satisfy before it is written, and again before its edition is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.dispatch.models import Matter, Rule, Version
from lucheng.core.errors import Text
from lucheng.core.faults import Fault
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Division

#: The columns of the exchanged sheet, by which faults are named everywhere (派单目录 as offices keep it).
MATTER, PLACE, LEAD, ASSISTS = "事项编码", "区划编码", "主办单位编码", "协办单位编码"
BASIS, NOTE = "依据", "备注"

#: Units that stand at the grass roots: they take only what is on their list of duties.
GRASSROOTS = (Unit.Kind.STREET, Unit.Kind.COMMUNITY)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as people write it: units by their codes."""

    matter: str
    place: str
    lead: str
    assists: tuple[str, ...]
    basis: str
    note: str = ""


class _Unit(NamedTuple):
    id: int
    name: str
    kind: str
    active: bool


class Checker:
    """The rules over rows, with what they need of matters, places and units read once."""

    def __init__(self, day: dt.date) -> None:
        self.units = {
            code: _Unit(pk, name, kind, active)
            for code, pk, name, kind, active in Unit.objects.values_list(
                "code", "id", "name", "kind", "active"
            )
        }
        self._places = set(Division.objects.as_of(day).values_list("code", flat=True))
        matters = dict(Matter.objects.values_list("code", "grassroots"))
        self._matters = matters.keys() | {""}
        #: Every prefix under which some matter is a department's own.
        self._departments = {
            code[:end] for code, listed in matters.items() if not listed for end in range(0, len(code) + 1, 2)
        }

    def row(self, row: Row) -> list[tuple[str, Text]]:
        """What is wrong with one row, as (column, text).

        The duties of a department stay with it (国办函〔2025〕66号; Beijing art. 17; Weifang art. 24): a
        sub-district, township or community leads only where every matter under the row's prefix is on its list
        of duties. Overlap of duties is decided by whoever writes the row: the city's department leads, the
        others assist (Weifang art. 24).
        """
        wrong: list[tuple[str, Text]] = []
        if row.matter not in self._matters:
            text = _("There is no matter {code}. If a zero at its front is gone, format the column as text.")
            wrong.append((MATTER, format_lazy(text, code=row.matter)))
        if row.place not in self._places:
            wrong.append(
                (PLACE, format_lazy(_("There is no division or grid {code} in force."), code=row.place))
            )
        lead = self.units.get(row.lead)
        wrong += [(LEAD, text) for text in self._unit(row.lead)]
        if lead is not None and lead.kind in GRASSROOTS and row.matter in self._departments:
            text = _(
                "{unit} may lead only matters on the list of duties of sub-districts and townships: "
                "name the department, or narrow the row."
            )
            wrong.append((LEAD, format_lazy(text, unit=lead.name)))
        for at, code in enumerate(row.assists):
            wrong += [(ASSISTS, text) for text in self._unit(code)]
            if code == row.lead:
                wrong.append((ASSISTS, _("The lead unit cannot assist itself.")))
            elif code in row.assists[:at]:
                wrong.append((ASSISTS, format_lazy(_("Unit {code} stands here twice."), code=code)))
        if not row.basis.strip():
            wrong.append((BASIS, _("Name the law, regulation or list of powers and duties.")))
        return wrong

    def _unit(self, code: str) -> list[Text]:
        unit = self.units.get(code)
        if unit is None:
            return [format_lazy(_("There is no unit with the code {code}."), code=code)]
        if not unit.active:
            return [format_lazy(_("{unit} has been closed."), unit=unit.name)]
        return []

    def rows(self, rows: Iterable[tuple[int, Row]]) -> list[Fault]:
        """All faults of numbered rows, rows that repeat another's matter and place among them."""
        faults: list[Fault] = []
        seen: dict[tuple[str, str], int] = {}
        for number, row in rows:
            faults += [Fault(number, column, text) for column, text in self.row(row)]
            first = seen.setdefault((row.matter, row.place), number)
            if first != number:
                text = format_lazy(_("The same matter and place as row {row}."), row=first)
                faults.append(Fault(number, MATTER, text))
        return faults


def rows_of(version: Version, **only: str) -> list[Row]:
    """The rows of an edition, by matter and place; ``only`` those with the given matter or place."""
    rules = Rule.objects.filter(version=version, **only)
    assists: dict[int, list[str]] = {}
    through = Rule.assists.through.objects.filter(rule__in=rules).order_by("id")
    for rule_id, code in through.values_list("rule_id", "unit__code"):
        assists.setdefault(rule_id, []).append(code)
    return [
        Row(matter, place, lead, tuple(assists.get(rule_id, ())), basis, note)
        for rule_id, matter, place, lead, basis, note in rules.order_by("matter", "place").values_list(
            "id", "matter", "place", "lead__code", "basis", "note"
        )
    ]
