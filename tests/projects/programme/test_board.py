"""The board of the programme: what stands on it, what is refused in its registers, and its share of the demo city."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.programme import demo
from tests import factories
from tests.core.registers.centres import DAY, centre
from tests.factories import CITY, NOW, City, client


def entry(slug: str, code: str, **given: Any) -> Any:
    values = {"name": f"{slug} {code}", "place": CITY, "valid_from": "2020-01-01", **given}
    return book.write(named(slug), code, values, by=None, scope=None, now=NOW)


@pytest.fixture
def office(city: City) -> Client:
    city.people["office"] = factories.person("office", "project_office", CITY)
    entry("works", "GC1", name="基层基础提升工程", aim="打牢基础")
    entry("projects", "XM1", name="党群服务中心建设", number=1, work="GC1")
    return client(city, "office")


def test_each_project_stands_with_its_figures_targets_milestones_risks_and_promises(office: Client) -> None:
    centre("C1", standard_since="2020-07-01")
    entry("targets", "MB1", name="目标", indicator="1.centres.community", at_least=1)
    entry("milestones", "LC1", name="还没做完", project="XM1", due="2020-06-30")
    entry(
        "milestones",
        "LC2",
        name="已经做完",
        project="XM1",
        due="2020-06-30",
        reached="2020-06-01",
        evidence="纪要",
    )
    entry("risks", "FX1", name="场地不足", project="XM1", weight="high", measure="租用")
    entry("promises", "CN1", name="下月完成选址", project="XM1", meeting="2020-05-01", due="2099-01-01")
    shown = office.get("/programme/").content.decode()
    for words in (
        "基层基础提升工程",
        "打牢基础",
        "1 党群服务中心建设",
        "还没做完",
        "超期",
        "场地不足",
        "下月完成选址",
        "已达到",
    ):
        assert words in shown, words
    assert "已经做完" not in shown


def test_the_board_is_for_staff_and_says_what_to_do_while_it_is_empty(city: City) -> None:
    assert "还没有有效的工程" in client(city, "operator").get("/programme/").content.decode()
    assert Client().get("/programme/").status_code == 302


@pytest.mark.parametrize(
    ("slug", "given", "at"),
    [
        ("milestones", {"due": "2020-06-30", "reached": "2020-06-01"}, "evidence"),
        ("milestones", {"due": ""}, "due"),
        ("promises", {"meeting": "2020-05-02", "due": "2020-05-01"}, "due"),
        ("promises", {"meeting": "2020-05-01", "due": "2020-05-02", "state": "kept"}, "happened"),
        ("risks", {"weight": "high", "measure": ""}, "measure"),
        ("projects", {"work": "GC9", "number": 1}, "work"),
    ],
)
def test_what_does_not_hold_together_is_refused(
    office: Client, slug: str, given: dict[str, Any], at: str
) -> None:
    with pytest.raises(Invalid) as refused:
        entry(slug, "X1", **{"project": "XM1", **given})
    assert list(refused.value.fields) == [at]


def test_milestones_reached_late_or_never_count_against_the_rate(office: Client) -> None:
    share = figure("programme.milestones")
    assert share.value(window("2020", DAY), CITY).value is None
    for code, reached in (("LC1", "2020-06-30"), ("LC2", "2020-07-01"), ("LC3", "")):
        entry("milestones", code, project="XM1", due="2020-06-30", reached=reached, evidence="纪要")
    entry("milestones", "LC4", project="XM1", due="2021-01-01")
    assert share.value(window("2020", DAY), CITY).value == pytest.approx(100 / 3)


def test_the_demo_city_has_three_works_ten_projects_and_three_phases(city: City) -> None:
    demo.fill(NOW)
    at = window("2020", DAY)
    assert [figure(f"programme.{n}").value(at, CITY).value for n in ("works", "projects", "phases")] == [
        3,
        10,
        3,
    ]
    shown = client(city, "operator").get("/programme/").content.decode()
    assert "10 北疆警地联动、爱民固边" in shown and "第一年：夯实基础、重点突破" in shown
