"""Reading the yearly lists of division codes: every row checked, every fault named by row and field.

A file is a table (CSV or TSV, UTF-8 or GB 18030) with a header. ``code`` and ``name`` are needed; ``year``, ``level``,
``parent`` and ``urban_rural_type`` are checked where they are there. Codes have twelve digits, or fewer with the
trailing zeros left off by whole levels.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.places.kinds import is_placeholder, kind_of
from lucheng.core.places.models import LEVELS, Division

#: Levels of a code list, by length of the code; grids are a city's own and stand in no list.
LISTED = (4, 6, 9, 12)

#: The level column of the statistical lists counts from the province; ours are names.
_LEVEL_WORDS = {**dict(zip("2345", LISTED, strict=True)), **LEVELS}

_COLUMNS = ("year", "code", "level", "parent", "name", "urban_rural_type")
_LONGEST_NAME = Division._meta.get_field("name").max_length or 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One division of a list. ``urban_rural_type`` is None where the list does not say."""

    code: str
    name: str
    kind: str
    urban_rural_type: str | None = None


@dataclass
class CodeList:
    """What is in force from one day on: the divisions by code, complete under ``scope`` down to ``depth``."""

    day: dt.date
    sources: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    placeholders: list[Entry] = field(default_factory=list)
    """Rows left out because they stand for no place and hold nothing together (市辖区)."""
    scope: tuple[str, ...] = ()
    """The codes at the top of the list: whatever lies under them and is not in the list is no longer in force."""

    @property
    def depth(self) -> int:
        """The length of its longest codes: a list that ends with townships says nothing about communities."""
        return max(map(len, self.entries), default=0)


def level_of(code: str) -> int | None:
    """How many digits of a twelve-digit code say something: 4, 6, 9 or 12. None where the code has no such shape:
    a province, or a division whose own level is missing above it. County 00 is allowed: cities without counties
    write it (441900003000).
    """
    if not re.fullmatch("[0-9]{12}", code) or code[:2] == "00" or code[2:4] == "00":
        return None
    if code[9:] != "000":
        return 12 if code[6:9] != "000" else None
    if code[6:9] != "000":
        return 9
    return 6 if code[4:6] != "00" else 4


def parent_of(code: str) -> str:
    """The code directly above a code without trailing zeros; empty above a city.

    >>> parent_of("150203005"), parent_of("441900003"), parent_of("1502")
    ('150203', '4419', '')
    """
    above = {15: 12, 12: 9, 9: 6, 6: 4}.get(len(code), 0)
    return code[:4] if above == 6 and code[4:6] == "00" else code[:above]


def read(files: Sequence[Path], as_of: dt.date | None = None) -> list[CodeList]:
    """The lists in ``files``, in the order of their days; files of one year make one list.

    A row's year comes from its column ``year`` or, where the file has none, from ``as_of`` or from the one year in the
    file's name; the list then holds from 1 January, or from ``as_of`` where it is given.

    Raises Faulty with every fault of every file.
    """
    faults: list[Fault] = []
    reader = _Reader(faults, as_of, several=len(files) > 1)
    for file in files:
        reader.read(file)
    for code_list in reader.lists.values():
        reader.check_tree(code_list)
    if not faults and not reader.lists:
        faults.append(Fault(0, "", _("There is no row in what was given.")))
    if as_of is not None and len(reader.lists) > 1:
        faults.append(Fault(0, "year", _("One date was given for rows of several years: leave it out.")))
    if faults:
        raise Faulty(faults)
    found = [reader.lists[day] for day in sorted(reader.lists)]
    if as_of is not None:
        found[0].day = as_of
    return found


def decode(data: bytes) -> str:
    """Text as offices send it: UTF-8, with or without its mark, else GB 18030.

    Raises ValueError where it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB 18030")


class _Reader:
    def __init__(self, faults: list[Fault], as_of: dt.date | None, several: bool) -> None:
        self.faults = faults
        self.as_of = as_of
        self.several = several
        self.lists: dict[dt.date, CodeList] = {}
        self.rows: dict[tuple[dt.date, str], tuple[str, int]] = {}
        """Where each code of each list stands: file and row, for messages."""

    def fault(self, file: str, row: int, column: str, text: Text) -> None:
        where = f"{file} {column}".strip() if self.several else column or ("" if row else file)
        self.faults.append(Fault(row, where, text))

    def read(self, file: Path) -> None:
        try:
            text = decode(file.read_bytes())
        except OSError as error:
            self.fault(
                file.name, 0, "", format_lazy(_("This file cannot be read: {error}"), error=error.strerror)
            )
            return
        except ValueError:
            self.fault(file.name, 0, "", _("This file is neither UTF-8 nor GB 18030 text."))
            return
        rows = csv.reader(
            io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.split("\n", 1)[0] else ","
        )
        try:
            header = [h.strip() for h in next(rows, [])]
            if not self._header(file, header):
                return
            for number, values in enumerate(rows, 2):
                if any(v.strip() for v in values):
                    self._row(file, number, header, [v.strip() for v in values])
        except csv.Error as error:
            self.fault(
                file.name, rows.line_num, "", format_lazy(_("This is not a table: {error}"), error=str(error))
            )

    def _header(self, file: Path, header: list[str]) -> bool:
        missing = [c for c in ("code", "name") if c not in header]
        twice = {c for c in header if c in _COLUMNS and header.count(c) > 1}
        for column in missing:
            self.fault(file.name, 1, column, _("This column is missing from the header."))
        for column in sorted(twice):
            self.fault(file.name, 1, column, _("This column stands twice in the header."))
        if missing or twice:
            return False
        if "year" not in header and self.as_of is None and self._year_in_name(file) is None:
            self.fault(
                file.name, 1, "year", _("The year is neither a column nor in the file's name: give --as-of.")
            )
            return False
        return True

    @staticmethod
    def _year_in_name(file: Path) -> int | None:
        years = set(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", file.stem))
        return int(years.pop()) if len(years) == 1 else None

    def _row(self, file: Path, number: int, header: list[str], values: list[str]) -> None:
        if len(values) != len(header):
            self.fault(
                file.name,
                number,
                "",
                format_lazy(
                    _("This row has {found} fields and the header {expected}."),
                    found=len(values),
                    expected=len(header),
                ),
            )
            return
        row = dict(zip(header, values, strict=True))
        before = len(self.faults)

        day = self._day(file, number, row)
        padded = row["code"].ljust(12, "0") if len(row["code"]) in LISTED else row["code"]
        level = level_of(padded)
        if level is None:
            self.fault(
                file.name,
                number,
                "code",
                format_lazy(
                    _("{code} is no code of a city or of a division in one."), code=row["code"] or "''"
                ),
            )
        else:
            self._level(file, number, row, padded, level)
        name = row["name"]
        if not name:
            self.fault(file.name, number, "name", _("The name is missing."))
        elif len(name) > _LONGEST_NAME or not name.isprintable():
            self.fault(
                file.name,
                number,
                "name",
                format_lazy(_("A name has at most {longest} printable characters."), longest=_LONGEST_NAME),
            )
        urban_rural_type = row.get("urban_rural_type")
        if urban_rural_type and not re.fullmatch("[0-9]{3}", urban_rural_type):
            self.fault(file.name, number, "urban_rural_type", _("An urban-rural type has three digits."))
        if day is None or level is None:
            return
        code = padded[:level]
        first = self.rows.setdefault((day, code), (file.name, number))
        if first != (file.name, number):
            self.fault(
                file.name,
                number,
                "code",
                format_lazy(
                    _("{code} stands already in row {row} of {file}."),
                    code=padded,
                    row=first[1],
                    file=first[0],
                ),
            )
        if len(self.faults) > before:
            return
        try:
            entry = Entry(code, name, kind_of(code, name), urban_rural_type or None)
        except ValueError:
            self.fault(
                file.name,
                number,
                "name",
                _("Neither the name nor the code tells what kind of division this is."),
            )
            return
        code_list = self.lists.setdefault(day, CodeList(day))
        code_list.entries[code] = entry
        if file.name not in code_list.sources:
            code_list.sources.append(file.name)

    def _day(self, file: Path, number: int, row: dict[str, str]) -> dt.date | None:
        if "year" not in row:
            return self.as_of or dt.date(self._year_in_name(file) or 0, 1, 1)
        year = row["year"]
        if not re.fullmatch("(19|20)[0-9]{2}", year):
            self.fault(file.name, number, "year", format_lazy(_("{year} is not a year."), year=year or "''"))
            return None
        return dt.date(int(year), 1, 1)

    def _level(self, file: Path, number: int, row: dict[str, str], padded: str, level: int) -> None:
        if "level" in row and _LEVEL_WORDS.get(row["level"]) != level:
            said = row["level"]
            self.fault(
                file.name,
                number,
                "level",
                format_lazy(_("{code} is not of level {level}."), code=padded, level=said or "''")
                if said in _LEVEL_WORDS
                else format_lazy(_("{level} is no level: write 2, 3, 4 or 5."), level=said or "''"),
            )
        parent = row.get("parent")
        if not parent:
            return
        above = parent_of(padded[:level])
        expected = above.ljust(12, "0") if above else padded[:2].ljust(12, "0")
        if parent.ljust(12, "0") != expected:
            self.fault(
                file.name,
                number,
                "parent",
                format_lazy(
                    _("{parent} is not above {code}: {expected} is."),
                    parent=parent,
                    code=padded,
                    expected=expected,
                ),
            )

    def check_tree(self, code_list: CodeList) -> None:
        """Find the top of the list, leave out empty placeholders, and see that every parent is there."""
        entries = code_list.entries
        top = min(len(c) for c in entries)
        for code in entries:
            if len(code) > top and (code_list.day, parent_of(code)) not in self.rows:
                file, row = self.rows[code_list.day, code]
                self.fault(
                    file,
                    row,
                    "parent",
                    format_lazy(
                        _("{parent}, above {code}, is not in the list."), parent=parent_of(code), code=code
                    ),
                )
        parents = {parent_of(c) for c in entries}
        for code, entry in list(entries.items()):
            if is_placeholder(entry.name) and code not in parents:
                code_list.placeholders.append(entries.pop(code))
        code_list.scope = tuple(sorted(c for c in entries if len(c) == top))
