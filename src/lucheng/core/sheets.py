"""Reading and writing the spreadsheets that offices exchange: one header row, one entry per row, all text.

What a spreadsheet hides from its reader is refused, not guessed: formulas, merged cells, dates where a code
is meant.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import math
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty

log = logging.getLogger(__name__)

#: Of a file as it is sent.
MAX_BYTES = 20 * 1024 * 1024
#: Refused before it is unpacked into memory. A sheet of 100,000 rows has about 60 MB.
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ROWS = 200_000
#: Cells of the sheet, which cost about 17 µs and 320 bytes each, and tags of all parts together.
MAX_CELLS, MAX_TAGS = 1_200_000, 6_000_000
_PIECE = 1024 * 1024
_NUMBER = re.compile(r"^-[0-9]+(\.[0-9]+)?$")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^<>]{0,100}?ref="([A-Z]{1,3})([0-9]{1,7})[:"]')

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column by its header. The header must be there; ``required`` says that no cell may be empty.

    ``kind`` "day" takes what Excel made a date, "number" what it made a fraction; "text" takes neither.
    """

    header: str
    required: bool = False
    longest: int = 200
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a sheet: its number as the reader sees it, and its cells by header, stripped."""

    row: int
    cells: dict[str, str]


def _text(cell: Any, meant: str = "text") -> tuple[str, Text | None]:
    """What stands in a cell as text, or what is wrong with it. A whole number becomes its digits: Excel makes
    numbers of codes. A date or a fraction is taken where a day or a number is ``meant``."""
    value, kind = (cell, "s") if isinstance(cell, str) else (cell.value, cell.data_type)
    if value is None:
        return "", None
    if kind == "f":
        return "", _("This cell holds a formula. Replace it by its value.")
    if kind == "n" and float(value).is_integer():
        return str(int(value)), None
    if kind == "n" and meant == "number" and math.isfinite(float(value)):
        return repr(value), None
    if kind == "d" and meant == "day" and isinstance(value, dt.datetime):
        return value.date().isoformat(), None
    if kind not in ("s", "inlineStr"):
        return "", _("This cell is not text. Format the column as text and enter it again.")
    text = unicodedata.normalize("NFC", str(value)).strip()
    if text[:1] == "'" and unformulated(text[1:]) == text:
        text = text[1:]
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text):
        return "", _("This cell holds control characters. Enter it again.")
    return text, None


def too_large() -> Faulty:
    """What to raise for a file of more than may be read."""
    return Faulty([Fault(0, "", _("This file is too large. Split it into several."))])


def _merged(packed: zipfile.ZipFile, sheet: str) -> list[tuple[int, int]]:
    """Row and column of the first cell of each merged area in the part ``sheet``.

    All parts are unpacked here once, a little at a time: what would take long to read, or much memory, is refused
    before anything reads it. openpyxl itself would make an object for every cell of a merged area.
    """
    from openpyxl.utils import column_index_from_string

    tags, cells, found, rest = 0, 0, [], b""
    for part in packed.infolist():
        with packed.open(part) as unpacked:
            while piece := unpacked.read(_PIECE):
                tags += piece.count(b"<")
                if part.filename == sheet:
                    if b"\0" in piece:
                        raise ValueError(
                            "another encoding than UTF-8, in which nothing here would be counted"
                        )
                    cells += sum(1 for _cell in _CELL.finditer(piece))
                    piece = rest + piece
                    matches = list(_MERGED.finditer(piece))
                    found += [(int(m[2]), column_index_from_string(m[1].decode())) for m in matches]
                    # A tag may be cut in two; none that fits a merged area is longer.
                    rest = piece[max(matches[-1].end() if matches else 0, len(piece) - 200) :]
                if tags > MAX_TAGS or cells > MAX_CELLS:
                    raise too_large()
    return sorted(found)


def _xlsx(file: IO[bytes], columns: int) -> list[Sequence[Any]]:
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter

    try:
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise too_large()
            sheet: Any = load_workbook(file, read_only=True).worksheets[0]
            merged = _merged(packed, sheet._worksheet_path)
        if merged:
            text = _("This cell is merged with others. Unmerge it and fill every row.")
            raise Faulty([Fault(row, get_column_letter(column), text) for row, column in merged])
        lines: list[Sequence[Any]] = list(
            sheet.iter_rows(min_row=1, max_row=MAX_ROWS + 2, min_col=1, max_col=columns + 10)
        )
    except Faulty:
        raise
    except Exception as error:  # whatever a reader of foreign files may stumble on
        log.info("not an xlsx file: %s", type(error).__name__)
        raise Faulty([Fault(0, "", _("This xlsx file cannot be read. Save it again as xlsx."))]) from error
    # One cell far down is not a sheet of a million rows, but a slip that its author should see.
    if len(lines) > MAX_ROWS + 1:
        raise too_large()
    return lines


def _csv(file: IO[bytes]) -> list[Sequence[Any]]:
    raw = file.read(MAX_UNPACKED_BYTES + 1)
    if len(raw) > MAX_UNPACKED_BYTES:
        raise too_large()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(raw.decode(encoding), newline="")))
        except (UnicodeDecodeError, csv.Error):
            continue
    raise Faulty([Fault(0, "", _("This is neither an xlsx file nor a CSV file."))])


def read(file: IO[bytes], columns: Sequence[Column]) -> tuple[list[Entry], list[Fault]]:
    """The rows of the first sheet of an xlsx file, or of a CSV file (UTF-8 or GB 18030), and what is wrong.

    Headers may stand in any order. Empty rows are left out; so are rows with a fault of their own (a formula,
    a date, an empty cell that is required, a text too long): the caller checks the others and reports all at
    once.

    Raises Faulty where nothing can be read: another kind of file, merged cells, a wrong header, no row.
    """
    from openpyxl.utils import get_column_letter

    start = file.read(4)
    file.seek(0)
    if start == b"\xd0\xcf\x11\xe0":
        raise Faulty([Fault(0, "", _("This is an old xls file. Save it as xlsx."))])
    lines = _xlsx(file, len(columns)) if start == b"PK\x03\x04" else _csv(file)
    faults: list[Fault] = []

    kinds = {c.header: c.kind for c in columns}

    def texts(number: int, cells: Sequence[Any], headers: Sequence[str]) -> list[str]:
        found = []
        for at, cell in enumerate(cells):
            value, wrong = _text(cell, kinds.get(headers[at], "text") if at < len(headers) else "text")
            found.append(value)
            if wrong is not None:
                name = headers[at] if at < len(headers) and headers[at] else get_column_letter(at + 1)
                faults.append(Fault(number, name, wrong))
        return found

    headers = texts(1, lines[0], ()) if lines else []
    while headers and not headers[-1]:
        headers.pop()
    expected = [c.header for c in columns]
    for at, header in enumerate(headers):
        if header not in expected:
            text = _("There is no column “{header}”. Expected: {expected}.")
            faults.append(
                Fault(
                    1,
                    get_column_letter(at + 1),
                    format_lazy(text, header=header, expected="、".join(expected)),
                )
            )
        elif header in headers[:at]:
            faults.append(Fault(1, get_column_letter(at + 1), _("This column stands there twice.")))
    faults += [Fault(1, h, _("This column is missing.")) for h in expected if h not in headers]
    if faults:
        raise Faulty(faults)
    if len(lines) - 1 > MAX_ROWS:
        raise too_large()

    entries: list[Entry] = []
    for number, cells in enumerate(lines[1:], 2):
        before = len(faults)
        values = texts(number, cells, headers)
        if not any(values) and len(faults) == before:
            continue
        if any(values[len(headers) :]):
            faults.append(Fault(number, "", _("This row has more cells than there are columns.")))
        row = dict(zip(headers, [*values, *[""] * len(headers)], strict=False))
        if len(faults) == before:
            for column in columns:
                value = row[column.header]
                if column.required and not value:
                    faults.append(Fault(number, column.header, _("This cell may not be empty.")))
                elif len(value) > column.longest:
                    text = format_lazy(_("At most {longest} characters."), longest=column.longest)
                    faults.append(Fault(number, column.header, text))
        if len(faults) == before:
            entries.append(Entry(number, row))
    if not entries and not faults:
        raise Faulty([Fault(0, "", _("There is no row under the header."))])
    return entries, faults


def write(
    file: IO[bytes],
    title: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[int] = (),
    notes: Sequence[tuple[str, str]] = (),
) -> None:
    """Write an xlsx file of one sheet, all text: a code keeps its zeros, ``=`` starts no formula.

    ``notes``, if given, stand on a second sheet: a header, and what may stand under it.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for at, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    bold = Font(bold=True)

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"
        made.number_format = "@"
        return made

    head = [cell(h) for h in headers]
    for made in head:
        made.font = bold
    sheet.append(head)
    for row in rows:
        sheet.append([cell(text) if text else None for text in row])
    if notes:
        second = book.create_sheet("填写说明")
        second.column_dimensions["A"].width, second.column_dimensions["B"].width = 20, 90
        for header, note in notes:
            second.append([cell(header), cell(note)])
    book.save(file)


def write_csv(file: IO[bytes], headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file in UTF-8 that spreadsheets open: with a mark of its encoding, and no cell that runs."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    out = csv.writer(text)
    out.writerow(headers)
    out.writerows([unformulated(c) for c in row] for row in rows)
    text.detach()


def unformulated(cell: object) -> str:
    """A cell for a CSV file that people open: what a spreadsheet would run as a formula gets an apostrophe in front,
    which :func:`read` takes away again.

    >>> unformulated("=1+1"), unformulated("150202")
    ("'=1+1", '150202')
    """
    text = str(cell)
    return (
        f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.match(text) else text
    )


def counted(items: Sequence[Any], progress: Progress | None) -> Iterator[Any]:
    """Go through ``items``, telling ``progress(done, total)`` from time to time."""
    for done, item in enumerate(items):
        if progress is not None and done % 500 == 0:
            progress(done, len(items))
        yield item
    if progress is not None:
        progress(len(items), len(items))
