from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from lucheng.core.cases.models import Case, State
from tests import factories
from tests.factories import City, received


@pytest.fixture
def city(db: None) -> City:
    return factories.city()


@pytest.fixture
def operator(city: City) -> Client:
    signed_in = Client(headers={"accept-language": "zh-CN"})
    signed_in.force_login(city.people["operator"])
    return signed_in


def order(**changes: str) -> dict[str, str]:
    return {
        "key": "a-key-of-the-form",
        "content": "鹿苑小区3号楼门口路灯不亮三天了",
        "phone": "13800000000",
        "nature": "help",
        "channel": "phone",
        "do": "register",
        **changes,
    }


def test_the_desk_is_for_operators(city: City) -> None:
    handler = Client()
    handler.force_login(city.people["handler"])
    assert handler.get("/desk/").status_code == 403
    assert Client().get("/desk/").status_code == 302


def test_an_empty_desk_complains_of_nothing(operator: Client) -> None:
    page = operator.get("/desk/").content.decode()
    assert "error" not in page.partition("<main")[2]
    assert re.search(r'name="key" value="[0-9a-f]{32}"', page)


def test_an_order_is_registered(operator: Client) -> None:
    answer = operator.post("/desk/", order())
    case = Case.objects.get()
    assert answer["Location"] == f"/cases/{case.number}/"
    assert (case.state, case.place) == (State.RECEIVED, factories.GRID)


def test_place_unit_and_look_alikes_are_proposed_beside_the_text(city: City, operator: Client) -> None:
    received(timezone.now(), content="鹿苑小区3号楼门口路灯不亮三天了")
    page = operator.post("/desk/propose/", order(matter=factories.LAMP)).content.decode()
    assert factories.GRID in page
    assert city.units["utilities"].name in page
    assert Case.objects.get().number in page


def test_an_order_is_dispatched_as_proposed(city: City, operator: Client) -> None:
    operator.post("/desk/", order(do="dispatch", matter=factories.LAMP, place=factories.GRID))
    case = Case.objects.get()
    assert (case.state, case.lead_unit) == (State.DISPATCHED, city.units["utilities"])
    assert case.rule is not None


def test_an_inquiry_is_answered_at_once(operator: Client) -> None:
    operator.post("/desk/", order(do="answer", nature="inquiry", answer="工作日均可办理。"))
    assert Case.objects.get().state == State.ANSWERED


def test_an_answer_that_the_law_refuses_leaves_no_case_and_loses_no_word(operator: Client) -> None:
    answer = operator.post("/desk/", order(do="answer", nature="complaint", answer="知道了。"))
    assert answer.status_code == 422
    assert "知道了。" in answer.content.decode()
    assert not Case.objects.exists()


def test_an_order_is_joined_to_one_that_looks_alike(operator: Client) -> None:
    main = received()
    operator.post("/desk/", order(do=f"merge:{main.number}"))
    case = Case.objects.exclude(pk=main.pk).get()
    assert (case.state, case.main) == (State.MERGED, main)


def test_pressing_twice_makes_one_order(operator: Client) -> None:
    first = operator.post("/desk/", order())
    again = operator.post("/desk/", order())
    assert first["Location"] == again["Location"]
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": "   "}, "诉求内容"),
        ({"phone": ""}, "来电号码"),
        ({"phone": "not a number"}, "来电号码"),
        ({"nature": "nonsense"}, "诉求类型"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(operator: Client, changes: dict[str, str], field: str) -> None:
    answer = operator.post("/desk/", order(**changes))
    assert answer.status_code == 422
    assert f">{field}</a>:" in answer.content.decode()
    assert not Case.objects.exists()


def test_fifty_thousand_characters_are_taken(operator: Client) -> None:
    operator.post("/desk/", order(content="长" * 50_000))
    assert len(Case.objects.get().content) == 50_000


def test_a_complaint_of_a_unit_waits_for_a_person_even_where_dispatch_was_pressed(
    city: City, operator: Client
) -> None:
    unit = city.units["utilities"]
    wanted = order(do="dispatch", nature="complaint", matter=factories.LAMP, place=factories.GRID)
    answer = operator.post("/desk/", {**wanted, "accused_unit": "没有的单位"})
    assert answer.status_code == 422
    assert not Case.objects.exists()
    operator.post("/desk/", {**wanted, "accused_unit": unit.name})
    case = Case.objects.get()
    assert (case.state, case.accused_unit, case.units) == (State.ACCEPTED, unit, [])


def test_an_operator_of_one_county_writes_for_it_and_for_no_other(city: City) -> None:
    person = factories.person("west_operator", "operator", factories.WEST, city.units["west"])
    there = Client(headers={"accept-language": "zh-CN"})
    there.force_login(person)
    for place in ("", factories.EAST):
        answer = there.post("/desk/", order(place=place))
        assert answer.status_code == 403
        assert "鹿苑小区3号楼门口路灯不亮三天了" in answer.content.decode()  # nothing typed is lost
        assert not Case.objects.exists()
    assert there.post("/desk/", order(place=factories.GRID)).status_code == 302
    assert Case.objects.get().place == factories.GRID
