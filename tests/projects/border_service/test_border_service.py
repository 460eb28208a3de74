"""Service on the border: windows and shifts of a hall, rangers as posts, inspections to their end, and no position."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.errors import Invalid, NotFound
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.organisation.access import Grant, Scope
from lucheng.core.registers import book
from lucheng.core.registers.register import named, registers
from lucheng.projects.border_service import demo
from lucheng.projects.border_service.models import JointInspection, RangerDuty, RangerPosts, RangerTraining
from tests.factories import CITY, EAST, NOW, SUMU, WEST, City

TODAY = dt.date(2026, 3, 2)
GACHA = SUMU + "001"


def write(slug: str, code: str, **given: Any) -> Any:
    values = {"name": "名", "place": SUMU, "valid_from": "2020-04-01", **given}
    return book.write(named(slug), code, values, by=None, scope=None, now=NOW)


def refused(slug: str, **given: Any) -> list[str]:
    with pytest.raises(Invalid) as found:
        write(slug, "", **given)
    return sorted(found.value.fields)


def hall() -> None:
    write("border-halls", "BT-1", functions="受理服务、矛盾调处", phone="0472-0000001")
    write("border-windows", "BC-1", hall="BT-1", department="司法", matters="法律咨询")


def test_a_window_is_its_halls_and_a_shift_its_windows(city: City) -> None:
    hall()
    assert refused("border-windows", hall="BT-1", department="民政", place=WEST) == ["place"]
    assert refused("border-windows", hall="BT-1", department="海关") == ["department"]
    shift = {"window": "BC-1", "weekdays": "周一、周六", "begins": "09:00", "ends": "12:00", "staff": 2}
    assert refused("border-shifts", **{**shift, "ends": "08:00"}) == ["ends"]
    assert refused("border-shifts", **{**shift, "staff": 0}) == ["staff"]
    assert refused("border-shifts", **shift, valid_from="2020-03-31") == ["valid_from"]
    assert write("border-shifts", "BB-1", **shift).weekdays == ["MO", "SA"]


def test_members_are_different_departments(city: City) -> None:
    hall()
    write("border-windows", "BC-2", hall="BT-1", department="民政", valid_from="2021-01-01")
    write("border-windows", "BC-3", hall="BT-1", department="司法", name="二号窗口", valid_from="2021-01-01")
    of = figure("10.members")
    assert [of.value(window(year, TODAY), CITY).value for year in ("2020", "2021")] == [1, 2]
    assert of.value(window("2021", TODAY), WEST).value == 0


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"filled": 13}, ["filled"]),
        ({"insured": 12}, ["insured"]),
        ({"posts": 0}, ["filled", "posts"]),
    ],
)
def test_posts_hold_no_more_than_they_are(city: City, wrong: dict[str, Any], at: list[str]) -> None:
    found = refused("ranger-posts", **{"posts": 12, "filled": 11, "insured": 11, **wrong})
    assert set(found) <= set(at) and found


def test_nobody_is_trained_or_on_duty_beyond_days_and_posts(city: City) -> None:
    write("ranger-posts", "HB-1", posts=12, filled=10, insured=10, place=GACHA)
    day = {"of": "HB-1", "place": GACHA, "valid_from": "2020-05-10", "valid_to": "2020-05-11"}
    training = {**day, "topic": "急救", "hours": 6, "trained": 10}
    assert refused("ranger-training", **{**training, "hours": 25}) == ["hours"]
    assert refused("ranger-training", **{**training, "trained": 11}) == ["trained"]
    assert refused("ranger-training", **{**training, "valid_to": ""}) == ["valid_to"]
    write("ranger-training", "HX-1", **training)
    duty = {**day, "tasks": "草原防火、帮助牧民", "planned": 10}
    assert refused("ranger-duty", **{**duty, "planned": 11}) == ["planned"]
    assert refused("ranger-duty", **duty, served=11) == ["served"]
    assert refused("ranger-duty", **{**duty, "place": WEST}) == ["place"]
    write("ranger-duty", "HZ-1", **duty, served=9)


INSPECTION = {"facility": "供水设施", "departments": "公安、应急管理", "valid_from": "2020-05-01"}
FAULT = {**INSPECTION, "found": "水箱渗漏", "due": "2020-06-01"}


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({**INSPECTION, "departments": "公安"}, ["departments"]),
        ({**INSPECTION, "due": "2020-06-01"}, ["due"]),
        ({**INSPECTION, "found": "水箱渗漏"}, ["due"]),
        ({**INSPECTION, "put_right": "2020-05-02"}, ["put_right"]),
        ({**FAULT, "due": "2020-04-30"}, ["due"]),
        ({**FAULT, "put_right": "2020-04-30"}, ["put_right"]),
        ({**FAULT, "seen": "2020-05-10"}, ["seen"]),
        ({**FAULT, "put_right": "2020-05-10", "seen": "2020-05-09"}, ["seen"]),
        ({**FAULT, "put_right": "2020-05-10", "valid_to": "2020-05-11"}, ["valid_to"]),
    ],
)
def test_an_inspection_goes_step_by_step_to_its_end(city: City, given: dict[str, Any], at: list[str]) -> None:
    assert refused("border-inspections", **given) == at


def test_faults_put_right_in_time_are_counted_over_all_that_were_due(city: City) -> None:
    write("border-inspections", "LC-1", **INSPECTION, valid_to="2020-05-02")
    write(
        "border-inspections",
        "LC-2",
        **FAULT,
        put_right="2020-06-01",
        seen="2020-06-05",
        valid_to="2020-06-06",
    )
    write("border-inspections", "LC-3", **FAULT, put_right="2020-06-02", seen="2020-06-05")
    write("border-inspections", "LC-4", **FAULT, put_right="2020-05-20")  # nobody has looked again
    write("border-inspections", "LC-5", **FAULT)
    write("border-inspections", "LC-6", **{**FAULT, "due": "2021-01-01"})
    share = figure("10.put_right").value(window("2020", TODAY), CITY)
    assert (share.numerator, share.denominator, share.value) == (1, 4, 25)


def test_rangers_are_read_by_those_alone_who_keep_them(city: City) -> None:
    write("ranger-posts", "HB-1", posts=12, filled=10, insured=10, place=GACHA)
    keeper = Scope(1, (Grant("keeper", "none", frozenset({"border_service.view"}), EAST, (), ()),))
    elsewhere = Scope(1, (Grant("keeper", "none", frozenset({"border_service.view"}), WEST, (), ()),))
    assert book.get(named("ranger-posts"), keeper, "HB-1").posts == 12
    for reader in (elsewhere, city.scope("operator")):
        with pytest.raises(NotFound):
            book.get(named("ranger-posts"), reader, "HB-1")
    hidden = {r.slug for r in registers().values() if r.about.view == "border_service.view"}
    assert hidden == {"ranger-posts", "ranger-training", "ranger-duty"}


def test_only_the_hall_itself_has_an_address_and_a_point(city: City) -> None:
    here = [r for r in registers().values() if r.about.edit == "border_service.edit"]
    for name in ("address", "lon", "lat"):
        assert [r.slug for r in here if name in r.by_name] == ["border-halls"]
    # What is sent along all the same is not written.
    write(
        "ranger-posts",
        "HB-1",
        posts=12,
        filled=10,
        insured=10,
        place=GACHA,
        address="山口",
        lon=110.06,
        lat=40.01,
    )
    posts = RangerPosts.objects.get()
    assert (posts.address, posts.lon, posts.lat) == ("", None, None)


def test_the_demos_share_stands_at_one_town(city: City) -> None:
    demo.fill(NOW)
    members = figure("10.members").value(window("2020", TODAY), CITY).value
    assert members is not None and members >= 3
    assert {p.place for p in RangerPosts.objects.all()} == {GACHA, SUMU + "002"}
    assert RangerTraining.objects.filter(valid_from__gt=TODAY).count() == 0
    assert RangerDuty.objects.filter(served=None).count() == 2  # of the quarter that goes on
    assert JointInspection.objects.count() == 36
    share = figure("10.put_right").value(window("2023", TODAY), CITY)
    assert share.denominator and 0 < share.numerator <= share.denominator
