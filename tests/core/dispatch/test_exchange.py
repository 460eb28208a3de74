"""The catalogue goes out as a sheet and comes back as a draft: unchanged, or refused as a whole with every fault."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation
from openpyxl import load_workbook

from lucheng.core.dispatch import exchange
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.dispatch.rules import Row, rows_of
from lucheng.core.faults import Faulty
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

Change = Callable[[Any], None]


def sheet_of(version: Version, change: Change | None = None) -> io.BytesIO:
    """The exported sheet, after somebody in an office has had it."""
    file = io.BytesIO()
    exchange.export_xlsx(version, file)
    file.seek(0)
    if change is not None:
        book = load_workbook(file)
        change(book.active)
        file = io.BytesIO()
        book.save(file)
        file.seek(0)
    return file


def faults(change: Change, *rows: Row) -> list[str]:
    version = city.draft(*(rows or (city.LAMPS, city.CLUTTER)))
    before = (Version.objects.count(), Rule.objects.count())
    with pytest.raises(Faulty) as refused, translation.override("en"):
        exchange.import_xlsx(sheet_of(version, change), "", city.NOW)
    assert (Version.objects.count(), Rule.objects.count()) == before
    with translation.override("en"):
        return [str(f) for f in refused.value.faults]


def test_out_and_in_again_is_the_same_edition() -> None:
    city.lay_out()
    version = city.draft(city.LAMPS, city.CLUTTER, Row("", "150223", "police", (), "=三定方案", ""))
    copy = exchange.import_xlsx(sheet_of(version), "副本", city.NOW)
    assert (copy.state, copy.note, copy.number) == (Version.State.DRAFT, "副本", version.number + 1)
    assert rows_of(copy) == rows_of(version)


def test_the_sheet_is_readable_in_an_office() -> None:
    city.lay_out()
    sheet = load_workbook(
        sheet_of(city.draft(city.CLUTTER, Row("", "1502", "police", (), "三定方案")))
    ).active
    assert sheet is not None
    assert [c.value for c in sheet[1]] == [
        "版本", "事项编码", "事项名称", "区划编码", "区划名称", "主办单位编码", "主办单位名称",
        "协办单位编码", "协办单位名称", "依据", "备注",
    ]  # fmt: skip
    assert [c.value for c in sheet[2]][1:5] == [None, "（全部事项）", "1502", "鹿城"]
    assert [c.value for c in sheet[3]] == [
        "1", "0201", "楼道堆物", "150203001", "钢花街道", "street", "钢花街道办事处",
        "police、urban", "钢铁区公安分局、钢铁区城管局", "履职事项清单第12项", "先劝后清",
    ]  # fmt: skip


def test_every_fault_is_named_at_its_row_and_column_and_nothing_is_written() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet["B2"], sheet["C2"] = "0999", None
        sheet["D2"], sheet["E2"] = "150299", None
        sheet["F3"], sheet["G3"] = "nobody", None
        sheet["J3"] = None
        sheet["H3"] = "police, 谁"

    assert faults(change) == [
        "row 2, 事项编码: There is no matter 0999. If a zero at its front is gone, format the column as text.",
        "row 2, 区划编码: There is no division or grid 150299 in force.",
        "row 3, 依据: This cell may not be empty.",
    ]

    def fixed(sheet: Any) -> None:
        sheet["F3"], sheet["G3"] = "nobody", None
        sheet["H3"] = "police, 谁"

    assert faults(fixed) == [
        "row 3, 主办单位编码: There is no unit with the code nobody.",
        "row 3, 协办单位编码: There is no unit with the code 谁.",
    ]


def test_a_code_whose_zero_excel_ate_is_explained() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet["B2"], sheet["C2"] = 102, None

    assert faults(change) == [
        "row 2, 事项编码: There is no matter 102. If a zero at its front is gone, format the column as text."
    ]


def test_a_name_that_is_not_the_codes_name_shows_that_one_of_the_two_is_wrong() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet["F2"] = "urban"
        sheet["D3"] = "150203"

    assert faults(change) == [
        "row 2, 主办单位名称: urban is “钢铁区城管局”. Correct the code or the name, or leave the name empty.",
        "row 3, 区划名称: 150203 is “钢铁区”. Correct the code or the name, or leave the name empty.",
    ]


def test_names_may_be_left_empty() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        for cell in ("A2", "C2", "E2", "G2", "I2"):
            sheet[cell] = None

    version = city.draft(city.LAMPS)
    assert rows_of(exchange.import_xlsx(sheet_of(version, change), "", city.NOW)) == [city.LAMPS]


def test_a_row_given_twice_is_refused_at_the_second() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet.append([c.value for c in sheet[2]])

    assert faults(change) == ["row 4, 事项编码: The same matter and place as row 2."]


def test_formulas_and_merged_cells_are_refused() -> None:
    city.lay_out()

    def formula(sheet: Any) -> None:
        sheet["F2"] = "=F3"

    def merge(sheet: Any) -> None:
        sheet.merge_cells("J2:J3")

    assert faults(formula) == ["row 2, 主办单位编码: This cell holds a formula. Replace it by its value."]
    assert faults(merge) == ["row 2, J: This cell is merged with others. Unmerge it and fill every row."]


def test_a_wrong_header_is_refused() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet["F1"] = "承办单位"

    assert [f.split(":")[0] for f in faults(change)] == ["row 1, F", "row 1, 主办单位编码"]


def test_duties_pushed_down_to_the_grass_roots_are_refused_in_a_sheet_too() -> None:
    city.lay_out()

    def change(sheet: Any) -> None:
        sheet["F2"], sheet["G2"] = "street", None

    assert "list of duties" in faults(change)[0]


def test_faults_are_in_the_readers_language() -> None:
    city.lay_out()
    file = sheet_of(city.draft(city.LAMPS), lambda sheet: sheet.__setitem__("J2", None))
    with translation.override("zh-hans"), pytest.raises(Faulty) as refused:
        exchange.import_xlsx(file, "", city.NOW)
    with translation.override("zh-hans"):
        assert str(refused.value.faults[0]) == "第2行“依据”：此单元格不能为空。"


def test_progress_is_told_to_the_end() -> None:
    city.lay_out()
    told: list[tuple[int, int]] = []
    version = city.draft(city.LAMPS, city.CLUTTER)
    exchange.import_xlsx(sheet_of(version), "", city.NOW, progress=lambda *at: told.append(at))
    assert told[0] == (0, 2) and told[-1] == (2, 2)


def test_checking_a_sheet_takes_the_same_queries_for_one_row_and_for_many(
    django_assert_num_queries: Any,
) -> None:
    city.lay_out()
    one = sheet_of(city.draft(city.LAMPS))
    with translation.override("en"):
        places = [p for p in city.PLACES if len(p) > 4]
        many = sheet_of(city.draft(*(Row("0102", p, "urban", (), "三定方案") for p in places)))
    for file in (one, many):
        with django_assert_num_queries(15):
            exchange.import_xlsx(file, "", city.NOW)
