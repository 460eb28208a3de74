"""China's holidays and swapped workdays as a pack that a city edits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lucheng.core.clocks import holidays
from lucheng.core.clocks.models import CalendarDay, CalendarYear, WorkingSpan
from lucheng.core.faults import Faulty
from lucheng.core.revisions import snapshot
from tests.core.clocks.stories import in_threads

#: By notice: days off (weekends within a holiday included), swapped workdays.
COUNTS = {
    2020: (30, 6),
    2021: (31, 7),
    2022: (31, 7),
    2023: (27, 7),
    2024: (28, 8),
    2025: (28, 5),
    2026: (33, 6),
    2027: (13, 0),
}
#: Working days from 1 January to 31 December.
WORKING_DAYS = {2020: 249, 2021: 250, 2022: 249, 2023: 249, 2024: 251, 2025: 248, 2026: 248}


def d(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def write(folder: Path, text: str) -> Path:
    path = folder / "calendar.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        holidays.load(write(folder, text))
    return [f"{f.column}: {f.text}" for f in caught.value.faults]


@pytest.fixture
def national(db: None) -> None:
    holidays.load()


def test_the_pack_has_as_many_days_as_the_notices(national: None) -> None:
    found = {
        y.year: (y.days.filter(working=False).count(), y.days.filter(working=True).count())
        for y in CalendarYear.objects.order_by("year")
    }
    assert found == COUNTS


def test_a_year_has_as_many_working_days_as_the_notices_leave(national: None) -> None:
    calendar = holidays.calendar()
    for year, expected in WORKING_DAYS.items():
        days = (dt.date(year, 1, 1) + dt.timedelta(days=i) for i in range(366))
        assert sum(calendar.is_working(day) for day in days if day.year == year) == expected, year


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2020-01-19", True),  # a Sunday, worked for the Spring Festival
        ("2020-01-31", False),  # the festival of 2020, as lengthened
        ("2020-02-01", False),  # a Saturday, to be worked by the first notice, off by the second
        ("2020-02-02", False),
        ("2020-02-03", True),
        ("2021-02-20", True),
        ("2022-01-30", True),
        ("2022-12-31", False),
        ("2023-01-02", False),  # named by the notice that begins in the December before
        ("2023-10-08", True),
        ("2024-02-09", True),  # New Year's Eve was not yet a holiday
        ("2024-02-18", True),
        ("2025-01-01", False),
        ("2025-01-28", False),  # New Year's Eve, a holiday by the amendment of 2024
        ("2025-02-08", True),
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-05-09", True),
        ("2026-10-10", True),
        ("2026-11-21", False),  # any Saturday
        ("2027-02-05", False),  # New Year's Eve
        ("2027-02-09", True),  # not announced to be off
        ("2027-06-09", False),
        ("2027-09-15", False),
    ],
)
def test_key_days(national: None, day: str, working: bool) -> None:
    assert holidays.calendar().is_working(d(day)) is working


def test_each_announced_year_names_its_notice_and_2027_does_not(national: None) -> None:
    notices = dict(CalendarYear.objects.values_list("year", "notice"))
    assert notices[2020] == "国办发明电〔2019〕16号;国办发明电〔2020〕1号"
    assert [y for y, notice in notices.items() if not notice] == [2027]


def test_loading_twice_changes_nothing(national: None) -> None:
    loaded = holidays.load()
    assert loaded.changed == () and loaded.unchanged == tuple(COUNTS) and not loaded.hours
    assert CalendarDay.objects.count() == sum(a + b for a, b in COUNTS.values())


def test_next_years_notice_replaces_one_year_and_leaves_the_others(national: None, tmp_path: Path) -> None:
    before = holidays.calendar().is_working(d("2027-02-09"))
    loaded = holidays.load(
        write(
            tmp_path,
            """
            [[year]]
            year = 2027
            notice = "测试通知1号"
            off = [{ name = "春节", from = "2027-02-05", to = "2027-02-12" }]
            work = [{ name = "春节", day = 2027-02-14 }]
            """,
        )
    )
    assert loaded.changed == (2027,) and loaded.unchanged == ()
    snapshot.forget()  # a second has passed
    assert (before, holidays.calendar().is_working(d("2027-02-09"))) == (True, False)
    assert holidays.calendar().is_working(d("2027-02-14"))
    assert not holidays.calendar().is_working(d("2026-10-01"))
    assert holidays.calendar().is_working(d("2027-06-09")), "the notice's year is replaced as a whole"


def test_a_city_with_other_hours_loads_a_file_of_hours_alone(national: None, tmp_path: Path) -> None:
    loaded = holidays.load(write(tmp_path, 'hours = ["09:00-17:00"]'))
    assert loaded.hours and loaded.changed == ()
    assert [str(s) for s in WorkingSpan.objects.all()] == ["09:00-17:00"]
    assert CalendarYear.objects.count() == len(COUNTS)


def test_every_fault_of_a_file_is_said_at_its_place_and_nothing_is_written(
    national: None, tmp_path: Path
) -> None:
    found = faults(
        tmp_path,
        """
        hours = ["18:00-08:30"]
        colour = "red"
        [[year]]
        year = 2028
        notice = "x"
        off = [
            { name = "元旦", from = "2028-02-30", to = 2028-01-01 },
            { name = "春节", from = 2028-01-26, to = 2028-01-25 },
            { name = "清明节", from = 2027-04-04, to = 2027-04-04 },
            { name = "劳动节", from = 2028-05-01T10:00:00, to = 2028-05-01 },
            { name = "端午节", from = 2028-05-28, to = 2028-05-28, until = 1 },
            7,
        ]
        work = [
            { name = "春节", day = 2028-01-24 },
            { name = "端午节", day = 2028-05-28 },
        ]
        [[year]]
        year = 2028
        [[year]]
        year = "2029"
        """,
    )
    assert sorted(f.split(": ")[0] for f in found) == [
        "2028 off 1 from",
        "2028 off 2",
        "2028 off 3",
        "2028 off 4 from",
        "2028 off 5 until",
        "2028 off 6",
        "2028 work 1",
        "2028 work 2",
        "2028 year",
        "[[year]] 3 year",
        "colour",
        "hours",
    ]
    assert CalendarYear.objects.count() == len(COUNTS) and WorkingSpan.objects.count() == 2


def test_a_date_that_toml_cannot_read_is_told_with_its_line(db: None, tmp_path: Path) -> None:
    [fault] = faults(
        tmp_path, '[[year]]\nyear = 2028\noff = [{ name = "元旦", from = 2028-02-30, to = 2028-03-01 }]\n'
    )
    assert "line 3" in fault


def test_a_day_that_another_year_has_named_is_refused(national: None, tmp_path: Path) -> None:
    CalendarDay.objects.create(day=d("2028-01-01"), year_id=2027, working=False, name="x")
    [fault] = faults(
        tmp_path,
        '[[year]]\nyear = 2028\nnotice = "y"\noff = [{ name = "元旦", from = 2027-12-31, to = 2028-01-03 }]\n',
    )
    assert "2028-01-01" in fault and "2027" in fault
    assert not CalendarYear.objects.filter(year=2028).exists()


@pytest.mark.parametrize(
    "text", ["", "year = 3", "[year]\nx = 1", "[[year]]\nyear = 1999", "hours = []", "hours = 8"]
)
def test_a_file_that_says_nothing_of_use_is_refused(db: None, tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)


def test_a_file_that_is_missing_or_not_text_is_refused(db: None, tmp_path: Path) -> None:
    with pytest.raises(Faulty):
        holidays.load(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Faulty):
        holidays.load(tmp_path / "binary.toml")


def test_without_a_calendar_nothing_is_reckoned(db: None) -> None:
    with pytest.raises(RuntimeError, match="lucheng calendar load"):
        holidays.calendar()


def test_two_people_loading_at_once_leave_one_calendar(transactional_db: None) -> None:
    results = in_threads(2, holidays.load)
    assert sorted(len(r.changed) for r in results) == [0, len(COUNTS)]
