"""Who looked is found by person, unit, order, time and reason, and told to the person it concerns without the name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io

import pytest
import typer
from django.db import connection
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries
from typer.testing import CliRunner

from lucheng.core.cases.models import Case
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.privacy import cli, looks
from lucheng.core.privacy.contacts import reveal
from lucheng.core.privacy.looks import Asked
from lucheng.core.privacy.models import Reveal
from tests import factories
from tests.core.ledger.stories import NOW, PHONE, case_of_a_broken_lamp
from tests.factories import City

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def many(case: Case, unit: Unit | None, person: Person, at: dt.datetime, count: int) -> None:
    Reveal.objects.bulk_create(
        Reveal(
            contact=case.contact,
            number=case.number,
            person=person,
            unit=unit,
            role="handler",
            fields=["phone"],
            at=at + n * dt.timedelta(seconds=1),
            reason=f"联系诉求人 {n}",
        )
        for n in range(count)
    )


def look(case: Case, city: City, who: str, unit: str, reason: str, at: dt.datetime) -> Reveal:
    person = city.people[who]
    reveal(case.contact, person=person, role=who, unit_id=city.units[unit].pk, reason=reason, now=at)
    return Reveal.objects.latest("id")


def test_looks_are_found_by_who_where_which_when_and_why(city: City) -> None:
    case, other = case_of_a_broken_lamp(), case_of_a_broken_lamp()
    first = look(case, city, "operator", "hotline", "回访核实", NOW)
    second = look(other, city, "handler", "utilities", "上门前联系", NOW + HOUR)
    third = look(case, city, "handler", "utilities", "再次联系", NOW + 2 * HOUR)
    rows = Reveal.objects.all()
    for asked, fits in [
        (Asked(), [third, second, first]),
        (Asked(person="handler"), [third, second]),
        (Asked(person="nobody"), []),
        (Asked(unit="hotline"), [first]),
        (Asked(unit=city.units["utilities"].name), [third, second]),
        (Asked(number=case.number), [third, first]),
        (Asked(reason="联系"), [third, second]),
        (Asked(reason="%"), []),
        (Asked(since=NOW + HOUR, until=NOW + 2 * HOUR), [second]),
        (Asked(person="handler", reason="再次"), [third]),
    ]:
        assert list(looks.find(rows, asked)) == fits, asked


def test_a_page_deep_down_costs_what_the_first_costs_and_none_is_left_out(
    city: City, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    case = case_of_a_broken_lamp()
    many(case, city.units["hotline"], city.people["operator"], NOW, 60)
    Reveal.objects.filter(pk__in=list(Reveal.objects.values_list("pk", flat=True)[:30])).update(
        at=NOW
    )  # at one moment
    rows = looks.find(Reveal.objects.all(), Asked())
    seen: list[int] = []
    before = None
    for n in range(6):
        with django_assert_num_queries(1 if before is None else 2):
            shown, following = looks.page(rows, before, 10)
        seen += [r.pk for r in shown]
        assert (following is None) == (n == 5)
        before = following
    assert len(set(seen)) == 60
    assert looks.page(rows, 10**15, 10) == ([], None)


def test_the_list_is_read_from_its_index(city: City) -> None:
    many(case_of_a_broken_lamp(), city.units["hotline"], city.people["operator"], NOW, 2000)
    with connection.cursor() as cursor:
        cursor.execute("analyze privacy_reveal")
        cursor.execute(
            "explain select id from privacy_reveal where at <= %s order by at desc, id desc limit 51",
            [NOW + DAY],
        )
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "reveal_at" in plan and "Sort" not in plan


def test_an_officer_of_a_district_sees_its_units_looks_and_one_of_the_city_all(city: City) -> None:
    case = case_of_a_broken_lamp()
    of_the_street = look(case, city, "street_handler", "street", "上门前联系", NOW)
    of_the_city = look(case, city, "handler", "utilities", "上门前联系", NOW)
    many(case, None, city.people["operator"], NOW, 1)
    for place, seen in ((factories.CITY, 3), (factories.WEST, 1), (factories.EAST, 0)):
        officer = factories.person(f"officer-{place}", "data_protection_officer", place)
        visible = looks.visible(scope_of(officer))
        assert visible.count() == seen, place
        assert (of_the_city in visible) == (place == factories.CITY)
        assert (of_the_street in visible) == (place != factories.EAST)
    for nobody in ("operator", "administrator", "auditor"):
        assert not looks.visible(city.scope(nobody)).exists()


def test_only_days_far_above_a_units_own_median_are_unusual_and_people_are_not_counted(city: City) -> None:
    case = case_of_a_broken_lamp()
    hotline, utilities, heating = (city.units[u] for u in ("hotline", "utilities", "heating"))
    who = city.people["operator"]
    for back in range(1, 29):
        many(case, hotline, who, NOW - back * DAY, 8)
        many(case, utilities, who, NOW - back * DAY, 2)
    many(case, hotline, who, NOW - HOUR, 24)  # three times as often, not more
    many(case, utilities, who, NOW - HOUR, 10)
    many(case, heating, who, NOW - 3 * DAY, 9)  # fewer than ten
    found = looks.unusual(Reveal.objects.all(), NOW)
    assert [(u.unit, u.day, u.looks, u.usual) for u in found] == [(utilities.name, NOW.date(), 10, 2)]
    assert {f.name for f in dataclasses.fields(looks.UnusualDay)} == {"day", "unit", "looks", "usual"}


def test_a_new_unit_that_looks_ten_times_is_unusual(city: City) -> None:
    many(case_of_a_broken_lamp(), city.units["heating"], city.people["stoker"], NOW - DAY, 10)
    assert [u.usual for u in looks.unusual(Reveal.objects.all(), NOW)] == [0]


def test_the_person_is_told_when_which_unit_what_and_why_and_no_name(city: City) -> None:
    case, other = case_of_a_broken_lamp(), case_of_a_broken_lamp()
    look(case, city, "handler", "utilities", "上门前联系", NOW)
    look(other, city, "operator", "hotline", "回访核实", NOW)
    many(case, None, city.people["operator"], NOW - DAY, 1)
    told = looks.for_the_requester(case.number)
    assert [(s.at, s.unit, [str(f) for f in s.fields], s.reason) for s in told] == [
        (NOW, city.units["utilities"].name, ["姓名", "电话"], "上门前联系"),
        (NOW - DAY, "", ["电话"], "联系诉求人 0"),
    ]
    assert {f.name for f in dataclasses.fields(looks.Seen)} == {"at", "unit", "fields", "reason"}


def test_the_sheet_has_every_look_as_text_and_no_contact(city: City) -> None:
    case = case_of_a_broken_lamp()
    look(case, city, "operator", "hotline", "=1+1 回访", NOW)
    file = io.BytesIO()
    assert looks.export(looks.find(Reveal.objects.all(), Asked()), file) == 1
    rows = list(load_workbook(io.BytesIO(file.getvalue())).active.values)
    assert rows[0][:2] == ("时间", "查看人")
    assert rows[1] == (
        "2026-03-02 09:30:00",
        "operator",
        "operator",
        city.units["hotline"].name,
        "operator",
        case.number,
        "姓名、电话",
        "=1+1 回访",
    )
    assert PHONE.encode() not in file.getvalue()


def test_the_command_lists_them(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "ensure_database", lambda: None)
    monkeypatch.setattr(cli.console, "width", 200)
    case = case_of_a_broken_lamp()
    look(case, city, "operator", "hotline", "回访[核实]", NOW)
    app = typer.Typer()
    cli.register(app)
    run = CliRunner().invoke
    found = run(app, ["privacy", "looks", "--since", "2026-03-02", "--person", "operator"]).output
    assert case.number in found and "回访[核实]" in found and "name, phone" in found and PHONE not in found
    assert case.number not in run(app, ["privacy", "looks", "--since", "2026-03-03"]).output
    assert run(app, ["privacy", "looks", "--unusual"]).exit_code == 0
