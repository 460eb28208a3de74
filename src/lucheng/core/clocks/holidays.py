"""The calendar as records: reading a pack of holidays and hours of business, and the copy of it held in memory."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.clocks.calendar import FIRST, LAST, Calendar, Span
from lucheng.core.clocks.models import CalendarDay, CalendarYear, WorkingSpan
from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.revisions.snapshot import Snapshot, bump

#: The calendar that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "calendar.toml"

_REVISION = "calendar"


def _load() -> Calendar:
    spans = list(WorkingSpan.objects.order_by("opens").values_list("opens", "closes"))
    if not spans:
        raise RuntimeError("No working calendar is loaded: run `lucheng calendar load`.")
    return Calendar(dict(CalendarDay.objects.values_list("day", "working")), spans)


_calendar = Snapshot(_REVISION, _load)


def calendar() -> Calendar:
    """The calendar in force, never older than a second.

    Raises RuntimeError where none has been loaded.
    """
    return _calendar.get()


@dataclass
class Year:
    """One year of a pack: days off and swapped workdays, each with its name."""

    year: int
    notice: str
    days: dict[dt.date, tuple[bool, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """What a pack changed: years, and whether the hours of business are new."""

    changed: tuple[int, ...]
    unchanged: tuple[int, ...]
    hours: bool


class _Reader:
    """Collects every fault of one file on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.entry = ""  # which year, as the reader would look for it

    def fault(self, where: str, text: Text) -> None:
        self.faults.append(Fault(0, f"{self.entry} {where}".strip(), text))

    def keys(self, where: str, entry: dict[str, Any], known: set[str]) -> None:
        for key in entry.keys() - known:
            self.fault(f"{where} {key}".strip(), _("there is no such key"))

    def entries(self, entry: dict[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The inline tables of a list, each with the words that say where it stands: ``off 3``."""
        value = entry.get(key, [])
        if not isinstance(value, list):
            self.fault(key, _("write a list"))
            return
        for number, item in enumerate(value, 1):
            if isinstance(item, dict):
                yield f"{key} {number}", item
            else:
                self.fault(f"{key} {number}", _('write { name = "…", … }'))

    def text(self, where: str, value: Any, longest: int) -> str:
        if not isinstance(value, str) or len(value) > longest:
            self.fault(where, format_lazy(_("write a text of at most {longest} characters"), longest=longest))
            return ""
        return value

    def day(self, where: str, value: Any) -> dt.date | None:
        if isinstance(value, str):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        self.fault(where, _("this is not a date: write it as 2027-01-01"))
        return None

    def hours(self, value: Any) -> list[Span]:
        spans: list[Span] = []
        try:
            for text in value:
                opens, _dash, closes = text.partition("-")
                spans.append((dt.time.fromisoformat(opens.strip()), dt.time.fromisoformat(closes.strip())))
            Calendar({}, spans)
        except (AttributeError, TypeError, ValueError):
            self.fault("hours", _('write hours of business in order, as ["08:30-12:00", "14:30-18:00"]'))
        return spans

    def year(self, entry: dict[str, Any]) -> Year | None:
        number = entry.get("year")
        if not isinstance(number, int) or not FIRST.year <= number <= LAST.year:
            self.fault("year", _("write the year as 2027"))
            return None
        self.entry = str(number)
        self.keys("", entry, {"year", "notice", "off", "work"})
        year = Year(number, self.text("notice", entry.get("notice", ""), 200))
        for where, item in self.entries(entry, "off"):
            self.keys(where, item, {"name", "from", "to"})
            name = self.text(f"{where} name", item.get("name"), 40)
            first, last = self.day(f"{where} from", item.get("from")), self.day(f"{where} to", item.get("to"))
            if first is None or last is None:
                continue
            if not first <= last or (last - first).days > 60:
                self.fault(where, _("the last day must come after the first, by no more than 60 days"))
                continue
            for i in range((last - first).days + 1):
                self.name(year, where, first + dt.timedelta(days=i), False, name)
        for where, item in self.entries(entry, "work"):
            self.keys(where, item, {"name", "day"})
            name = self.text(f"{where} name", item.get("name"), 40)
            day = self.day(f"{where} day", item.get("day"))
            if day is None:
                continue
            if day.weekday() < 5:
                self.fault(where, format_lazy(_("{day} is no Saturday or Sunday"), day=day.isoformat()))
                continue
            self.name(year, where, day, True, name)
        return year

    def name(self, year: Year, where: str, day: dt.date, working: bool, name: str) -> None:
        if not dt.date(year.year - 1, 12, 1) <= day <= dt.date(year.year, 12, 31):
            self.fault(where, format_lazy(_("{day} is not in {year}"), day=day.isoformat(), year=year.year))
        elif day in year.days:
            self.fault(where, format_lazy(_("{day} is named twice"), day=day.isoformat()))
        else:
            year.days[day] = (working, name)


def parse(path: Path) -> dict[str, Any]:
    """A pack as it stands in its file. Raises Faulty where that cannot be read or is not TOML, with the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> Faulty:
    return Faulty(
        [Fault(0, path.name, format_lazy(_("this file cannot be read: {error}"), error=str(error)))]
    )


def read(path: Path) -> tuple[list[Year], list[Span]]:
    """The years and the hours of business of a pack; no hours where it gives none.

    Raises Faulty with every fault: a file that cannot be read or is not TOML (with its line), an unknown key, a date
    that is none or lies in another year, a workday that is no weekend, a day or a year named twice.
    """
    parsed = parse(path)
    reader = _Reader()
    reader.keys("", parsed, {"hours", "year"})
    spans = reader.hours(parsed["hours"]) if "hours" in parsed else []
    years: dict[int, Year] = {}
    days: dict[dt.date, int] = {}
    entries = parsed.get("year", [])
    for row, entry in enumerate(entries if isinstance(entries, list) else [entries], 1):
        reader.entry = f"[[year]] {row}"
        if not isinstance(entry, dict):
            reader.fault("year", _("write [[year]] and what belongs to it below"))
            continue
        year = reader.year(entry)
        if year is None:
            continue
        if year.year in years:
            reader.fault("year", _("this year stands in the file twice"))
        for day in year.days:
            if days.setdefault(day, year.year) != year.year:
                reader.fault(day.isoformat(), format_lazy(_("named by {year} too"), year=days[day]))
        years[year.year] = year
    if not spans and not years and not reader.faults:
        reader.fault(path.name, _("write [[year]] entries, hours, or both"))
    if reader.faults:
        raise Faulty(reader.faults)
    return list(years.values()), spans


def load(path: Path = NATIONAL) -> Loaded:
    """Replace the years that the pack names, and the hours of business where it gives them; all or none.

    Clocks that are running keep the due time that stands on their order.

    Raises Faulty, and writes nothing, for anything :func:`read` finds and for a day that a year outside the file
    already names.
    """
    return _replace(*read(path))


def _replace(years: list[Year], spans: list[Span]) -> Loaded:
    changed: list[int] = []
    unchanged: list[int] = []
    with transaction.atomic():
        bump(_REVISION)  # first: its row lock lets one load pass at a time
        names = [y.year for y in years]
        clashes = CalendarDay.objects.exclude(year__in=names).filter(
            day__in=[d for y in years for d in y.days]
        )
        if faults := [
            Fault(0, c.day.isoformat(), format_lazy(_("named by {year} too"), year=c.year_id))
            for c in clashes.order_by("day")
        ]:
            raise Faulty(faults)
        old = {y.year: Year(y.year, y.notice) for y in CalendarYear.objects.filter(year__in=names)}
        for d in CalendarDay.objects.filter(year__in=names):
            old[d.year_id].days[d.day] = (d.working, d.name)
        for year in years:
            (unchanged if old.get(year.year) == year else changed).append(year.year)
        CalendarYear.objects.filter(year__in=changed).delete()
        fresh = [y for y in years if y.year in changed]
        CalendarYear.objects.bulk_create([CalendarYear(year=y.year, notice=y.notice) for y in fresh])
        CalendarDay.objects.bulk_create(
            [
                CalendarDay(day=day, year_id=y.year, working=working, name=name)
                for y in fresh
                for day, (working, name) in sorted(y.days.items())
            ]
        )
        hours = bool(spans) and spans != list(
            WorkingSpan.objects.order_by("opens").values_list("opens", "closes")
        )
        if hours:
            WorkingSpan.objects.all().delete()
            WorkingSpan.objects.bulk_create(
                [WorkingSpan(opens=opens, closes=closes) for opens, closes in spans]
            )
        if changed or hours:
            acts.wrote("calendar_loaded", ", ".join(map(str, changed)))
    return Loaded(tuple(changed), tuple(unchanged), hours)


#: The sheet of one year, as people keep it.
DAY, REST, NAME = "日期", "休班", "名称"
_COLUMNS = (
    sheets.Column(DAY, required=True),
    sheets.Column(REST, required=True),
    sheets.Column(NAME, required=True, longest=40),
)
_RESTS = {"休": False, "班": True}


def export_sheet(year: int, file: IO[bytes]) -> int:
    """Write the days of ``year`` that differ from their weekday as xlsx, ready to be edited and loaded again. Returns
    how many there are."""
    days = list(CalendarDay.objects.filter(year=year).order_by("day"))
    words = {working: word for word, working in _RESTS.items()}
    rows = [[d.day.isoformat(), words[d.working], d.name] for d in days]
    sheets.write(file, str(year), [c.header for c in _COLUMNS], rows, [14, 8, 24])
    return len(days)


def load_sheet(year: int, notice: str, file: IO[bytes]) -> Loaded:
    """Replace the days of ``year`` by those of a sheet: a date, 休 (off) or 班 (worked), and a name in each row.

    Raises Faulty, and writes nothing, with every fault at its row and column, or as :func:`load` does.
    """
    entries, faults = sheets.read(file, _COLUMNS)
    read = Year(year, notice.strip()[:200])
    rows: dict[dt.date, int] = {}
    for entry in entries:
        text = entry.cells[DAY].replace("/", "-").replace(".", "-")
        try:
            day = dt.datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            faults.append(Fault(entry.row, DAY, _("this is not a date: write it as 2027-01-01")))
            continue
        working = _RESTS.get(entry.cells[REST])
        if working is None:
            faults.append(Fault(entry.row, REST, _("write 休 (off) or 班 (worked)")))
        elif working and day.weekday() < 5:
            wrong = format_lazy(_("{day} is no Saturday or Sunday"), day=day.isoformat())
            faults.append(Fault(entry.row, REST, wrong))
        if not dt.date(year - 1, 12, 1) <= day <= dt.date(year, 12, 31):
            wrong = format_lazy(_("{day} is not in {year}"), day=day.isoformat(), year=year)
            faults.append(Fault(entry.row, DAY, wrong))
        elif day in rows:
            faults.append(Fault(entry.row, DAY, format_lazy(_("the same as in entry {row}"), row=rows[day])))
        rows[day] = entry.row
        read.days[day] = (bool(working), entry.cells[NAME])
    if faults:
        raise Faulty(sorted(faults, key=lambda f: f.row))
    return _replace([read], [])
