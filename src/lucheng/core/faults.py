"""Everything that is wrong with a file of many entries, at once: each fault at its row and column.

Imports are all or nothing: they collect faults, and write only where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid, Text

#: More faults than a person will read are counted, not listed.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to correct. ``row`` counts as the reader sees it (a sheet's row, a pack's entry)."""

    row: int
    column: Text
    text: Text

    def where(self) -> Text:
        if not self.row:
            return self.column
        if not self.column:
            return format_lazy(_("row {row}"), row=self.row)
        return format_lazy(_("row {row}, {column}"), row=self.row, column=self.column)

    def __str__(self) -> str:
        where = self.where()
        return str(format_lazy(_("{where}: {text}"), where=where, text=self.text) if where else self.text)


class Faulty(Invalid):
    """A file that was refused as a whole. ``faults`` stand in the file's order, ``total`` counts all."""

    title = _("The file was not taken over")

    def __init__(self, faults: Sequence[Fault], total: int | None = None) -> None:
        self.faults = tuple(faults[:SHOWN])
        self.total = len(faults) if total is None else total
        super().__init__({str(f.where()): f.text for f in reversed(self.faults)})
