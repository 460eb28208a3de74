"""The catalogue as an xlsx sheet with Chinese headers: out, edited in an office, and in again as a draft."""

from __future__ import annotations

import datetime as dt
import re
from typing import IO

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.dispatch import editions
from lucheng.core.dispatch.models import Matter, Version
from lucheng.core.dispatch.rules import ASSISTS, BASIS, LEAD, MATTER, NOTE, PLACE, Row, rows_of
from lucheng.core.errors import Text
from lucheng.core.faults import Fault
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Division

VERSION, MATTER_NAME, PLACE_NAME = "版本", "事项名称", "区划名称"
LEAD_NAME, ASSIST_NAMES = "主办单位名称", "协办单位名称"

#: An empty matter means any matter; the version and the names are for the reader.
COLUMNS = (
    sheets.Column(VERSION),
    sheets.Column(MATTER),
    sheets.Column(MATTER_NAME),
    sheets.Column(PLACE, required=True),
    sheets.Column(PLACE_NAME),
    sheets.Column(LEAD, required=True),
    sheets.Column(LEAD_NAME),
    sheets.Column(ASSISTS, longest=2000),
    sheets.Column(ASSIST_NAMES, longest=4000),
    sheets.Column(BASIS, required=True),
    sheets.Column(NOTE),
)
_WIDTHS = (6, 10, 22, 17, 22, 22, 28, 30, 40, 50, 30)
ANY_MATTER = "（全部事项）"
BETWEEN = "、"
_SPLIT = re.compile(r"[、,，;；\s]+")


class _Names:
    """The names that stand beside codes, as the sheet shows them."""

    def __init__(self) -> None:
        self.matters = {**dict(Matter.objects.values_list("code", "name")), "": ANY_MATTER}
        self.places = dict(
            Division.objects.order_by("valid_from").values_list("code", "name")  # the latest name wins
        )
        self.units = dict(Unit.objects.values_list("code", "name"))

    def against(self, cells: dict[str, str]) -> list[tuple[str, Text]]:
        """Where a name that somebody filled in is not the name of the code beside it: one of the two is wrong."""
        wrong: list[tuple[str, Text]] = []
        for code, column, names in (
            (cells[MATTER], MATTER_NAME, self.matters),
            (cells[PLACE], PLACE_NAME, self.places),
            (cells[LEAD], LEAD_NAME, self.units),
        ):
            name = names.get(code)
            if name is not None and cells[column] and cells[column] != name:
                text = _("{code} is “{name}”. Correct the code or the name, or leave the name empty.")
                wrong.append((column, format_lazy(text, code=code or "—", name=name)))
        return wrong


def export_xlsx(version: Version, file: IO[bytes], *, progress: sheets.Progress | None = None) -> int:
    """Write an edition, by matter and place, to ``file``; the number of rows. Import takes it back unchanged."""
    rows = rows_of(version)
    names = _Names()
    sheets.write(
        file,
        "派单目录",
        [c.header for c in COLUMNS],
        (
            (
                str(version.number),
                row.matter,
                names.matters.get(row.matter, ""),
                row.place,
                names.places.get(row.place, ""),
                row.lead,
                names.units[row.lead],
                BETWEEN.join(row.assists),
                BETWEEN.join(names.units[code] for code in row.assists),
                row.basis,
                row.note,
            )
            for row in sheets.counted(rows, progress)
        ),
        _WIDTHS,
    )
    return len(rows)


def import_xlsx(
    file: IO[bytes], note: str, now: dt.datetime, *, progress: sheets.Progress | None = None
) -> Version:
    """Make a draft of the sheet in ``file``, all or none; ``progress(done, total)`` counts checked rows.

    Raises Faulty with every fault at its row and column: see :func:`lucheng.core.sheets.read` for the sheet,
    :class:`lucheng.core.dispatch.rules.Checker` for its rows.
    """
    entries, faults = sheets.read(file, COLUMNS)
    names = _Names()
    rows: list[tuple[int, Row]] = []
    for entry in sheets.counted(entries, progress):
        cells = entry.cells
        faults += [Fault(entry.row, column, text) for column, text in names.against(cells)]
        assists = tuple(code for code in _SPLIT.split(cells[ASSISTS]) if code)
        rows.append(
            (entry.row, Row(cells[MATTER], cells[PLACE], cells[LEAD], assists, cells[BASIS], cells[NOTE]))
        )
    return editions.create(rows, note, now, faults=faults)
