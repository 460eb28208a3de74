"""The pages of the working calendar and of the table of time limits."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from lucheng.core.clocks import holidays, limits
from lucheng.core.clocks.models import CalendarDay, TimeLimit
from lucheng.core.organisation.models import Person
from lucheng.core.revisions.snapshot import forget
from tests.channels.administration.counting import queries
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper() -> Person:
    city.lay_out()
    holidays.load()
    limits.load()
    return city.officer("keeper", "calendar.edit")


@pytest.fixture
def browser(client: Client, keeper: Person) -> Client:
    client.force_login(keeper)
    client.cookies["django_language"] = "en"
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize(
    "page", ["calendar/2026/", "calendar/2026/sheet/", "limits/", "limits/due/", "limits/sheet/"]
)
def test_every_page_asks_for_the_capability(client: Client, keeper: Person, page: str) -> None:
    assert client.get(f"/admin/{page}").status_code == 302
    client.force_login(city.officer("reader", "case.view", "organisation.edit"))
    assert client.get(f"/admin/{page}").status_code == 403
    client.force_login(keeper)
    assert client.get(f"/admin/{page}").status_code == 200


def test_every_change_asks_for_the_capability_over_the_whole_city(client: Client, keeper: Person) -> None:
    before = CalendarDay.objects.count(), TimeLimit.objects.count()
    county = city.officer("county", "calendar.edit")
    county.posts.update(place="150203")
    for person in (city.officer("reader", "case.view"), county):
        client.force_login(person)
        for page, data in {
            "calendar/2026/": {"day": "2026-03-02", "kind": "off", "name": "x"},
            "calendar/2026/forget/": {"day": "2026-01-01"},
            "calendar/2026/upload/": {},
            "limits/": {},
        }.items():
            assert client.post(f"/admin/{page}", data).status_code == 403, page
    assert (CalendarDay.objects.count(), TimeLimit.objects.count()) == before


def test_the_year_shows_holidays_and_swapped_workdays(browser: Client) -> None:
    assert browser.get("/admin/calendar/").status_code == 302
    page = text(browser.get("/admin/calendar/2026/"))
    named = CalendarDay.objects.filter(day__year=2026)
    assert named.exists()
    for day in named:
        assert f'value="{day.day.isoformat()}"' in page
        assert day.name in page
    assert page.count('class="month"') == 12


def test_a_day_off_is_entered_and_taken_back(browser: Client) -> None:
    day = dt.date(2026, 3, 2)  # a Monday
    assert holidays.calendar().is_working(day)
    browser.post("/admin/calendar/2026/", {"day": "2026-03-02", "kind": "off", "name": "地方假日"})
    forget()
    assert not holidays.calendar().is_working(day)
    assert "地方假日" in text(browser.get("/admin/calendar/2026/"))
    browser.post("/admin/calendar/2026/forget/", {"day": "2026-03-02"})
    forget()
    assert holidays.calendar().is_working(day)


def test_a_sunday_becomes_a_working_day(browser: Client) -> None:
    browser.post("/admin/calendar/2026/", {"day": "2026-03-08", "kind": "work", "name": "调休"})
    forget()
    assert holidays.calendar().is_working(dt.date(2026, 3, 8))


def test_naming_a_named_day_changes_it(browser: Client) -> None:
    day = CalendarDay.objects.filter(working=False, day__year=2026).order_by("day").last()
    assert day is not None
    count = CalendarDay.objects.count()
    browser.post("/admin/calendar/2026/", {"day": day.day.isoformat(), "kind": "off", "name": "改名"})
    day.refresh_from_db()
    assert (day.name, CalendarDay.objects.count()) == ("改名", count)


@pytest.mark.parametrize(
    "data",
    [
        {"day": "2026-03-02", "kind": "work", "name": "周一"},
        {"day": "2026-03-02", "kind": "off", "name": ""},
        {"day": "2026-02-30", "kind": "off", "name": "x"},
        {"day": "1800-01-01", "kind": "off", "name": "x"},
        {"day": "", "kind": "2", "name": "x" * 50},
    ],
)
def test_a_day_that_cannot_be_named_is_refused_at_the_field(browser: Client, data: dict[str, str]) -> None:
    count = CalendarDay.objects.count()
    response = browser.post("/admin/calendar/2026/", data)
    assert response.status_code == 422 and "error-list" in text(response)
    assert CalendarDay.objects.count() == count


def test_a_year_or_day_that_is_not_there_is_not_found(browser: Client) -> None:
    assert browser.get("/admin/calendar/1500/").status_code == 404
    assert browser.post("/admin/calendar/2026/forget/", {"day": "x"}).status_code == 404
    assert browser.post("/admin/calendar/2026/forget/", {"day": "2026-03-03"}).status_code == 404


def test_a_year_takes_the_same_queries_however_many_days_are_named(browser: Client) -> None:
    CalendarDay.objects.filter(day__year=2035).delete()
    assert queries(browser, "/admin/calendar/2035/") == queries(browser, "/admin/calendar/2026/")


def test_limits_are_shown_with_their_basis(browser: Client) -> None:
    page = text(browser.get("/admin/limits/"))
    for limit in TimeLimit.objects.exclude(basis="")[:5]:
        assert limit.basis in page


def uploaded(content: bytes, change: Any = None) -> SimpleUploadedFile:
    book = load_workbook(io.BytesIO(content))
    if change is not None:
        change(book.active)
    file = io.BytesIO()
    book.save(file)
    return SimpleUploadedFile("时限.xlsx", file.getvalue())


def test_the_table_is_downloaded_edited_and_replaced(browser: Client) -> None:
    sheet = browser.get("/admin/limits/sheet/").getvalue()
    count = TimeLimit.objects.count()
    response = browser.post("/admin/limits/", {"file": uploaded(sheet)}, follow=True)
    assert "0 rows added, 0 changed, 0 removed" in text(response)

    def drop(active: Any) -> None:
        active.delete_rows(2)

    response = browser.post("/admin/limits/", {"file": uploaded(sheet, drop)}, follow=True)
    assert "0 rows added, 0 changed, 1 removed" in text(response)
    assert TimeLimit.objects.count() == count - 1


def test_a_faulty_table_is_refused_as_a_whole(browser: Client) -> None:
    sheet = browser.get("/admin/limits/sheet/").getvalue()
    count = TimeLimit.objects.count()

    def spoil(active: Any) -> None:
        active["A2"] = "no such clock"
        active.delete_rows(3)

    response = browser.post("/admin/limits/", {"file": uploaded(sheet, spoil)})
    assert response.status_code == 422 and "Nothing has been changed" in text(response)
    assert browser.post("/admin/limits/", {}).status_code == 422
    assert TimeLimit.objects.count() == count


def test_a_year_is_downloaded_edited_and_replaced(browser: Client) -> None:
    sheet = browser.get("/admin/calendar/2026/sheet/").getvalue()
    before = {d.day: (d.working, d.name) for d in CalendarDay.objects.filter(year=2026)}

    def add(active: Any) -> None:
        active.append(["2026-03-02", "休", "地方假日"])

    data = {"file": uploaded(sheet, add), "notice": "国办发明电〔2026〕1号"}
    response = browser.post("/admin/calendar/2026/upload/", data, follow=True)
    assert "as the sheet says" in text(response) and "国办发明电〔2026〕1号" in text(response)
    after = {d.day: (d.working, d.name) for d in CalendarDay.objects.filter(year=2026)}
    assert after == before | {dt.date(2026, 3, 2): (False, "地方假日")}
    forget()
    assert not holidays.calendar().is_working(dt.date(2026, 3, 2))


def test_a_faulty_year_is_refused_at_row_and_column(browser: Client) -> None:
    sheet = browser.get("/admin/calendar/2026/sheet/").getvalue()
    count = CalendarDay.objects.count()

    def spoil(active: Any) -> None:
        active["A2"], active["B3"] = "1月1日", "也许"
        active.append(["2026-03-03", "班", "周二"])
        active.append(["2031-03-03", "休", "他年"])

    response = browser.post("/admin/calendar/2026/upload/", {"file": uploaded(sheet, spoil)})
    page = text(response)
    assert response.status_code == 422 and "Nothing has been changed" in page
    for words in ("not a date", "休 (off)", "no Saturday", "not in 2026"):
        assert words in page
    assert CalendarDay.objects.count() == count
    assert browser.post("/admin/calendar/2026/upload/", {}).status_code == 422


def test_when_a_case_of_now_would_be_due_is_reckoned(browser: Client) -> None:
    asked = {
        "kind": "command_centre.order",
        "nature": "help",
        "urgency": "ordinary",
        "at": "2026-03-02T09:30",
    }
    due = {str(row["clock"]): row for row in browser.get("/admin/limits/", asked).context["due"]}
    limit = limits.limit_for("reply", "command_centre.order", "help", "ordinary", "")
    assert limit is not None
    start = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert due["reply"]["due_at"] == holidays.calendar().add(start, limit.amount, limit.unit)
    part = browser.get("/admin/limits/due/", asked | {"urgency": "critical"})
    assert part.status_code == 200 and "<html" not in text(part) and "Would be due" in text(part)
    for wrong in ({"kind": "no.such"}, {"matter": "无此事项"}, {"at": "1500-01-01T00:00"}, {"at": "x"}):
        assert browser.get("/admin/limits/", asked | wrong).status_code == 422
