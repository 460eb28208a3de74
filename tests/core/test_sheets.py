"""Spreadsheets are taken as text, and what they hide from their reader is refused at its cell."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from django.utils import translation
from openpyxl import Workbook, load_workbook

from lucheng.core import sheets
from lucheng.core.faults import Faulty

COLUMNS = (sheets.Column("编码", required=True, longest=4), sheets.Column("名称"))


def xlsx(*rows: tuple[Any, ...], merge: str = "") -> io.BytesIO:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def taken(file: io.BytesIO) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    entries, faults = sheets.read(file, COLUMNS)
    with translation.override("en"):
        return [(e.row, e.cells) for e in entries], [str(f) for f in faults]


def refusal(file: io.BytesIO) -> list[str]:
    with pytest.raises(Faulty) as refused:
        sheets.read(file, COLUMNS)
    with translation.override("en"):
        return [str(f) for f in refused.value.faults]


HEAD = ("编码", "名称")


def test_rows_are_text_stripped_and_numbered_as_the_reader_sees_them() -> None:
    rows, faults = taken(xlsx(HEAD, ("01", " 路灯 "), (None, None), (1502, None)))
    assert rows == [(2, {"编码": "01", "名称": "路灯"}), (4, {"编码": "1502", "名称": ""})]
    assert faults == []


def test_columns_may_stand_in_any_order() -> None:
    rows, _faults = taken(xlsx(("名称", "编码"), ("路灯", "01")))
    assert rows == [(2, {"编码": "01", "名称": "路灯"})]


def test_a_wrong_header_names_the_missing_and_the_unknown_column() -> None:
    assert refusal(xlsx(("编号", "名称"), ("01", "路灯"))) == [
        "row 1, A: There is no column “编号”. Expected: 编码、名称.",
        "row 1, 编码: This column is missing.",
    ]
    assert refusal(xlsx(("编码", "名称", "名称"), ("01", "路灯", "灯"))) == [
        "row 1, C: This column stands there twice."
    ]


def test_formulas_dates_and_truth_values_are_refused_at_their_cell() -> None:
    rows, faults = taken(
        xlsx(HEAD, ("=1+1", "甲"), (dt.date(2026, 1, 1), "乙"), ("01", True), (1.5, "丁"), ("02", "戊"))
    )
    assert rows == [(6, {"编码": "02", "名称": "戊"})]
    assert faults == [
        "row 2, 编码: This cell holds a formula. Replace it by its value.",
        "row 3, 编码: This cell is not text. Format the column as text and enter it again.",
        "row 4, 名称: This cell is not text. Format the column as text and enter it again.",
        "row 5, 编码: This cell is not text. Format the column as text and enter it again.",
    ]


def test_merged_cells_are_refused_each_at_its_first() -> None:
    assert refusal(xlsx(HEAD, ("01", "甲"), ("02", "乙"), merge="B2:B3")) == [
        "row 2, B: This cell is merged with others. Unmerge it and fill every row."
    ]


def test_empty_and_overlong_cells_are_refused() -> None:
    _rows, faults = taken(xlsx(HEAD, (None, "甲"), ("12345", "乙")))
    assert faults == [
        "row 2, 编码: This cell may not be empty.",
        "row 3, 编码: At most 4 characters.",
    ]


def test_cells_beyond_the_columns_are_refused() -> None:
    _rows, faults = taken(xlsx(HEAD, ("01", "甲", "乙")))
    assert faults == ["row 2: This row has more cells than there are columns."]


def test_control_characters_are_refused() -> None:
    _rows, faults = taken(io.BytesIO("编码,名称\n01,路\x07灯\n".encode()))
    assert faults == ["row 2, 名称: This cell holds control characters. Enter it again."]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_the_encodings_offices_use(encoding: str) -> None:
    rows, _faults = taken(io.BytesIO("编码,名称\r\n01,路灯\r\n".encode(encoding)))
    assert rows == [(2, {"编码": "01", "名称": "路灯"})]


def test_a_sheet_without_rows_is_refused() -> None:
    assert refusal(xlsx(HEAD)) == ["There is no row under the header."]
    assert refusal(io.BytesIO(b"")) == [
        "row 1, 编码: This column is missing.",
        "row 1, 名称: This column is missing.",
    ]


def test_other_files_are_refused_in_words() -> None:
    assert refusal(io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1")) == ["This is an old xls file. Save it as xlsx."]
    assert refusal(io.BytesIO(b"PK\x03\x04 and then nothing"))[0].startswith("This xlsx file cannot be read")
    assert refusal(io.BytesIO(b"\xff\xff\xff\xff")) == ["This is neither an xlsx file nor a CSV file."]
    cut = xlsx(HEAD, ("01", "甲")).getvalue()[:-200]
    assert refusal(io.BytesIO(cut))[0].startswith("This xlsx file cannot be read")


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_UNPACKED_BYTES", 1000)
    assert refusal(xlsx(HEAD, ("01", "甲"))) == ["This file is too large. Split it into several."]
    assert refusal(io.BytesIO(b"x," * 600)) == ["This file is too large. Split it into several."]


def repacked(file: io.BytesIO, old: bytes, new: bytes, before: bytes = b"") -> io.BytesIO:
    """The same xlsx with something else in its sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as packed, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in packed.namelist():
            content = packed.read(part)
            if part.endswith("sheet1.xml"):
                assert old in content
                content = before + content.replace(old, new, 1)
            made.writestr(part, content)
    out.seek(0)
    return out


def test_a_merged_area_of_all_cells_makes_no_billions_of_them() -> None:
    file = xlsx(HEAD, ("01", "甲"), ("02", "乙"), merge="B2:B3")
    assert refusal(repacked(file, b"B2:B3", b"B2:XFD1048576")) == [
        "row 2, B: This cell is merged with others. Unmerge it and fill every row."
    ]


def test_a_small_file_of_very_many_cells_is_refused_before_it_is_read() -> None:
    for tags in (b"<c/>" * (sheets.MAX_CELLS + 1), b"<y:c/>" * (sheets.MAX_CELLS + 1)):
        file = repacked(xlsx(HEAD, ("01", "甲")), b"</row></sheetData>", tags + b"</row></sheetData>")
        assert len(file.getvalue()) < 100_000
        assert refusal(file) == ["This file is too large. Split it into several."]


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>', b"<t>&a;</t>"),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
            + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(8))
            + b"]>",
            b"<t>&h;</t>",
        ),
    ],
    ids=["a file of the server", "a billion laughs"],
)
def test_entities_of_a_sheet_unfold_to_nothing(before: bytes, new: bytes) -> None:
    file = repacked(xlsx(HEAD, ("01", "甲")), "<t>甲</t>".encode(), new, before)
    try:
        rows, _faults = taken(file)
    except Faulty as refused:
        assert "cannot be read" in str(refused.faults[0].text) or "无法读取" in str(refused.faults[0].text)
    else:
        assert rows == [(2, {"编码": "01", "名称": ""})]


def test_a_cell_for_people_starts_no_formula_in_csv() -> None:
    for start in "=+-@\t\r":
        assert sheets.unformulated(f"{start}cmd|' /C calc'!A0").startswith("'")
    assert sheets.unformulated(dt.date(2026, 1, 1)) == "2026-01-01"


def test_a_cell_far_away_makes_no_millions_of_empty_ones() -> None:
    wide = Workbook()
    assert wide.active is not None
    wide.active["A1"], wide.active["B1"], wide.active["A2"] = "编码", "名称", "01"
    wide.active["XFD2"] = None
    file = io.BytesIO()
    wide.save(file)
    file.seek(0)
    assert taken(file) == ([(2, {"编码": "01", "名称": ""})], [])
    wide.active["A1048576"] = "02"
    file = io.BytesIO()
    wide.save(file)
    file.seek(0)
    assert refusal(file) == ["This file is too large. Split it into several."]


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 2)
    assert refusal(xlsx(HEAD, ("1", ""), ("2", ""), ("3", ""))) == [
        "This file is too large. Split it into several."
    ]


def test_what_is_written_is_read_back_and_starts_no_formula() -> None:
    file = io.BytesIO()
    sheets.write(file, "表", HEAD, [("0010", "=HYPERLINK(1)"), ("1502", "")], (10, 20))
    file.seek(0)
    sheet = load_workbook(file).active
    assert sheet is not None
    assert [c.data_type for c in sheet[2]] == ["s", "s"]
    assert (sheet["A2"].value, sheet["B2"].value, sheet["A2"].number_format) == ("0010", "=HYPERLINK(1)", "@")
    file.seek(0)
    entries, _faults = sheets.read(file, (sheets.Column("编码"), sheets.Column("名称")))
    assert [tuple(e.cells.values()) for e in entries] == [("0010", "=HYPERLINK(1)"), ("1502", "")]
