"""Entries of a register, one at a time: who may write what, what is refused, and what is kept of each version."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any, cast

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.organisation.access import NOBODY
from lucheng.core.registers import book, exchange
from lucheng.core.registers.book import Wanted
from lucheng.core.registers.models import Change
from lucheng.core.registers.register import named, registers, terms
from lucheng.projects.party_centres.models import Centre
from tests.core.registers.centres import CENTRES, DAY, centre, given, keeper
from tests.factories import CITY, COMMUNITY, EAST, GRID, INSIDE_GRID, NOW, STREET, SUMU, WEST, City

WANTED = Wanted(DAY)


def found(wanted: Wanted = WANTED, **more: Any) -> list[str]:
    rows = book.find(named(CENTRES), more.pop("reader", None), wanted)
    return [row.code for row in book.page(rows, **more).rows]


def test_a_register_is_found_by_its_model_alone() -> None:
    assert registers()[CENTRES].model is Centre
    with pytest.raises(NotFound):
        named("gardens")


def test_an_entry_is_written_in_words_as_people_write_them(city: City) -> None:
    made = centre(
        level="城市社区",
        place="花园社区",
        services="党务、退役军人,文化",
        access="电梯",
        unit="鹿原市城市管理局",
        valid_from="2020年6月1日",
        area="1,200",
    )
    made.refresh_from_db()
    assert (made.level, made.place, made.area) == ("community", COMMUNITY, 1200)
    assert (made.services, made.access) == (["党务", "退役军人", "文化"], ["lift"])
    assert made.unit == city.units["utilities"] and made.valid_from == dt.date(2020, 6, 1)


def test_everything_that_is_wrong_is_said_at_once_at_its_field(city: City) -> None:
    with pytest.raises(Invalid) as refused:
        centre(
            code="=1+1",
            name="",
            place="990199",
            level="galaxy",
            unit="nowhere",
            area="many",
            lon="190",
            valid_from="1/2/2020",
        )
    assert sorted(refused.value.fields) == [
        "area",
        "code",
        "level",
        "lon",
        "name",
        "place",
        "unit",
        "valid_from",
    ]
    assert "城市社区" in str(refused.value.fields["level"])
    assert not Centre.objects.exists() and not Change.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"valid_to": "2020-06-01"}, "valid_to"),
        ({"lon": 110.005}, "lon"),
        ({"lon": 116.4, "lat": 39.9}, "lon"),
        ({"lon": 110.05, "lat": 40.005}, "lon"),  # in the banner
        ({"standard_since": "2020-05-31"}, "standard_since"),
        ({"area": True}, "area"),
        ({"area": 1.5}, "area"),
        ({"area": "1.5"}, "area"),
        ({"area": -1}, "area"),
        ({"lat": float("nan"), "lon": 110.0}, "lat"),
        ({"services": {"a": 1}}, "services"),
        ({"name": ["x"]}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"valid_from": "2020-02-30"}, "valid_from"),
    ],
)
def test_what_cannot_be_is_refused(city: City, wrong: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as refused:
        centre(**wrong)
    assert list(refused.value.fields) == [at]


def test_a_point_may_lie_in_a_grid_of_its_place_or_around_it(city: City) -> None:
    lon, lat = INSIDE_GRID
    assert centre("C1", lon=lon, lat=lat).lon == lon
    assert centre("C2", lon=lon, lat=lat, place=GRID).place == GRID


def test_an_entry_without_a_code_is_given_one(city: City) -> None:
    one, two = centre(""), centre("", name="另一个")
    assert one.code.startswith("DQ") and len({one.code, two.code}) == 2


def test_nobody_writes_where_their_posts_do_not_reach(city: City) -> None:
    centre("C1")
    register = named(CENTRES)
    for scope in (NOBODY, keeper(EAST)):
        with pytest.raises(Forbidden):
            book.write(register, "C2", given(), by=None, scope=scope, now=NOW)
        with pytest.raises((Forbidden, NotFound)):
            book.write(register, "C1", given(name="x"), by=None, scope=scope, now=NOW, version=1)
    # Nor is an entry moved out of the reach of whoever keeps it.
    with pytest.raises(Forbidden):
        book.write(register, "C1", given(place=SUMU), by=None, scope=keeper(WEST), now=NOW, version=1)
    assert book.write(register, "C1", given(name="x"), by=None, scope=keeper(WEST), now=NOW, version=1)


def test_every_version_is_kept_and_none_can_be_altered(city: City) -> None:
    register = named(CENTRES)
    centre("C1")
    author = city.people["administrator"]
    book.write(register, "C1", given(phone="0472-1"), by=author, scope=None, now=NOW, version=1)
    book.retire(register, "C1", dt.date(2026, 3, 1), by=author, scope=None, now=NOW, version=2)
    last, middle, first = book.history(register, "C1")
    assert [c.how for c in (first, middle, last)] == ["added", "changed", "retired"]
    assert [c.number for c in (first, middle, last)] == [1, 2, 3]
    assert middle.by == author and middle.said["phone"] == "0472-1"
    assert book.differences(register, middle, first) == [("办公电话", "", "0472-1")]
    assert not found() and found(Wanted(DAY, state=book.ENDED)) == ["C1"]
    assert found(Wanted(dt.date(2026, 2, 28))) == ["C1"]
    for statement in ("update registers_change set code = 'x'", "delete from registers_change"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_writing_what_stands_there_changes_nothing(city: City) -> None:
    centre("C1")
    again = book.write(named(CENTRES), "C1", given(), by=None, scope=None, now=NOW, version=1)
    assert again.version == 1 and Change.objects.count() == 1


def test_whoever_comes_second_is_told(city: City) -> None:
    register = named(CENTRES)
    centre("C1")
    with pytest.raises(Conflict):
        centre("C1", name="other")
    book.write(register, "C1", given(phone="1"), by=None, scope=None, now=NOW, version=1)
    with pytest.raises(Conflict):
        book.write(register, "C1", given(phone="2"), by=None, scope=None, now=NOW, version=1)
    with pytest.raises(NotFound):
        book.write(register, "C9", given(), by=None, scope=None, now=NOW, version=1)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_writes(city: City) -> None:
    centre("C1")
    start, outcomes = threading.Barrier(2), []

    def write(phone: str) -> None:
        try:
            start.wait()
            book.write(named(CENTRES), "C1", given(phone=phone), by=None, scope=None, now=NOW, version=1)
            outcomes.append("written")
        except Conflict:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["told", "written"]
    assert Centre.objects.get().version == 2 and Change.objects.count() == 2


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_is_narrowed_by_place_text_state_and_choice(city: City) -> None:
    centre("C1", access="电梯")
    centre("C2", name="钢花社区服务站", place=STREET + "002", access=["lift", "toilet"])
    centre("C3", name="乌兰嘎查党群服务中心", place=SUMU + "001", level="village")
    centre("C4", name="未来", valid_from="2030-01-01")
    assert found() == ["C1", "C2", "C3"]
    assert found(Wanted(DAY, place=WEST)) == ["C1", "C2"]
    assert found(Wanted(DAY, text="嘎查")) == ["C3"]
    assert found(Wanted(DAY, text="花 服务")) == ["C1", "C2"]
    assert found(Wanted(DAY, text="花园社")) == ["C1"]
    assert found(Wanted(DAY, text="社园")) == []
    assert found(Wanted(DAY, text="c2")) == ["C2"]
    assert found(Wanted(DAY, choices=(("level", "village"),))) == ["C3"]
    assert found(Wanted(DAY, choices=(("access", "lift"),))) == ["C1", "C2"]
    assert found(Wanted(DAY, state=book.TO_COME)) == ["C4"]
    assert found(Wanted(DAY, state=book.ANY)) == ["C1", "C4", "C2", "C3"]
    assert found(reader=NOBODY) == []


@pytest.mark.parametrize("sort", list(book.SORTS))
def test_pages_forth_and_back_show_every_entry_once(city: City, sort: str) -> None:
    for n in range(7):
        centre(f"C{n}", name=f"中心{n % 3}", valid_from=f"2020-01-0{1 + n % 4}")
    rows = book.find(named(CENTRES), None, WANTED)
    whole = [r.code for r in book.page(rows, sort).rows]
    first = book.page(rows, sort, size=3)
    second = book.page(rows, sort, size=3, after=first.after or "")
    third = book.page(rows, sort, size=3, after=second.after or "")
    assert [r.code for p in (first, second, third) for r in p.rows] == whole and len(whole) == 7
    assert first.before is None and third.after is None
    back = book.page(rows, sort, size=3, before=third.before or "")
    assert [r.code for r in back.rows] == [r.code for r in second.rows]
    start = book.page(rows, sort, size=3, before=back.before or "")
    assert [r.code for r in start.rows] == [r.code for r in first.rows] and start.before is None
    assert book.page(rows, sort, after="nonsense") is not None


def test_a_page_costs_one_query_however_many_entries(
    city: City, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(30):
        centre(f"C{n}")
    rows = book.find(named(CENTRES), keeper(CITY), WANTED)
    with django_assert_num_queries(1):
        book.page(rows.select_related("unit"), size=20)


def test_terms_are_single_characters_and_pairs() -> None:
    assert terms("党群 A1") == sorted({"党", "群", "党群", "a", "1", "a1"})


# --- what registers are made of ------------------------------------------------------------------------------------


def test_a_part_lies_within_its_whole_in_place_and_time(city: City) -> None:
    whole = centre(place=WEST, valid_from="2020-01-01", valid_to="2022-01-01")

    def wrong(place: str, since: dt.date, until: dt.date | None) -> list[str]:
        return sorted(Centre(place=place, valid_from=since, valid_to=until).misfits(whole))

    begin, end = dt.date(2020, 1, 1), dt.date(2022, 1, 1)
    assert wrong(STREET, begin, end) == []
    assert wrong(EAST, begin, end) == ["place"]
    assert wrong(WEST, begin - dt.timedelta(days=1), end) == ["valid_from"]
    assert wrong(WEST, begin, None) == ["valid_to"]
    assert wrong(CITY, begin, end + dt.timedelta(days=1)) == ["place", "valid_to"]


def test_a_rule_looks_at_a_named_record_without_a_query_for_each_row(city: City) -> None:
    def queries(count: int) -> int:
        rows = exchange.sheet_of(
            named(CENTRES), [given(name=f"中心{n}", unit="street") for n in range(count)]
        )
        with CaptureQueriesContext(connection) as asked:
            found = exchange.check(named(CENTRES), rows, None)
        assert not found.faults and {cast(Centre, e).unit for e in found.added} == {city.units["street"]}
        return len(asked)

    queries(1)  # what is asked once for all
    assert queries(20) == queries(1)
