"""Registers as sheets: what comes out goes in again, what is wrong is said at its cell, an import has a way back."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from lucheng.core.errors import Conflict, Forbidden, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.organisation.access import NOBODY
from lucheng.core.organisation.models import Person
from lucheng.core.registers import book, exchange, imports, sweeps
from lucheng.core.registers.models import Change, Import
from lucheng.core.registers.register import named
from lucheng.projects.party_centres.models import Centre
from tests import factories
from tests.core.registers.centres import CENTRES, centre, given, keeper
from tests.factories import CITY, NOW, SUMU, WEST, City

REGISTER = named(CENTRES)


def sheet(*rows: dict[str, Any], headers: list[str] | None = None) -> io.BytesIO:
    """An xlsx sheet of centres; a row names fields as programs do."""
    made: Any = Workbook()
    made.active.append(headers or exchange.headers(REGISTER))
    for row in rows:
        made.active.append([row.get(c.name) for c in REGISTER.columns])
    file = io.BytesIO()
    made.save(file)
    file.seek(0)
    return file


def taken(*rows: dict[str, Any], **more: Any) -> exchange.Checked:
    read, faults = exchange.read(REGISTER, sheet(*rows))
    assert not faults
    return exchange.take_over(REGISTER, read, **{"by": None, "scope": None, "now": NOW, **more})


def faults(*rows: dict[str, Any], **more: Any) -> list[tuple[int, str]]:
    with pytest.raises(Faulty) as refused:
        taken(*rows, **more)
    return sorted((f.row, str(f.column)) for f in refused.value.faults)


def test_an_exported_sheet_is_taken_back_unchanged(city: City) -> None:
    centre(
        "C1",
        services="党务、文化",
        access="电梯、低位服务台",
        unit="utilities",
        lon=110.005,
        lat=40.005,
        area=300,
    )
    centre("C2", name="-1=负一楼", standard_since="2020-07-01", valid_to="2030-01-01")
    for kind in ("xlsx", "csv"):
        file = io.BytesIO()
        assert exchange.export(REGISTER, REGISTER.rows(None), file, kind=kind) == 2
        file.seek(0)
        rows, wrong = exchange.read(REGISTER, file)
        assert not wrong
        checked = exchange.check(REGISTER, rows, None)
        assert not checked.faults
        assert (checked.unchanged, checked.added, checked.changed) == (2, [], [])


def test_export_is_in_the_readers_rights(city: City) -> None:
    centre("C1")
    assert exchange.export(REGISTER, REGISTER.rows(NOBODY), io.BytesIO()) == 0


def test_the_template_is_chinese_and_says_what_may_stand_where(city: City) -> None:
    file = io.BytesIO()
    exchange.template(REGISTER, file)
    book_ = load_workbook(file)
    first, second = book_.worksheets
    headers = [c.value for c in first[1]]
    assert headers[:4] == ["编号", "名称", "区划", "地址"] and "达标日期" in headers
    notes = dict(second.iter_rows(values_only=True))
    assert "城市社区" in notes["级别"] and notes["名称"] == "必填。"


def test_new_and_known_entries_are_told_apart_by_their_codes(city: City) -> None:
    centre("C1")
    done = taken(
        {**given(), "code": "C1", "phone": "0472-1"},
        {**given(name="新的"), "area": 120.0, "valid_from": dt.datetime(2021, 5, 1)},
    )
    assert (len(done.added), len(done.changed), done.unchanged) == (1, 1, 0)
    changed, added = Centre.objects.order_by("id")
    assert (changed.phone, changed.version) == ("0472-1", 2)
    assert added.code.startswith("DQ") and added.valid_from == dt.date(2021, 5, 1) and added.area == 120
    assert Change.objects.count() == 3
    assert book.history(REGISTER, added.code)[0].said == REGISTER.said(added)
    assert added in book.find(REGISTER, None, book.Wanted(dt.date(2026, 1, 1), text="新的"))


def test_every_fault_is_said_at_its_row_and_cell_and_nothing_is_written(city: City) -> None:
    centre("C1")
    assert faults(
        {**given(), "code": "C7"},
        {**given(), "code": "C7"},  # twice
        {**given(), "level": "?", "area": "x"},
        {**given()},  # the name and place of C1, without its code
        {**given(name="点"), "lon": 110.05, "lat": 40.005},  # in another district
        {**given(name="反"), "valid_to": "2020-01-01"},
    ) == [(3, "编号"), (4, "建筑面积（平方米）"), (4, "级别"), (5, "编号"), (6, "经度"), (7, "终止日期")]
    assert Centre.objects.count() == 1


def test_nobody_imports_beyond_their_posts(city: City) -> None:
    centre("C1", place=SUMU)
    rows = [
        {**given(name="在内")},
        {**given(name="在外"), "place": SUMU},
        {**given(), "code": "C1"},  # moved in from outside
    ]
    assert faults(*rows, scope=keeper(WEST)) == [(3, "区划"), (4, "区划")]
    assert faults(*rows, scope=NOBODY) == [(2, "区划"), (3, "区划"), (4, "区划")]
    assert Centre.objects.get().place == SUMU


@pytest.mark.parametrize(
    ("file", "row", "words"),
    [
        (lambda: sheet(given(), headers=["code", "name"]), 1, "code"),
        (lambda: io.BytesIO(b"PK\x03\x04nonsense"), 0, "xlsx"),
        (lambda: io.BytesIO(b"\xff\xfe\x00"), 0, "CSV"),
        (lambda: sheet(), 0, ""),
    ],
    ids=["header in the wrong language", "broken xlsx", "no sheet", "no row"],
)
def test_a_file_that_is_no_sheet_is_refused_in_words(
    city: City, file: Callable[[], io.BytesIO], row: int, words: str
) -> None:
    with pytest.raises(Faulty) as refused:
        exchange.read(REGISTER, file())
    assert refused.value.faults[0].row == row and words in str(refused.value.faults[0])


def test_a_formula_is_refused_where_it_stands(city: City) -> None:
    _rows, wrong = exchange.read(REGISTER, sheet({**given(), "phone": "=1+1"}))
    assert [(f.row, f.column) for f in wrong] == [(2, "办公电话")]


def test_somebody_who_writes_between_check_and_writing_is_not_overwritten(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre("C1")
    plain = exchange._write

    def later(*args: Any, **more: Any) -> None:
        Centre.objects.filter(code="C1").update(version=9)
        plain(*args, **more)

    monkeypatch.setattr(exchange, "_write", later)
    with pytest.raises(Conflict):
        taken({**given(phone="1"), "code": "C1"})
    with pytest.raises(Conflict):
        monkeypatch.setattr(exchange, "_write", lambda *a, **m: (centre("C2", name="先到"), plain(*a, **m)))
        taken({**given(name="后到"), "code": "C2"})
    assert Centre.objects.get(code="C1").phone == ""


# --- the steps of an import --------------------------------------------------------------------------------------


@pytest.fixture
def author(city: City) -> Person:
    return factories.person("keeper", "centres_keeper", WEST)


def scope(author: Person) -> Any:
    from lucheng.core.organisation.access import scope_of

    return scope_of(author)


def brought(author: Person, *rows: dict[str, Any]) -> Import:
    made = imports.bring(REGISTER, sheet(*rows), "中心.xlsx", by=author, scope=scope(author), now=NOW)
    sweeps.work(NOW)
    made.refresh_from_db()
    return made


def stepped(author: Person, made: Import, what: str) -> Import:
    imports.step(REGISTER, scope(author), made.pk, what, by=author, now=NOW)
    sweeps.work(NOW)
    made.refresh_from_db()
    return made


def test_a_sheet_is_checked_looked_at_taken_over_and_taken_back(author: Person) -> None:
    centre("C1", phone="old")
    made = brought(author, {**given(phone="new"), "code": "C1"}, given(name="新的"))
    assert (made.state, made.rows, made.added, made.changed) == ("checked", 2, 1, 1)
    assert Centre.objects.count() == 1
    stepped(author, made, "approve")
    assert made.state == "done" and not made.content
    assert Centre.objects.get(code="C1").phone == "new"
    stepped(author, made, "undo")
    assert made.state == "undone"
    back = Centre.objects.get()
    assert (back.code, back.phone, back.version) == ("C1", "old", 3)
    assert [c.how for c in book.history(REGISTER, "C1")] == ["taken_back", "changed", "added"]
    assert Change.objects.filter(how="taken_back").count() == 2


def test_a_faulty_sheet_shows_its_faults_in_both_languages_and_is_not_kept(author: Person) -> None:
    made = brought(author, given(level="?"), given(place=SUMU))
    assert (made.state, made.fault_count, bytes(made.content)) == ("faulty", 2, b"")
    row, column, texts = made.faults[0]
    assert (
        (row, column) == (2, "级别") and "城市社区" in texts["zh-hans"] and "urban community" in texts["en"]
    )
    with pytest.raises(Conflict):
        stepped(author, made, "approve")


def test_what_no_longer_fits_when_it_is_taken_over_is_refused_whole(author: Person) -> None:
    made = brought(author, given(name="甲"), given(name="乙"))
    centre("C1", name="乙")
    stepped(author, made, "approve")
    assert made.state == "faulty" and made.fault_count == 1
    assert Centre.objects.count() == 1


def test_an_import_is_not_taken_back_over_later_work(author: Person) -> None:
    made = brought(author, {**given(), "code": "C1"}, {**given(name="乙"), "code": "C2"})
    stepped(author, made, "approve")
    book.write(REGISTER, "C1", given(phone="1"), by=None, scope=None, now=NOW, version=1)
    stepped(author, made, "undo")
    assert made.state == "done" and [f[1] for f in made.faults] == ["C1"]
    assert Centre.objects.count() == 2


def test_only_whoever_brought_a_sheet_takes_it_over_and_others_of_other_posts_see_none(
    author: Person, city: City
) -> None:
    made = brought(author, given())
    other = factories.person("other", "centres_keeper", CITY)
    with pytest.raises(Forbidden):
        stepped(other, made, "approve")
    with pytest.raises(NotFound):
        stepped(city.people["operator"], made, "approve")
    with pytest.raises(Forbidden):
        brought(city.people["operator"], given())
    with pytest.raises(NotFound):
        stepped(author, made, "publish")
    stepped(author, made, "drop")
    assert made.state == "dropped"
    with pytest.raises(Conflict):
        stepped(author, made, "approve")


def test_an_import_whose_author_lost_the_post_writes_nothing(author: Person) -> None:
    made = brought(author, given())
    imports.step(REGISTER, scope(author), made.pk, "approve", by=author, now=NOW)
    author.posts.all().delete()
    sweeps.work(NOW)
    made.refresh_from_db()
    assert made.state == "faulty" and not Centre.objects.exists()


def test_an_import_whose_author_lost_the_post_is_not_taken_back_and_holds_nothing_up(author: Person) -> None:
    made = brought(author, {**given(), "code": "C1"})
    stepped(author, made, "approve")
    imports.step(REGISTER, scope(author), made.pk, "undo", by=author, now=NOW)
    author.posts.all().delete()
    assert sweeps.work(NOW) == 1
    made.refresh_from_db()
    assert made.state == "done" and [f[1] for f in made.faults] == ["C1"]
    assert Centre.objects.get().code == "C1" and sweeps.work(NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_take_the_same_import(author: Person) -> None:
    made = imports.bring(REGISTER, sheet(given()), "x.xlsx", by=author, scope=scope(author), now=NOW)
    import psycopg

    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("select pg_advisory_lock(%s, %s)", [sweeps._LOCK, made.pk])
        assert sweeps.work(NOW) == 0
        # A server takes its time to notice that a connection is gone.
        other.execute("select pg_advisory_unlock(%s, %s)", [sweeps._LOCK, made.pk])
    assert sweeps.work(NOW) == 1


def test_a_worker_that_died_in_the_middle_is_followed_by_one_that_begins_again(
    author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = brought(author, given(), given(name="乙"))
    imports.step(REGISTER, scope(author), made.pk, "approve", by=author, now=NOW)
    plain = book.note

    def killed(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(book, "note", killed)
    with pytest.raises(KeyboardInterrupt):
        sweeps.work(NOW)
    assert not Centre.objects.exists()
    monkeypatch.setattr(book, "note", plain)
    sweeps.work(NOW)
    made.refresh_from_db()
    assert made.state == "done" and Centre.objects.count() == 2


def test_a_sheet_that_names_units_asks_no_more_often_for_many_rows(city: City) -> None:
    def queries(count: int) -> int:
        units = [factories.unit(f"u{count}-{n}", "单位", "department", WEST).code for n in range(count)]
        read, _wrong = exchange.read(
            REGISTER, sheet(*(given(name=f"甲{n}", unit=u) for n, u in enumerate(units)))
        )
        with CaptureQueriesContext(connection) as asked:
            assert not exchange.check(REGISTER, read, None).faults
        return len(asked)

    queries(2)  # what is held in memory afterwards
    assert queries(1) == queries(20)
