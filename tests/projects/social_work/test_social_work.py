"""Social work: counts that can be true, contracts to their end, and an average that follows from the pay table."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.social_work import demo
from lucheng.projects.social_work.models import GRADES, CommunityPosts, PayGrade, Post, SocialWorkers
from tests.factories import CITY, COMMUNITY, EAST, NOW, STREET, SUMU, WEST, City

TODAY = dt.date(2026, 3, 2)


def write(slug: str, code: str, **given: Any) -> Any:
    values = {"name": "名", "place": WEST, "valid_from": "2020-01-01", **given}
    return book.write(named(slug), code, values, by=None, scope=None, now=NOW)


def refused(slug: str, **given: Any) -> list[str]:
    with pytest.raises(Invalid) as found:
        write(slug, "", **given)
    return sorted(found.value.fields)


def agency(code: str = "SG-1", **changes: Any) -> Any:
    return write("social-agencies", code, **{"phone": "0472-0000001", **changes})


def value(id: str, period: str, place: str = CITY) -> float | None:
    return figure(id).value(window(period, TODAY), place).value


def test_a_count_of_workers_is_of_an_agency_and_holds_until_the_next(city: City) -> None:
    agency(credit_code="91150200MA0000000X")
    assert refused("social-agencies", phone="0472-0000001", credit_code="91150200") == ["credit_code"]
    count = {"agency": "SG-1", "workers": 7, "certified": 3, "valid_to": "2022-01-01"}
    assert refused("social-workers", **{**count, "certified": 8}) == ["certified"]
    assert refused("social-workers", **count, place=EAST) == ["place"]
    write("social-workers", "SR-1", **count)
    write("social-workers", "SR-2", agency="SG-1", workers=9, certified=9, valid_from="2022-01-01")
    assert [value("9.social_workers", year) for year in ("2020", "2021", "2022")] == [7, 7, 9]
    assert value("9.agencies", "2020") == 1


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"outcome": "已登记"}, ["outcome"]),
        ({"valid_to": "2021-01-01"}, ["outcome"]),
        ({"place": EAST}, ["place"]),
    ],
)
def test_an_incubation_has_an_outcome_once_it_has_ended(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    write("incubators", "FH-1", places=10)
    assert refused("incubations", **{"incubator": "FH-1", **wrong}) == at
    write("incubations", "FY-1", incubator="FH-1")
    write("incubations", "FY-2", incubator="FH-1", valid_to="2021-01-01", outcome="退出")


def test_a_project_is_a_contract_with_an_end(city: City) -> None:
    agency()
    project = {
        "agency": "SG-1",
        "sphere": "老年人",
        "contract": "民购001号",
        "amount": "120000.50",
        "valid_from": "2020-04-01",
    }
    assert refused("social-projects", **project) == ["valid_to"]
    assert refused("social-projects", **{**project, "amount": "-1"}, valid_to="2021-04-01") == ["amount"]
    assert refused("social-projects", **{**project, "valid_from": "2019-12-31"}, valid_to="2021-04-01") == [
        "valid_from"
    ]
    write("social-projects", "SX-1", **project, valid_to="2021-04-01", place=EAST)


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"due": "2021-04-01"}, ["due"]),
        ({"done": "2020-09-01"}, ["result"]),
        ({"result": "完成"}, ["result"]),
        ({"done": "2020-03-31", "result": "完成"}, ["done"]),
        ({"place": EAST}, ["place"]),
    ],
)
def test_a_milestone_falls_into_its_contract_and_has_a_result_once_done(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    contract = {"valid_from": "2020-04-01", "valid_to": "2021-04-01"}
    agency()
    write(
        "social-projects",
        "SX-1",
        agency="SG-1",
        sphere="家庭",
        contract="1",
        amount=1,
        **contract,
    )
    given = {"project": "SX-1", "due": "2020-09-01", **contract}
    assert refused("social-milestones", **{**given, **wrong}) == at
    write("social-milestones", "SL-1", **given, done="2020-08-31", result="完成")
    write("social-milestones", "SL-2", **given, done="2020-09-02", result="完成")
    write("social-milestones", "SL-3", **given)
    write("social-milestones", "SL-4", **{**given, "due": "2021-01-01"})
    share = figure("9.milestones").value(window("2020", TODAY), CITY)
    assert (share.numerator, share.denominator) == (1, 3)


def test_a_day_has_24_hours(city: City) -> None:
    day = {"valid_from": "2020-05-01", "valid_to": "2020-05-02", "people": 3}
    assert refused("volunteer-hours", **day, hours=73) == ["hours"]
    assert refused("volunteer-hours", **{**day, "valid_to": "2020-05-01"}, hours=1) == ["valid_to"]
    assert refused("volunteer-hours", **{**day, "people": 0}, hours=1) == ["people"]
    assert refused("volunteer-hours", valid_from="2020-05-01", people=3, hours=1) == ["valid_to"]
    write("volunteer-hours", "ZY-1", **day, hours=72)
    write("volunteer-hours", "ZY-2", **{**day, "valid_to": "2020-05-03"}, hours=144)
    write("volunteer-hours", "ZY-3", people=1, hours=5, valid_from="2021-01-01", valid_to="2021-01-02")
    assert [value("9.volunteer_hours", year) for year in ("2020", "2021")] == [216, 5]


@pytest.mark.parametrize("post", list(Post))
def test_each_post_has_grades_of_its_own(city: City, post: Post) -> None:
    least, most = GRADES[post]
    row = {"post": post.value, "pay": 3000, "pay_before": 2500}
    for grade in {1, 18, least - 1, most + 1} - set(range(least, most + 1)):
        assert refused("pay-grades", **row, grade=grade) == ["grade"]
    write("pay-grades", "XC-1", **row, grade=least)
    write("pay-grades", "XC-2", **row, grade=most)


def test_averages_follow_from_the_pay_table_and_weigh_people(city: City) -> None:
    row = {"post": "other", "place": CITY}
    write("pay-grades", "XC-1", **row, grade=1, pay=3000, pay_before=2500)
    write("pay-grades", "XC-2", **row, grade=12, pay=5000, pay_before=2500)
    assert refused("community-posts", row="XC-1", people=0) == ["people"]
    assert refused("community-posts", row="XC-1", people=1, valid_from="2019-12-31") == ["valid_from"]
    assert value("9.pay_after", "2020") is None  # no average of nobody
    write("community-posts", "SQ-1", row="XC-1", people=3, place=STREET)
    write("community-posts", "SQ-2", row="XC-2", people=1, place=STREET)
    write("community-posts", "SQ-3", row="XC-2", people=4, place=SUMU)
    write("community-posts", "SQ-4", row="XC-1", people=9, place=COMMUNITY, valid_from="2021-01-01")
    assert [value(f"9.pay_{what}", "2020", WEST) for what in ("after", "before", "rise")] == [
        3500,
        2500,
        1000,
    ]
    assert value("9.pay_after", "2020") == (3 * 3000 + 5 * 5000) / 8
    below = figure("9.pay_rise").by_place(window("2020", TODAY), CITY, 6)
    assert {place: found.value for place, found in below.items()} == {WEST: 1000, EAST: 2500}
    # A figure opens down to the counts that make it.
    assert figure("9.pay_after").numerator.under(window("2020", TODAY), WEST).count() == 2


def test_no_register_of_counts_has_a_point_or_an_address(city: City) -> None:
    for slug in ("social-workers", "community-posts", "pay-grades"):
        assert {"lon", "lat", "address"}.isdisjoint(named(slug).by_name)


def test_the_demos_share_has_the_averages_that_the_city_published(city: City) -> None:
    demo.fill(NOW)
    assert [value(f"9.{id}", "2020") for id in ("social_orgs", "agencies")] == [4, 62]
    workers = value("9.social_workers", "2020")
    assert workers is not None and workers >= 380
    assert [value(f"9.pay_{what}", "2020") for what in ("after", "before", "rise")] == [3564, 2640, 924]
    assert PayGrade.objects.count() == 36
    assert {p.people for p in CommunityPosts.objects.all()} == {1, 2}
    assert SocialWorkers.objects.as_of(TODAY).count() == 62
    milestones = figure("9.milestones").value(window("2025", TODAY), CITY)
    assert milestones.denominator and 0 < milestones.numerator < milestones.denominator
