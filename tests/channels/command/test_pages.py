from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases import codes, engine
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from lucheng.core.privacy.models import Reveal
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import City, case_in, client, received, step


def do(who: Client, case: Case, action: str, **fields: object):  # type: ignore[no-untyped-def]
    return who.post(f"/cases/{case.number}/do/{action}/", {"version": case.version, **fields})


def test_the_board_asks_for_sign_in(db: None) -> None:
    answer = Client().get("/board/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_the_board_shows_cases_by_clock_with_counted_queues(city: City) -> None:
    received()
    case_in(State.DISPATCHED, city)
    answer = client(city, "dispatcher").get("/board/")
    page = answer.content.decode()
    assert page.count("data-number=") == 2
    assert "待派" in page
    assert re.search(r"待派 <span class=\"number\">1</span>", page)


def test_an_empty_board_says_what_to_do(city: City) -> None:
    assert "这里没有工单" in client(city, "dispatcher").get("/board/").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "queue=nonsense",
        "state=x&place=999",
        "unit=99999999999999999999999",
        "page=-3",
        "page=abc",
        "number=%00",
        "page=9999",
    ],
)
def test_an_address_that_means_nothing_shows_a_page_and_no_error(city: City, query: str) -> None:
    received()
    assert client(city, "dispatcher").get(f"/board/?{query}").status_code == 200


def test_a_person_without_cases_is_told_so(city: City) -> None:
    assert client(city, "administrator").get("/board/").status_code == 403


def test_the_board_asks_as_much_for_one_row_as_for_a_hundred(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        snapshot, "MAX_AGE", float("inf")
    )  # whether a second has passed is not the question here
    who = client(city, "dispatcher")
    received()
    who.get("/board/")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get("/board/").status_code == 200
        return len(queries)

    first = asked()
    for _ in range(99):
        received()
    assert asked() == first


@pytest.mark.parametrize("state", [s for s in State if s is not State.DRAFT])
def test_every_state_has_a_page_and_a_form_for_every_step_that_is_open(city: City, state: State) -> None:
    case = case_in(state, city)
    for name in ("dispatcher", "duty_officer"):
        who = client(city, name)
        page = who.get(f"/cases/{case.number}/")
        assert page.status_code == 200
        for row in engine.actions_for(case, city.scope(name)):
            form = who.get(f"/cases/{case.number}/do/{row.action}/")
            assert form.status_code == 200
            for field in row.needs:
                assert f'name="{field}"' in form.content.decode()


def test_a_case_out_of_reach_is_not_found(city: City) -> None:
    case = received()
    for name in ("handler", "east_dispatcher", "administrator"):
        assert client(city, name).get(f"/cases/{case.number}/").status_code == 404
        assert do(client(city, name), case, "accept").status_code in (302, 404)
    case.refresh_from_db()
    assert case.state == State.RECEIVED


def test_a_case_goes_from_receipt_to_the_archive_page_by_page(city: City) -> None:
    case = received()
    dispatcher, handler, officer = (client(city, n) for n in ("dispatcher", "handler", "duty_officer"))

    def go(who: Client, action: str, **fields: object) -> None:
        case.refresh_from_db()
        answer = do(who, case, action, **fields)
        assert answer.status_code == 302, answer.content.decode()

    go(dispatcher, "accept", matter=factories.LAMP)
    assert (
        city.units["utilities"].name in dispatcher.get(f"/cases/{case.number}/do/dispatch/").content.decode()
    )
    go(dispatcher, "dispatch")
    go(handler, "sign")
    go(handler, "contact", how="phone")
    go(handler, "reply", handling="更换灯泡", public_reply="路灯已修好。", note="照明公司已到场")
    go(dispatcher, "approve")
    go(officer, "close", satisfaction="5", solved="on", contacted="on")
    go(officer, "archive")
    case.refresh_from_db()
    assert case.state == State.ARCHIVED
    page = officer.get(f"/cases/{case.number}/").content.decode()
    assert "路灯已修好。" in page
    assert page.count('<li id="event-') == Event.objects.filter(case=case).count()


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    answer = do(client(city, "handler"), case, "return", reason="不属于我们的职责范围", basis="")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "请填写：依据条文。" in page
    assert "不属于我们的职责范围" in page


def test_a_step_that_somebody_else_took_first_is_said_and_changes_nothing(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    step(case_in_again(case), "sign", "colleague", city)
    answer = client(city, "handler").post(
        f"/cases/{case.number}/do/sign/", {"version": case.version}, follow=True
    )
    assert "已有变化" in answer.content.decode() or "不能进行这一步" in answer.content.decode()
    assert Event.objects.filter(case=case, action="sign").count() == 1


def case_in_again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_a_contact_is_shown_once_for_a_reason_that_is_kept(city: City) -> None:
    case = received()
    who = client(city, "operator")
    assert "13800000000" not in who.get(f"/cases/{case.number}/").content.decode()
    refused = who.post(f"/cases/{case.number}/reveal/", {"reason": "x"})
    assert "13800000000" not in refused.content.decode()
    assert not Reveal.objects.exists()


def test_what_a_look_opens_is_ticked_and_nothing_else_is_shown(city: City) -> None:
    case = received(contact_address="青年路 9 号 302")
    who, address = client(city, "operator"), f"/cases/{case.number}/reveal/"
    page = who.get(f"/cases/{case.number}/").content.decode()
    ticked = re.findall(r'name="fields" value="(\w+)" checked', page)
    assert ticked == ["name", "phone"] and 'name="fields" value="address"' in page
    refused = who.post(address, {"reason": "寄送书面答复", "choose": "1"}).content.decode()
    assert "请选择需要查看的项目" in refused and not Reveal.objects.exists()
    shown = who.post(address, {"reason": "寄送书面答复", "choose": "1", "fields": ["name", "address"]})
    page = shown.content.decode()
    assert "青年路 9 号 302" in page and "测试人" in page and "13800000000" not in page
    assert "姓名，通信地址" in page  # the trace, in the history below


def test_a_handler_may_not_look_at_who_asked_for_secrecy(city: City) -> None:
    case = case_in(State.SIGNED, city, confidential=True)
    answer = client(city, "handler").post(f"/cases/{case.number}/reveal/", {"reason": "需要联系诉求人核实"})
    assert answer.status_code == 403


def test_one_matter_is_split_off_on_the_page(city: City) -> None:
    case = received()
    client(city, "dispatcher").post(
        f"/cases/{case.number}/split/", {"version": case.version, "title": "垃圾", "content": "垃圾没人清"}
    )
    assert Case.objects.get(parent=case).content == "垃圾没人清"


def test_markup_in_a_message_is_shown_as_text(city: City) -> None:
    case = received(content="<script>alert(1)</script><b>路灯</b>")
    page = client(city, "dispatcher").get(f"/cases/{case.number}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_sent_messages_are_shown_without_numbers(city: City) -> None:
    case_in(State.CALLBACK, city)
    case = Case.objects.get()
    page = client(city, "duty_officer").get("/messages/").content.decode()
    assert "13800000000" not in page
    assert re.search(rf"<td>[^<]*{case.number}[^<]*</td>", page)  # its words, not only its name
    assert page.count("<tr>") > 2


def test_messages_of_cases_out_of_reach_are_not_shown(city: City) -> None:
    case_in(State.CALLBACK, city)
    factories.person("east_officer", "duty_officer", factories.EAST, city.units["east"])
    city.people["east_officer"] = factories.Person.objects.get(username="east_officer")
    assert client(city, "east_officer").get("/messages/").content.decode().count("<tr>") == 0


def test_the_pages_speak_english_to_who_asks_for_it(city: City) -> None:
    case = received()
    who = client(city, "dispatcher")
    page = who.get(f"/cases/{case.number}/", headers={"accept-language": "en"}).content.decode()
    assert "The requester" in page
    assert not re.search(r"诉求人|办理过程", page)


def test_a_unit_never_learns_the_tracking_code_and_so_cannot_answer_its_own_callback(city: City) -> None:
    case = case_in(State.CALLBACK, city)
    code = codes.written(case.code)
    seen = client(city, "handler").get(f"/cases/{case.number}/").content.decode()
    assert "查询码LC-****" in seen
    assert code not in seen
    assert code in client(city, "operator").get(f"/cases/{case.number}/").content.decode()


def test_where_secrecy_was_asked_for_a_unit_sees_no_part_of_the_number(city: City) -> None:
    case = case_in(State.SIGNED, city, confidential=True)
    seen = client(city, "handler").get(f"/cases/{case.number}/").content.decode()
    assert "138****" not in seen
    assert "联系方式仅热线可见" in seen
    assert "138****0000" in client(city, "operator").get(f"/cases/{case.number}/").content.decode()


@pytest.mark.parametrize("named", ["../x", "", 5, ["a"], "99999999999999"])
def test_a_link_that_leads_nowhere_breaks_no_page(city: City, named: object) -> None:
    case = received(fields={"same_as": named})
    assert client(city, "dispatcher").get(f"/cases/{case.number}/").status_code == 200


def test_an_order_that_the_requester_names_is_linked_for_those_who_may_see_it(city: City) -> None:
    other = received()
    case = case_in(State.SIGNED, city, fields={"same_as": other.number})
    assert other.number in client(city, "dispatcher").get(f"/cases/{case.number}/").content.decode()
    assert other.number not in client(city, "handler").get(f"/cases/{case.number}/").content.decode()


@pytest.mark.parametrize("number", ["%00", "1%00", "abc", "９９"])
def test_a_number_that_is_none_is_not_found(city: City, number: str) -> None:
    assert client(city, "dispatcher").get(f"/cases/{number}/").status_code == 404


def test_the_case_page_asks_as_much_for_a_long_history_as_for_a_short_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "duty_officer")

    def asked(case: Case) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get(f"/cases/{case.number}/").status_code == 200
        return len(queries)

    short, long = case_in(State.SIGNED, city), case_in(State.SIGNED, city)
    asked(short)
    for n in range(10):
        long = step(long, "contact", "handler", city, how="phone", note=f"第{n}次")
        long = step(long, "ask_assist", "dispatcher", city, assist_unit="heating", reason="请协助")
        step(received(), "merge", "dispatcher", city, main=long.number)
    assert asked(long) == asked(short)
