"""The table of time limits: choosing the row for a case, loading and exporting the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.db import transaction
from django.db.models import TextChoices
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Nature, Urgency
from lucheng.core.clocks.holidays import parse, unreadable
from lucheng.core.clocks.models import ClockKind, TimeLimit, TimeUnit
from lucheng.core.dispatch import matters
from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.fields import words_for
from lucheng.core.ledger import acts
from lucheng.core.revisions.snapshot import Snapshot, bump

#: The limits that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "time_limits.toml"

_REVISION = "time_limits"
_LONGEST_AMOUNT = 9999  # a year of hours, and no slip of the hand that ends after the calendar


@dataclass(frozen=True)
class _Column:
    """One column of the table: the model's field, the sheet's header, and how a cell is read."""

    field: str
    header: str
    choices: type[TextChoices] | None = None
    required: bool = False
    default: int | None = (
        None  # of a number; its range is 1 to ``most``, or 0 to ``most`` where it has a default
    )
    most: int = 0
    longest: int = 40


_COLUMNS = (
    _Column("clock", "时钟", choices=ClockKind, required=True),
    _Column("case_kind", "案件种类"),
    _Column("nature", "诉求类型", choices=Nature),
    _Column("urgency", "紧急程度", choices=Urgency),
    _Column("matter", "事项代码", longest=12),
    _Column("amount", "时限", required=True, most=_LONGEST_AMOUNT),
    _Column("unit", "单位", choices=TimeUnit, required=True),
    _Column("warn_percent", "预警百分比", default=75, most=100),
    _Column("escalate_percent", "升级百分比", default=50, most=1000),
    _Column("basis", "依据", longest=200),
)
_KEY = ("clock", "case_kind", "nature", "urgency", "matter")
_FIELDS = tuple(c.field for c in _COLUMNS)


def _load() -> dict[str, list[TimeLimit]]:
    rows: dict[str, list[TimeLimit]] = {}
    for limit in TimeLimit.objects.all():
        rows.setdefault(limit.clock, []).append(limit)
    for of_clock in rows.values():
        of_clock.sort(key=_specificity, reverse=True)
    return rows


def _specificity(limit: TimeLimit) -> tuple[bool, bool, int, bool]:
    return limit.urgency != "", limit.case_kind != "", len(limit.matter), limit.nature != ""


_limits = Snapshot(_REVISION, _load)


def limit_for(clock: str, case_kind: str, nature: str, urgency: str, matter: str) -> TimeLimit | None:
    """The row of the table that holds for this clock on such a case; none where the table sets no limit.

    Of the rows that fit, one that names the urgency goes before one that does not (an emergency never waits on an
    ordinary limit), then one that names the kind of case, then the longest matter prefix, then one that names the
    nature. The row belongs to a copy in memory: read it, do not change it.
    """
    for limit in _limits.get().get(clock, ()):
        if (
            limit.urgency in ("", urgency)
            and limit.case_kind in ("", case_kind)
            and matter.startswith(limit.matter)
            and limit.nature in ("", nature)
        ):
            return limit
    return None


@dataclass(frozen=True)
class Loaded:
    """How many rows a file added, changed, removed and left as they were.

    ``idle`` names rows that fit no case for now: of a kind that no installed project brings, of a matter not loaded.
    """

    added: int
    changed: int
    removed: int
    unchanged: int
    idle: tuple[Fault, ...]


def read(path: Path) -> list[TimeLimit]:
    """The rows of a file, unsaved: a sheet (xlsx, csv) with one limit in each row, or TOML with one in each
    ``[[limit]]``. Choices may be written as codes or in the words of either language.

    Raises Faulty with every fault at its row and column.
    """
    if path.suffix.lower() == ".toml":
        return _check(*_toml(path), [c.field for c in _COLUMNS])
    return _check(*_sheet(path), [c.header for c in _COLUMNS])


_Rows = list[tuple[int, dict[str, str]]]


def _toml(path: Path) -> tuple[_Rows, list[Fault]]:
    parsed = parse(path)
    entries = parsed.pop("limit", None)
    if parsed or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise Faulty([Fault(0, path.name, _("write [[limit]] entries and nothing else"))])
    faults: list[Fault] = []
    rows: _Rows = []
    for number, entry in enumerate(entries, 1):
        faults += [Fault(number, key, _("there is no such key")) for key in entry if key not in _FIELDS]
        cells: dict[str, str] = {}
        for column in _COLUMNS:
            value = entry.get(column.field, "")
            if isinstance(value, bool) or not isinstance(value, str | int):
                faults.append(Fault(number, column.field, _("write a text or a whole number")))
            else:
                cells[column.field] = str(value).strip()
                if len(cells[column.field]) > column.longest:
                    text = format_lazy(_("at most {longest} characters"), longest=column.longest)
                    faults.append(Fault(number, column.field, text))
        if len(cells) == len(_COLUMNS):
            rows.append((number, cells))
    return rows, faults


def _sheet(path: Path) -> tuple[_Rows, list[Fault]]:
    columns = [sheets.Column(c.header, required=c.required, longest=c.longest) for c in _COLUMNS]
    try:
        with path.open("rb") as file:
            entries, faults = sheets.read(file, columns)
    except OSError as error:
        raise unreadable(path, error) from error
    return [(e.row, {c.field: e.cells[c.header] for c in _COLUMNS}) for e in entries], faults


def _check(rows: _Rows, faults: list[Fault], names: Sequence[str]) -> list[TimeLimit]:
    """The rows as limits. ``names`` says how the reader knows each column."""
    found: list[TimeLimit] = []
    seen: dict[tuple[str, ...], int] = {}
    words = {c.field: words_for(c.choices.choices) for c in _COLUMNS if c.choices is not None}
    for number, cells in rows:
        limit = TimeLimit()
        before = len(faults)
        for column, name in zip(_COLUMNS, names, strict=True):
            cell = cells[column.field]
            value: str | int = cell
            wrong: Text | None = None
            if column.required and not cell:
                wrong = _("this may not be empty")
            elif column.choices is not None and cell:
                value = words[column.field].get(cell, "")
                if not value:
                    named = "、".join(str(label) for label in column.choices.labels)
                    wrong = format_lazy(_("“{cell}” is none of {choices}"), cell=cell, choices=named)
            elif column.most:
                value, wrong = _number(column, cell)
            elif (
                column.field == "matter"
                and cell
                and not (cell.isascii() and cell.isdigit() and len(cell) % 2 == 0)
            ):
                wrong = _("a matter code has two digits for each class: 02, 0201, 020102")
            if wrong is not None:
                faults.append(Fault(number, name, wrong))
            else:
                setattr(limit, column.field, value)
        key = tuple(str(getattr(limit, field)) for field in _KEY)
        if len(faults) == before and seen.setdefault(key, number) != number:
            faults.append(
                Fault(number, "", format_lazy(_("the same case as in row {row}: keep one"), row=seen[key]))
            )
        found.append(limit)
    if not found and not faults:
        faults.append(Fault(0, "", _("there is no limit in this file")))
    if faults:
        raise Faulty(sorted(faults, key=lambda f: f.row))
    return found


def _number(column: _Column, cell: str) -> tuple[int, Text | None]:
    if not cell and column.default is not None:
        return column.default, None
    least = 1 if column.default is None else 0
    # Longer digits than the largest allowed number need not be read, however many there are.
    if cell.isascii() and cell.isdigit() and len(cell) <= 6 and least <= int(cell) <= column.most:
        return int(cell), None
    return 0, format_lazy(_("write a whole number from {least} to {most}"), least=least, most=column.most)


def load(path: Path = NATIONAL) -> Loaded:
    """Make the table what the file says: rows that it does not have are removed; all or nothing.

    Clocks that are running keep the limit that stands on their order.

    Raises Faulty, and writes nothing, for anything :func:`read` finds.
    """
    rows = read(path)
    with transaction.atomic():
        bump(_REVISION)  # first: its row lock lets one load pass at a time
        old = {tuple(getattr(r, f) for f in _KEY): r for r in TimeLimit.objects.all()}
        added, changed, unchanged = [], [], 0
        for row in rows:
            before = old.pop(tuple(getattr(row, f) for f in _KEY), None)
            if before is None:
                added.append(row)
            elif all(getattr(before, f) == getattr(row, f) for f in _FIELDS):
                unchanged += 1
            else:
                row.pk = before.pk
                changed.append(row)
        TimeLimit.objects.filter(pk__in=[r.pk for r in old.values()]).delete()
        TimeLimit.objects.bulk_create(added)
        if changed:
            TimeLimit.objects.bulk_update(changed, [f for f in _FIELDS if f not in _KEY])
        if added or changed or old:
            counts = {"added": len(added), "changed": len(changed), "removed": len(old)}
            acts.wrote("limits_loaded", details=counts)
    return Loaded(len(added), len(changed), len(old), unchanged, tuple(_idle(rows)))


def _idle(rows: Sequence[TimeLimit]) -> list[Fault]:
    known = matters.known()
    notes: list[Fault] = []
    for row in rows:
        if row.case_kind and row.case_kind not in KINDS:
            text = _("no installed project brings this kind of case")
            notes.append(Fault(0, f"{row.clock} {row.case_kind}", text))
        if row.matter and row.matter not in known:
            notes.append(Fault(0, f"{row.clock} {row.matter}", _("no such matter is loaded")))
    return notes


def _table() -> list[TimeLimit]:
    order = {code: i for i, code in enumerate(ClockKind.values)}
    return sorted(
        TimeLimit.objects.all(), key=lambda r: (order[r.clock], r.case_kind, r.matter, r.nature, r.urgency)
    )


def export_sheet(file: IO[bytes]) -> int:
    """Write the table as xlsx with Chinese headers and words, ready to be edited and loaded again. Returns its rows."""
    rows = _table()
    with translation.override("zh-hans"):
        cells = [
            [
                str(c.choices(value).label) if c.choices is not None and value else str(value)
                for c in _COLUMNS
                for value in (getattr(row, c.field),)
            ]
            for row in rows
        ]
    sheets.write(
        file, "办理时限", [c.header for c in _COLUMNS], cells, [10, 18, 10, 10, 12, 8, 10, 12, 12, 60]
    )
    return len(rows)


def export_toml(file: IO[bytes]) -> int:
    """Write the table as a TOML pack. Returns its rows."""
    rows = _table()
    for row in rows:
        lines = ["[[limit]]"]
        for c in _COLUMNS:
            value = getattr(row, c.field)
            if value != "":
                # A JSON string or number is one in TOML too.
                lines.append(f"{c.field} = {json.dumps(value, ensure_ascii=False)}")
        file.write(("\n".join(lines) + "\n\n").encode())
    return len(rows)
