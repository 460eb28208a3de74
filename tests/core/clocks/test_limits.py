"""The table of time limits: which row holds, and how the table is edited."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from lucheng.core.cases.models import Nature, Urgency
from lucheng.core.clocks import limits
from lucheng.core.clocks.limits import limit_for
from lucheng.core.clocks.models import TimeLimit
from lucheng.core.faults import Faulty
from lucheng.core.revisions import snapshot
from tests.core.clocks.stories import in_threads

ORDER, FINDING = "command_centre.order", "grids.finding"

HEADERS = [
    "时钟",
    "案件种类",
    "诉求类型",
    "紧急程度",
    "事项代码",
    "时限",
    "单位",
    "预警百分比",
    "升级百分比",
    "依据",
]


@pytest.fixture
def national(db: None) -> None:
    limits.load()


def told(
    clock: str, kind: str = ORDER, nature: str = "help", urgency: str = "ordinary", matter: str = "010201"
) -> str:
    limit = limit_for(clock, kind, nature, urgency, matter)
    return f"{limit.amount} {limit.unit}" if limit else "none"


def toml(folder: Path, text: str) -> Path:
    path = folder / "limits.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sheet(folder: Path, *rows: list[object], headers: list[str] = HEADERS) -> Path:
    book = openpyxl.Workbook()
    book.active.append(headers)
    for row in rows:
        book.active.append(row)
    path = folder / "limits.xlsx"
    book.save(path)
    return path


def faults(path: Path) -> list[tuple[int, str]]:
    with pytest.raises(Faulty) as caught:
        limits.load(path)
    assert all(str(f.text) for f in caught.value.faults)
    return [(f.row, str(f.column)) for f in caught.value.faults]


@pytest.mark.parametrize(
    ("clock", "case", "expected"),
    [
        ("dispatch", {}, "24 hours"),
        ("dispatch", {"urgency": "urgent"}, "2 hours"),
        ("dispatch", {"urgency": "critical"}, "1 hours"),
        ("sign", {}, "2 working_hours"),
        ("reply", {}, "5 working_days"),
        ("reply", {"nature": "inquiry"}, "1 working_days"),
        ("return", {}, "2 working_days"),
        ("callback", {}, "3 working_days"),
        # What grid workers find has limits by matter, in working hours.
        ("reply", {"kind": FINDING, "nature": "finding", "matter": "020102"}, "4 working_hours"),
        ("reply", {"kind": FINDING, "nature": "finding", "matter": "020302"}, "4 working_hours"),
        ("reply", {"kind": FINDING, "nature": "finding", "matter": "020301"}, "2 working_days"),
        ("reply", {"kind": FINDING, "nature": "finding", "matter": "030101"}, "3 working_days"),
        # A hotline order of the same matter has not.
        ("reply", {"matter": "020102"}, "5 working_days"),
        # An emergency never waits on a limit for its kind, matter or nature.
        ("reply", {"nature": "inquiry", "urgency": "critical"}, "2 hours"),
        ("reply", {"kind": FINDING, "nature": "finding", "matter": "020301", "urgency": "urgent"}, "4 hours"),
        # Nobody has decided the matter yet.
        ("reply", {"kind": FINDING, "nature": "finding", "matter": ""}, "3 working_days"),
    ],
)
def test_the_national_table_answers(national: None, clock: str, case: dict[str, str], expected: str) -> None:
    assert told(clock, **case) == expected


def test_emergencies_have_plain_hours_on_every_clock_of_the_unit(national: None) -> None:
    for clock in ("dispatch", "sign", "contact", "reply", "return"):
        for urgency in (Urgency.URGENT, Urgency.CRITICAL):
            for kind in (ORDER, FINDING):
                assert told(clock, kind=kind, urgency=urgency, matter="020102").endswith(" hours"), clock


def test_what_no_law_says_is_marked_as_a_sample(national: None) -> None:
    by_law = TimeLimit.objects.exclude(basis__startswith="示例值(sample)")
    assert {(r.clock, r.amount, r.unit) for r in by_law} == {
        ("reply", 5, "working_days"),
        ("return", 2, "working_days"),
    }


def test_the_most_specific_row_wins(db: None) -> None:
    rows = [
        {"amount": 1},
        {"amount": 2, "nature": Nature.HELP},
        {"amount": 3, "matter": "02"},
        {"amount": 4, "matter": "0201"},
        {"amount": 5, "case_kind": ORDER},
        {"amount": 6, "case_kind": ORDER, "matter": "02"},
        {"amount": 7, "urgency": Urgency.URGENT},
    ]
    TimeLimit.objects.bulk_create([TimeLimit(clock="reply", unit="hours", **row) for row in rows])

    def amount(
        kind: str = "x.y", nature: str = "praise", urgency: str = "ordinary", matter: str = "03"
    ) -> int:
        limit = limit_for("reply", kind, nature, urgency, matter)
        assert limit is not None
        return limit.amount

    assert amount() == 1
    assert amount(nature="help") == 2
    assert amount(nature="help", matter="0299") == 3
    assert amount(nature="help", matter="020199") == 4
    assert amount(nature="help", matter="020199", kind=ORDER) == 6
    assert amount(nature="help", kind=ORDER) == 5
    assert amount(nature="help", matter="020199", kind=ORDER, urgency="urgent") == 7
    assert limit_for("sign", ORDER, "help", "ordinary", "02") is None


def test_loading_twice_changes_nothing(national: None) -> None:
    rows = TimeLimit.objects.count()
    loaded = limits.load()
    assert (loaded.added, loaded.changed, loaded.removed, loaded.unchanged) == (0, 0, 0, rows)


def test_the_table_becomes_what_the_file_says(national: None, tmp_path: Path) -> None:
    before = TimeLimit.objects.count()
    loaded = limits.load(
        sheet(
            tmp_path,
            ["答复", "", "", "", "", 7, "工作日", "", "", "本市规定"],
            ["签收", "", "", "critical", "", 30, "小时", 50, 100, ""],
            ["reply", "grids.finding", "finding", "", "0201", "3", "working_hours", "", "", ""],
        )
    )
    assert (loaded.added, loaded.changed, loaded.removed, loaded.unchanged) == (1, 2, before - 2, 0)
    snapshot.forget()  # a second has passed
    assert told("reply") == "7 working_days"
    assert told("sign") == "none"
    limit = limit_for("sign", ORDER, "help", "critical", "01")
    assert limit is not None and (limit.warn_percent, limit.escalate_percent) == (50, 100)
    assert told("reply", kind=FINDING, nature="finding", matter="020102") == "3 working_hours"


def test_rows_that_fit_no_case_are_loaded_and_named(db: None, tmp_path: Path) -> None:
    loaded = limits.load(
        toml(
            tmp_path,
            '[[limit]]\nclock = "reply"\ncase_kind = "nobodys.kind"\nmatter = "99"\namount = 1\nunit = "hours"',
        )
    )
    assert loaded.added == 1
    assert [n.column for n in loaded.idle] == ["reply nobodys.kind", "reply 99"]


@pytest.mark.parametrize("suffix", ["xlsx", "toml"])
def test_what_is_exported_can_be_loaded_again(national: None, tmp_path: Path, suffix: str) -> None:
    TimeLimit.objects.create(clock="sign", case_kind='a"b\\', amount=1, unit="hours", basis="两行\n一格")
    before = list(TimeLimit.objects.order_by("id").values())
    path = tmp_path / f"out.{suffix}"
    with path.open("wb") as file:
        (limits.export_sheet if suffix == "xlsx" else limits.export_toml)(file)
    loaded = limits.load(path)
    assert (loaded.added, loaded.changed, loaded.removed) == (0, 0, 0)
    assert list(TimeLimit.objects.order_by("id").values()) == before


def test_the_sheet_speaks_chinese(national: None) -> None:
    out = io.BytesIO()
    rows = limits.export_sheet(out)
    values = list(openpyxl.load_workbook(out).active.values)
    assert list(values[0]) == HEADERS and len(values) == rows + 1
    cells = {cell for row in values[1:] for cell in row if cell}
    assert {"派单", "签收", "联系诉求人", "答复", "退单", "回访", "工作时", "小时", "工作日"} <= cells


def test_every_fault_of_a_sheet_is_said_at_row_and_column_and_nothing_is_written(
    national: None, tmp_path: Path
) -> None:
    before = TimeLimit.objects.count()
    found = faults(
        sheet(
            tmp_path,
            ["答复", "", "", "", "", 5, "工作日", "", "", ""],
            ["闹钟", "", "", "", "", 5, "工作日", "", "", ""],
            ["", "", "", "", "", 5, "工作日", "", "", ""],
            ["签收", "", "骂人", "最急", "1", 0, "年", 101, -1, "x" * 201],
            ["签收", "", "", "", "", "五", "工作日", "", "", ""],
            ["答复", "", "", "", "", 6, "工作日", "", "", ""],
            ["签收", "", "", "", "二", 1.5, "小时", "", "", ""],
        )
    )
    assert {row for row, _column in found} == {3, 4, 5, 6, 7, 8}
    assert (3, "时钟") in found and (4, "时钟") in found and (6, "时限") in found and (7, "") in found
    assert TimeLimit.objects.count() == before


def test_each_wrong_cell_of_a_row_is_named(db: None, tmp_path: Path) -> None:
    row = ["签收", "", "骂人", "最急", "1", 0, "年", 101, "-1", ""]
    assert faults(sheet(tmp_path, row)) == [
        (2, c) for c in ("诉求类型", "紧急程度", "事项代码", "时限", "单位", "预警百分比", "升级百分比")
    ]


def test_a_wrong_header_is_refused(db: None, tmp_path: Path) -> None:
    assert faults(sheet(tmp_path, ["答复"], headers=["时种", *HEADERS[1:]]))


def test_faults_of_a_toml_file_are_said_at_entry_and_key(db: None, tmp_path: Path) -> None:
    text = """
    [[limit]]
    clock = "reply"
    amount = "viel"
    unit = "hours"
    colour = "red"
    [[limit]]
    clock = "reply"
    amount = true
    unit = "hours"
    [[limit]]
    unit = "hours"
    amount = 12345
    """
    assert faults(toml(tmp_path, text)) == [
        (1, "colour"),
        (1, "amount"),
        (2, "amount"),
        (3, "clock"),
        (3, "amount"),
    ]


@pytest.mark.parametrize("text", ["", "limit = 3", "[limit]\nx = 1", "[[limits]]\nx = 1", "no toml"])
def test_a_file_without_limits_is_refused(db: None, tmp_path: Path, text: str) -> None:
    assert faults(toml(tmp_path, text))


def test_a_file_that_is_no_sheet_is_refused(db: None, tmp_path: Path) -> None:
    path = tmp_path / "limits.xlsx"
    path.write_bytes(b"PK\x03\x04 no zip")
    assert faults(path)
    assert faults(tmp_path / "nowhere.xlsx")


def test_two_people_loading_at_once_leave_one_table(transactional_db: None) -> None:
    results = in_threads(2, limits.load)
    assert sorted(r.added for r in results) == [0, TimeLimit.objects.count()]
