"""A code list is read whole, or every row that is wrong is named by row and field."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.faults import Faulty
from lucheng.core.places.lists import CodeList, level_of, parent_of, read
from lucheng.core.places.models import Kind
from tests.core.places.lists import LUYUAN, rows, write, write_rows


def faults(*files: Path, as_of: dt.date | None = None) -> list[str]:
    with pytest.raises(Faulty) as refused:
        read(files, as_of)
    return [str(f) for f in refused.value.faults]


def with_row(folder: Path, **changes: str) -> Path:
    """Luyuan's list with its sixth line (花园社区居委会) changed."""
    table = rows(2020, LUYUAN)
    columns = ["year", "code", "level", "parent", "name", "urban_rural_type"]
    for column, value in changes.items():
        table[4][columns.index(column)] = value
    return write_rows(folder, table)


def test_codes_are_kept_without_trailing_zeros_and_kinds_told(tmp_path: Path) -> None:
    [found] = read([write(tmp_path, {2020: LUYUAN})])
    assert found.day == dt.date(2020, 1, 1)
    assert found.scope == ("9901",)
    assert found.depth == 12
    assert {len(c) for c in found.entries} == {4, 6, 9, 12}
    assert found.entries["990121200"].kind == Kind.SUMU
    assert found.entries["990121200200"].kind == Kind.GACHA
    assert found.entries["990121200200"].urban_rural_type == "220"


def test_a_placeholder_with_nothing_below_is_left_out_and_said(tmp_path: Path) -> None:
    [found] = read([write(tmp_path, {2020: LUYUAN})])
    assert "990101" not in found.entries
    assert [e.name for e in found.placeholders] == ["市辖区"]


def test_a_placeholder_that_holds_places_together_is_kept(tmp_path: Path) -> None:
    direct = {"990102198000": "县直辖村级区划", "990102198101": "北一社区居委会"}
    [found] = read([write(tmp_path, {2020: LUYUAN | direct})])
    assert found.entries["990102198"].kind == Kind.PLACEHOLDER
    assert found.entries["990102198101"].kind == Kind.COMMUNITY


def test_years_come_in_their_order_whatever_that_of_rows_and_files(tmp_path: Path) -> None:
    one = write(tmp_path, {2022: LUYUAN, 2020: LUYUAN}, "one.csv")
    other = write(tmp_path, {2021: LUYUAN}, "other.csv")
    assert [found.day.year for found in read([one, other])] == [2020, 2021, 2022]


def test_files_of_one_year_make_one_list(tmp_path: Path) -> None:
    district = {c: n for c, n in LUYUAN.items() if c.startswith(("990100", "990102"))}
    banner = {c: n for c, n in LUYUAN.items() if c.startswith("990121")}
    [found] = read([write(tmp_path, {2020: district}, "a.csv"), write(tmp_path, {2020: banner}, "b.csv")])
    assert len(found.entries) == len(LUYUAN) - 1
    assert found.sources == ["a.csv", "b.csv"]


def bare(folder: Path, name: str) -> Path:
    """A file of codes and names alone."""
    file = folder / name
    file.write_text("code,name\n" + "".join(f"{c},{n}\n" for c, n in LUYUAN.items()), encoding="utf-8")
    return file


def test_a_file_without_years_takes_the_one_in_its_name(tmp_path: Path) -> None:
    [found] = read([bare(tmp_path, "鹿原2023.csv")])
    assert found.day == dt.date(2023, 1, 1)
    assert found.entries["990102001001"].urban_rural_type is None


def test_a_date_given_wins_over_the_year(tmp_path: Path) -> None:
    day = dt.date(2023, 7, 1)
    assert read([bare(tmp_path, "鹿原2023.csv")], day)[0].day == day
    assert read([write(tmp_path, {2023: LUYUAN})], day)[0].day == day


@pytest.mark.parametrize("name", ["codes.csv", "2019-2023.csv"])
def test_a_year_that_nothing_tells_is_asked_for(tmp_path: Path, name: str) -> None:
    assert "give --as-of" in faults(bare(tmp_path, name))[0]


def test_one_date_for_several_years_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, {2020: LUYUAN, 2021: LUYUAN})
    assert "several years" in faults(file, as_of=dt.date(2020, 1, 1))[0]


def test_tables_with_tabs_short_codes_words_for_levels_and_gb18030_are_read(tmp_path: Path) -> None:
    file = tmp_path / "counties.tsv"
    text = "code\tname\tlevel\tparent\n990100\t鹿原市\tcity\t990000\n990102\t东原区\tcounty\t990100\n"
    file.write_bytes(text.encode("gb18030"))
    [found] = read([file], dt.date(2020, 1, 1))
    assert list(found.entries) == ["9901", "990102"]
    assert found.depth == 6


def test_a_city_without_counties_has_its_townships_directly(tmp_path: Path) -> None:
    file = tmp_path / "2020.csv"
    file.write_text("code,name\n990900000000,南湾市\n990900003000,东城街道\n990900003001,春和社区\n")
    [found] = read([file])
    assert list(found.entries) == ["9909", "990900003", "990900003001"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"code": "99010200100"}, "row 6, code: 99010200100 is no code"),
        ({"code": "99010200100A"}, "row 6, code: 99010200100A is no code"),
        ({"code": "990102000001"}, "row 6, code: 990102000001 is no code"),
        ({"code": "990000000000"}, "row 6, code: 990000000000 is no code"),
        ({"code": ""}, "row 6, code: '' is no code"),
        ({"code": "９９０１０２００１００１"}, "row 6, code: ９９０１０２００１００１ is no code"),
        ({"level": "4"}, "row 6, level: 990102001001 is not of level 4"),
        ({"level": "five"}, "row 6, level: five is no level"),
        (
            {"parent": "990102002000"},
            "row 6, parent: 990102002000 is not above 990102001001: 990102001000 is.",
        ),
        ({"name": ""}, "row 6, name: The name is missing."),
        ({"name": "花" * 81}, "row 6, name: A name has at most 80"),
        ({"name": "花\x07园社区"}, "row 6, name: A name has at most 80"),
        ({"year": "20x0"}, "row 6, year: 20x0 is not a year."),
        ({"year": ""}, "row 6, year: '' is not a year."),
        ({"urban_rural_type": "12"}, "row 6, urban_rural_type: An urban-rural type has three digits."),
        ({"code": "990102001777", "name": "无名处"}, "row 6, name: Neither the name nor the code"),
    ],
)
def test_a_bad_row_is_named_by_row_and_field_and_it_alone(
    tmp_path: Path, changes: dict[str, str], fault: str
) -> None:
    [found] = faults(with_row(tmp_path, **changes))
    assert found.startswith(fault)


def test_a_duplicate_row_is_named_with_the_first(tmp_path: Path) -> None:
    [found] = faults(with_row(tmp_path, code="990102001002", name="花园社区居委会"))
    assert found == "row 7, code: 990102001002 stands already in row 6 of codes.csv."


def test_a_duplicate_in_another_file_is_named_with_both_files(tmp_path: Path) -> None:
    one = write(tmp_path, {2020: LUYUAN}, "one.csv")
    other = write(tmp_path, {2020: {"990102001001": "花园社区居委会"}}, "other.csv")
    assert faults(one, other) == ["row 2, other.csv code: 990102001001 stands already in row 6 of one.csv."]


def test_a_missing_parent_is_named_at_every_row_that_lacks_it(tmp_path: Path) -> None:
    orphans = {c: n for c, n in LUYUAN.items() if c != "990121200000"}
    assert faults(write(tmp_path, {2020: orphans})) == [
        "row 14, parent: 990121200, above 990121200200, is not in the list.",
        "row 15, parent: 990121200, above 990121200201, is not in the list.",
    ]


def test_a_bad_parent_row_is_not_blamed_on_its_children(tmp_path: Path) -> None:
    table = rows(2020, LUYUAN)
    table[12][4] = ""
    assert faults(write_rows(tmp_path, table)) == ["row 14, name: The name is missing."]


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    found = faults(with_row(first, name="", level="9"), with_row(second, code="x"))
    assert len(found) == 3


def test_a_row_with_too_few_fields_is_not_read_into_the_wrong_columns(tmp_path: Path) -> None:
    file = tmp_path / "2020.csv"
    file.write_text("code,name,level\n990100000000,鹿原市,2\n990102000000,东原区\n")
    assert faults(file) == ["row 3: This row has 2 fields and the header 3."]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "row 1, code: This column is missing from the header."),
        (b"code,name\n", "There is no row in what was given."),
        (b"code,code,name\n1,2,3\n", "row 1, code: This column stands twice in the header."),
        (b"\xff\xfe\x00\x80\xff", "2020.csv: This file is neither UTF-8 nor GB 18030 text."),
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "2020.csv"
    file.write_bytes(content)
    assert faults(file)[0] == fault


def test_faults_are_in_the_language_of_the_reader(tmp_path: Path) -> None:
    with translation.override("zh-hans"):
        assert faults(with_row(tmp_path, name=""))[0].endswith("缺少名称。")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert faults(tmp_path / "2020.csv")[0].startswith("2020.csv: This file cannot be read: No such file")


@given(st.text(max_size=300))
def test_any_text_is_either_a_list_or_refused(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "2020.csv"
        file.write_text("code,name\n" + text, encoding="utf-8", errors="ignore")
        try:
            found: list[CodeList] = read([file])
        except Faulty as refused:
            assert refused.faults
        else:
            assert found[0].entries


def test_levels_and_parents_follow_from_the_code() -> None:
    assert [level_of(c) for c in ("990100000000", "990102000000", "990102001000", "990102001001")] == [
        4,
        6,
        9,
        12,
    ]
    assert [parent_of(c) for c in ("9901", "990102", "990102001", "990102001001", "990102001001007")] == [
        "", "9901", "990102", "990102001", "990102001001",
    ]  # fmt: skip
