"""Safe villages and communities: a committee's word with evidence and review, work lists, campaigns; no case counts."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from lucheng.core.cases.models import Case, Nature, State
from lucheng.core.errors import Forbidden
from lucheng.core.indicators.indicator import indicators
from lucheng.core.indicators.periods import window
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Unit
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.safe_communities import demo
from lucheng.projects.safe_communities.models import Campaign, Criterion, Priority, Review, Statement, Task
from tests import factories
from tests.factories import CITY, COMMUNITY, EAST, GRID, NOW, STREET, SUMU, WEST, City
from tests.projects.entries import TODAY, refused, value, write

ALL = "、".join(Criterion.values)


@pytest.fixture
def committee(city: City) -> Unit:
    return factories.unit(
        "committee", "花园社区居民委员会", Unit.Kind.COMMUNITY, COMMUNITY, city.units["street"]
    )


def statement(code: str = "P1", **changes: Any) -> Statement:
    given = {
        "name": "花园社区2020年自评",
        "place": COMMUNITY,
        "year": 2020,
        "unit": "committee",
        "met": ALL,
        "evidence": "会议记录",
        "valid_from": "2020-12-10",
    }
    made = write("safe-statements", code, **{**given, **changes})
    assert isinstance(made, Statement)
    return made


def review(code: str = "R1", **changes: Any) -> Review:
    given = {
        "name": "复核",
        "place": COMMUNITY,
        "statement": "P1",
        "unit": "street",
        "result": "confirmed",
        "looked_at": "查阅台账",
        "valid_from": "2020-12-20",
    }
    made = write("safe-reviews", code, **{**given, **changes})
    assert isinstance(made, Review)
    return made


def priority(code: str = "Z1", **changes: Any) -> Priority:
    given = {"name": "楼道消防隐患", "place": WEST, "kind": "problem", "valid_from": "2020-03-01"}
    made = write("safe-priorities", code, **{**given, **changes})
    assert isinstance(made, Priority)
    return made


def task(code: str = "T1", **changes: Any) -> Task:
    given = {
        "name": "整治",
        "place": STREET,
        "priority": "Z1",
        "owner": "street",
        "due": "2020-05-31",
        "valid_from": "2020-04-01",
    }
    made = write("safe-tasks", code, **{**given, **changes})
    assert isinstance(made, Task)
    return made


def campaign(code: str = "X1", **changes: Any) -> Campaign:
    given = {
        "name": "宣传行动",
        "place": WEST,
        "lead": "west",
        "aim": "逐户宣传",
        "valid_from": "2020-06-01",
        "valid_to": "2020-10-01",
    }
    made = write("campaigns", code, **{**given, **changes})
    assert isinstance(made, Campaign)
    return made


def action(code: str = "H1", **changes: Any) -> Any:
    given = {"name": "宣传行动", "place": GRID, "campaign": "X1", "reached": 20, "valid_from": "2020-06-15"}
    return write("campaign-actions", code, **{**given, **changes})


# --- statements and reviews ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"place": STREET}, ["place"]),
        ({"place": GRID}, ["place"]),
        ({"place": STREET + "002"}, ["unit"]),
        ({"unit": "street"}, ["unit"]),
        ({"met": "petitioning、crime"}, ["to_do"]),
        ({"met": ""}, ["to_do"]),
        ({"met": "无人投诉"}, ["met"]),
        ({"evidence": ""}, ["evidence"]),
        ({"year": 2018}, ["year"]),
        ({"year": 2021}, ["year"]),
        ({"year": "去年"}, ["year"]),
    ],
)
def test_a_committee_speaks_of_its_own_place_and_says_what_it_will_do(
    committee: Unit, wrong: dict[str, Any], at: list[str]
) -> None:
    assert refused(statement, **wrong) == at
    assert not Statement.objects.exists()
    assert statement(met="无邪教、无黑恶势力", to_do="限期整改").met == ["cult", "gang"]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"unit": "committee"}, ["unit"]),
        ({"unit": "sumu"}, ["unit"]),
        ({"place": STREET}, ["place"]),
        ({"valid_from": "2020-12-09"}, ["valid_from"]),
        ({"looked_at": ""}, ["looked_at"]),
        ({"statement": "P9"}, ["statement"]),
        ({"result": "7"}, ["result"]),
    ],
)
def test_an_office_above_reviews_and_nobody_what_they_have_said_themselves(
    committee: Unit, wrong: dict[str, Any], at: list[str]
) -> None:
    statement()
    assert refused(review, **wrong) == at


def test_who_states_for_a_committee_writes_no_review(committee: Unit, city: City) -> None:
    worker = factories.person("worker", "community_worker", COMMUNITY, committee)
    made = statement()
    said = {**named("safe-statements").said(made), "evidence": "走访记录"}
    scope = scope_of(worker)
    assert book.write(named("safe-statements"), "P1", said, by=worker, scope=scope, now=NOW, version=1)
    with pytest.raises(Forbidden):
        given = {
            "name": "复核",
            "place": COMMUNITY,
            "statement": "P1",
            "unit": "street",
            "result": "confirmed",
            "looked_at": "自己看过",
            "valid_from": "2020-12-20",
        }
        book.write(named("safe-reviews"), "R1", given, by=worker, scope=scope, now=NOW)


def test_a_place_is_safe_where_all_is_met_and_somebody_else_confirms_it(committee: Unit) -> None:
    assert value("3.safe") == 0
    statement()
    assert value("3.safe") == 0, "nobody has reviewed it"
    review(result="sent_back")
    assert value("3.safe") == 0
    review()
    assert (value("3.safe"), value("3.safe", place=COMMUNITY)) == (25, 100)
    assert value("3.safe", "2020-12-19") == 0 and value("3.safe", "2021") == 0, "its day, its year"
    statement(met="、".join(Criterion.values[:6]), to_do="整改")
    assert value("3.safe") == 0


def test_a_complaint_never_counts(committee: Unit, city: City) -> None:
    """Whatever people complain of, in whatever words and however often: no figure and no entry of this room moves."""
    statement(valid_from="2026-01-10", year=2026)
    review(valid_from="2026-01-20")
    priority()
    task()
    campaign()
    action()
    of_room = [i for i in indicators().values() if i.project == 3]
    at = window("2026", TODAY)

    def all_of_it() -> list[Any]:
        entries = [list(m.objects.values()) for m in apps.get_app_config("safe_communities").get_models()]
        return [
            entries,
            [i.value(at, place) for i in of_room for place in (CITY, COMMUNITY)],
            [i.by_place(at, CITY, 12) for i in of_room],
        ]

    before = all_of_it()
    for nature in (Nature.COMPLAINT, Nature.REPORT, Nature.HELP):
        factories.received(nature=nature.value, content="居委会不作为，我要上访，要投诉到底！", place=GRID)
    factories.case_in(State.DISPATCHED, city, content="又一次投诉居委会")
    factories.case_in(State.CLOSED, city, content="不满意，要上访")
    assert Case.objects.filter(place__startswith=COMMUNITY).count() == 5
    assert all_of_it() == before
    assert value("3.safe", "2026", COMMUNITY) == 100


def test_nothing_of_this_room_knows_of_cases() -> None:
    """The test above tries some complaints; that the room has no way to any case holds for all of them."""
    room = Path(demo.__file__).parent
    imported = {
        name
        for file in room.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "lucheng.core.registers.models" in imported
    # The calendar's time zone is all that the demo takes of clocks.
    allowed = {"lucheng.core.clocks.calendar"}
    near_cases = ("lucheng.core.cases", "lucheng.core.clocks", "lucheng.core.privacy", "lucheng.core.triage")
    assert not [name for name in imported - allowed if name.startswith(near_cases)]
    related = {
        field.related_model._meta.app_label
        for model in apps.get_app_config("safe_communities").get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model is not None
    }
    assert related == {"safe_communities", "organisation"}


# --- work lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"owner": "sumu"}, ["owner"]),
        ({"owner": ""}, ["owner"]),
        ({"due": ""}, ["due"]),
        ({"due": "2020-03-31"}, ["due"]),
        ({"done_on": "2020-05-01"}, ["outcome"]),
        ({"done_on": "2020-03-31", "outcome": "已整治"}, ["done_on"]),
        ({"place": SUMU, "owner": "sumu"}, ["priority"]),
        ({"valid_from": "2020-02-01"}, ["priority"]),
    ],
)
def test_a_task_has_an_owner_a_day_and_in_the_end_an_outcome(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    priority()
    assert refused(task, **wrong) == at


def test_tasks_are_judged_by_their_day(city: City) -> None:
    priority()
    task()
    task("T2", name="二", done_on="2020-05-31", outcome="已整治")
    task("T3", name="三", due="2020-07-01", done_on="2020-07-02", outcome="已整治")
    assert (value("3.done_in_time", "2020-05"), value("3.done_in_time", "2020-07")) == (50, 0)
    assert value("3.done_in_time", "2020-06") is None
    assert (value("3.problem_types"), value("3.key_areas")) == (1, 0)


# --- campaigns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"place": COMMUNITY}, ["place"]),
        ({"place": SUMU + "001001"}, ["place"]),
        ({"valid_from": "2020-05-31"}, ["valid_from"]),
        ({"valid_from": "2020-10-01"}, ["valid_from"]),
        ({"reached": -1}, ["reached"]),
        ({"campaign": "X9"}, ["campaign"]),
    ],
)
def test_an_action_is_in_a_grid_of_the_campaign_on_one_of_its_days(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    campaign()
    assert refused(action, **wrong) == at


def test_campaigns_cover_the_grids_of_their_area(city: City) -> None:
    assert value("3.campaign_coverage") is None
    campaign()
    action()
    action("H2", valid_from="2020-06-16", name="再来一次")
    assert (value("3.campaign_coverage"), value("3.campaign_coverage", "2020-06-15")) == (25, 25)
    assert value("3.campaign_coverage", "2020-07") == 0
    assert value("3.campaign_coverage", "2021") is None, "no campaign ran"
    assert value("3.campaign_coverage", place=EAST) is None, "outside its area"


def test_the_demo_has_seven_criteria_four_types_of_problem_and_two_of_area(committee: Unit) -> None:
    demo.fill(dt.datetime(2026, 3, 18, 15, tzinfo=dt.UTC))
    assert [value(f"3.{of}") for of in ("criteria", "problem_types", "key_areas")] == [7, 4, 2]
    assert Statement.objects.count() == Review.objects.count() == 1
    assert Task.objects.count() > 0
    assert (value("3.campaign_coverage") or 0) > 50
