"""The callback desk, page by page: taking, calling, asking, and what follows; the plan; what is supervised."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases import callbacks
from lucheng.core.cases.models import CallbackPlan, CallbackTurn, Case, Nature, State
from lucheng.core.ledger.models import Event
from lucheng.core.privacy.models import Reveal
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import City, case_in, client, received, step


def waiting(city: City, **changes: Any) -> Case:
    return case_in(State.CALLBACK, city, timezone.now(), **changes)


def finish(who: Client, case: Case, do: str, **entered: str) -> Any:
    case.refresh_from_db()
    return who.post(f"/callbacks/{case.number}/", {"do": do, "version": str(case.version), **entered})


# --- the queue


def test_the_desk_is_for_who_calls_back(city: City) -> None:
    case = waiting(city)
    for name in ("handler", "dispatcher", "auditor"):
        who = client(city, name)
        assert who.get("/callbacks/").status_code == 403
        assert who.post("/callbacks/take/").status_code == 403
        assert who.get(f"/callbacks/{case.number}/").status_code == 403
    assert Client().get("/callbacks/").status_code == 302


def test_the_queue_shows_masks_of_nothing_and_how_far_the_sample_has_come(city: City) -> None:
    waiting(city)
    shown = client(city, "operator").get("/callbacks/").content.decode()
    assert shown.count("data-number=") == 1
    assert "1380000" not in shown and "****" not in shown
    for words in ("近7天进入回访", "抽中已拨打", "拨打后接通", "网上已评价"):
        assert words in shown


def test_an_empty_queue_says_so_and_nothing_can_be_taken(city: City) -> None:
    who = client(city, "operator")
    assert "没有待电话回访的工单" in who.get("/callbacks/").content.decode()
    assert "没有可领取的工单" in who.post("/callbacks/take/", follow=True).content.decode()


def test_a_list_or_page_that_does_not_exist_shows_a_list(city: City) -> None:
    waiting(city)
    who = client(city, "operator")
    for query in ("list=nonsense", "page=-1", "page=99999999", "list=rest&page=x"):
        assert who.get(f"/callbacks/?{query}").status_code == 200


def test_the_queue_asks_as_much_for_one_row_as_for_a_hundred(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "operator")
    first = waiting(city)
    who.get("/callbacks/")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get("/callbacks/").status_code == 200
        return len(queries)

    few = asked()
    for _n in range(99):
        case = received(timezone.now())
        Case.objects.filter(pk=case.pk).update(
            state=State.CALLBACK, units=first.units, lead_unit=first.lead_unit, due_at=first.due_at
        )
    assert asked() == few


# --- taking


def test_what_is_taken_is_nobody_else_s(city: City) -> None:
    case = waiting(city)
    taken = client(city, "operator").post("/callbacks/take/")
    assert taken["Location"] == f"/callbacks/{case.number}/"
    other = client(city, "supervisor")
    assert "没有可领取的工单" in other.post("/callbacks/take/", follow=True).content.decode()
    shown = other.get(f"/callbacks/{case.number}/").content.decode()
    assert "operator正在回访此单" in shown
    assert 'name="do"' not in shown
    assert finish(other, case, "close", satisfaction="5", solved="true").status_code == 409
    assert other.post(f"/callbacks/{case.number}/number/").status_code == 409
    case.refresh_from_db()
    assert case.state == State.CALLBACK
    assert not Reveal.objects.exists()


def test_what_is_put_back_is_anybody_s(city: City) -> None:
    case = waiting(city)
    operator = client(city, "operator")
    operator.post("/callbacks/take/")
    operator.post(f"/callbacks/{case.number}/put-back/")
    assert client(city, "supervisor").post("/callbacks/take/")["Location"] == f"/callbacks/{case.number}/"


# --- the call


def test_request_and_reply_stand_beside_each_other_with_the_mask(city: City) -> None:
    shown = client(city, "operator").get(f"/callbacks/{waiting(city).number}/").content.decode()
    assert "鹿苑小区门口的路灯不亮" in shown
    assert "路灯已修好。" in shown
    assert "138****0000" in shown
    assert "13800000000" not in shown


def test_the_number_is_shown_by_one_press_and_leaves_its_trace(city: City) -> None:
    case = waiting(city)
    who = client(city, "operator")
    shown = who.post(f"/callbacks/{case.number}/number/").content.decode()
    assert "13800000000" in shown
    look = Reveal.objects.get()
    assert (look.person.username, look.reason) == ("operator", "电话回访")
    assert Event.objects.filter(case=case, action="contact_revealed").count() == 1
    part = who.post(f"/callbacks/{case.number}/number/", headers={"HX-Request": "true"}).content.decode()
    assert "13800000000" in part
    assert "<html" not in part
    # A look is no change to the order: what was opened before it still goes through.
    assert (
        who.post(
            f"/callbacks/{case.number}/",
            {"do": "close", "version": str(case.version), "satisfaction": "5", "solved": "true"},
        ).status_code
        == 302
    )


def test_a_good_callback_closes_the_order(city: City) -> None:
    case = waiting(city)
    answer = finish(
        client(city, "operator"),
        case,
        "close",
        contacted="true",
        solved="true",
        satisfaction="4",
        note="致谢",
    )
    assert answer["Location"] == "/callbacks/?list=call"
    case.refresh_from_db()
    assert (case.state, case.contacted, case.solved, case.satisfaction) == (State.CLOSED, True, True, 4)
    assert not callbacks.CallbackTurn.objects.filter(until__gt=timezone.now()).exists()


def test_a_question_that_was_not_asked_is_asked_for(city: City) -> None:
    case = waiting(city)
    who = client(city, "operator")
    answer = finish(who, case, "close", satisfaction="5", note="说很满意")
    assert answer.status_code == 422
    assert "请询问是否解决" in answer.content.decode()
    assert "说很满意" in answer.content.decode()
    assert "请填写：满意度" in finish(who, case, "close", solved="true").content.decode()


def test_a_bad_answer_is_not_called_away(city: City) -> None:
    case = waiting(city)
    answer = finish(client(city, "operator"), case, "close", solved="false", satisfaction="2")
    assert answer.status_code == 422
    assert Case.objects.get().state == State.CALLBACK


def test_an_operator_records_a_bad_answer_and_a_supervisor_sends_it_back(city: City) -> None:
    case = waiting(city)
    finish(client(city, "operator"), case, "rate", contacted="true", solved="false", satisfaction="2")
    case.refresh_from_db()
    assert (case.state, case.solved, case.satisfaction) == (State.CALLBACK, False, 2)
    supervisor = client(city, "supervisor")
    assert supervisor.get("/callbacks/?list=decide").content.decode().count("data-number=") == 1
    assert supervisor.get("/callbacks/?list=call").content.decode().count("data-number=") == 0
    without = finish(supervisor, case, "send_back", solved="false", satisfaction="2")
    assert without.status_code == 422
    finish(supervisor, case, "send_back", solved="false", satisfaction="2", note="三号楼前仍有一盏不亮")
    case.refresh_from_db()
    assert case.state == State.REWORK
    reason = case.texts.get(name="reason").text
    assert "未解决" in reason
    assert "不满意" in reason
    assert "三号楼前仍有一盏不亮" in reason


def test_what_was_answered_online_is_shown_and_stands_in_the_form(city: City) -> None:
    case = step(waiting(city), "rate", "operator", city, timezone.now(), satisfaction="4", solved="true")
    shown = client(city, "operator").get(f"/callbacks/{case.number}/").content.decode()
    assert "诉求人已答" in shown
    assert re.search(r'name="satisfaction" value="4"[^>]* checked', shown)
    assert re.search(r'name="solved" value="true"[^>]* checked', shown)


def test_who_was_not_reached_is_tried_again_later_and_at_most_three_times_a_day(city: City) -> None:
    case = waiting(city)
    who = client(city, "operator")
    for n in range(3):
        assert "按未接通结案" not in who.get(f"/callbacks/{case.number}/").content.decode()
        answer = finish(who, case, "try_callback", again="hour", note=f"第{n}次无人接听")
        assert answer.status_code == 302
    shown = who.get("/callbacks/?list=call").content.decode()
    assert shown.count("data-number=") == 0
    assert who.get("/callbacks/?list=rest").content.decode().count("data-number=") == 1
    fourth = finish(who, case, "try_callback", again="hour", note="第四次")
    assert fourth.status_code == 409
    assert "今天已拨打三次" in fourth.content.decode()
    assert "第四次" in fourth.content.decode()
    assert "按未接通结案" in fourth.content.decode()
    finish(who, case, "unreached", note="三次未接通")
    case.refresh_from_db()
    assert (case.state, case.satisfaction) == (State.CLOSED, 0)


def test_somebody_who_was_first_is_told_and_what_was_typed_is_kept(city: City) -> None:
    case = waiting(city)
    version = case.version
    step(case, "supplement", "operator", city, timezone.now(), note="又补充一句")
    answer = client(city, "operator").post(
        f"/callbacks/{case.number}/",
        {"do": "close", "version": str(version), "solved": "true", "satisfaction": "5", "note": "都好"},
    )
    assert answer.status_code == 409
    assert "都好" in answer.content.decode()
    assert Case.objects.get().state == State.CALLBACK


def test_the_same_callback_sent_twice_closes_once(city: City) -> None:
    case = waiting(city)
    who = client(city, "operator")
    entered = {"do": "close", "version": str(case.version), "solved": "true", "satisfaction": "5"}
    assert who.post(f"/callbacks/{case.number}/", entered).status_code == 302
    again = who.post(f"/callbacks/{case.number}/", entered, follow=True)
    assert "已不在待回访状态" in again.content.decode()
    assert Event.objects.filter(case=case, action="close").count() == 1


def test_nobody_calls_back_about_their_own_reply(city: City) -> None:
    case = waiting(city)
    factories.post(city.people["handler"], "operator", factories.CITY, city.units["hotline"])
    answer = finish(client(city, "handler"), case, "close", solved="true", satisfaction="5")
    assert answer.status_code == 302
    assert Case.objects.get().state == State.CALLBACK


def test_a_finding_is_verified_by_other_questions(city: City) -> None:
    case = received(timezone.now(), nature=Nature.FINDING.value, kind="grids.finding", phone="", name="")
    Case.objects.filter(pk=case.pk).update(state=State.CALLBACK)
    who = client(city, "supervisor")
    assert who.get("/callbacks/?list=verify").content.decode().count("data-number=") == 1
    shown = who.get(f"/callbacks/{case.number}/").content.decode()
    assert "现场核查是否解决" in shown
    assert "您满意吗" not in shown
    assert finish(who, case, "verify").status_code == 422
    finish(who, case, "verify", solved="true")
    case.refresh_from_db()
    assert (case.state, case.solved) == (State.CLOSED, True)


@pytest.mark.parametrize("do", ["", "nonsense", "archive"])
def test_a_button_that_does_not_exist_does_no_more_than_close(city: City, do: str) -> None:
    case = waiting(city)
    assert finish(client(city, "operator"), case, do).status_code == 422
    assert Case.objects.get().state == State.CALLBACK


# --- the plan


def share(**entered: str) -> dict[str, str]:
    return {"rows": "1", "note": "按季度调整", "nature-0": "", "matter-0": "", "place-0": "", **entered}


def test_a_supervisor_puts_a_plan_in_force_and_the_page_shows_it(city: City) -> None:
    who = client(city, "supervisor")
    answer = who.post("/callbacks/plan/", share(**{"nature-0": "inquiry", "percent-0": "30"}), follow=True)
    shown = answer.content.decode()
    assert "新方案自现在起" in shown
    assert re.search(r'<option value="inquiry" selected', shown)
    assert re.search(r'name="percent-0"[^>]*value="30"|value="30"[^>]*name="percent-0"', shown)
    assert CallbackPlan.objects.get().made_by.username == "supervisor"


@pytest.mark.parametrize("percent", ["101", "-1", "x", "1.5", "９９９"])
def test_a_share_that_is_none_is_refused_and_kept_on_the_page(city: City, percent: str) -> None:
    answer = client(city, "supervisor").post("/callbacks/plan/", share(**{"percent-0": percent}))
    assert answer.status_code == 422
    assert "0到100的整数" in answer.content.decode()
    assert not CallbackPlan.objects.exists()


def test_an_operator_reads_the_plan_and_does_not_change_it(city: City) -> None:
    who = client(city, "operator")
    assert "启用新方案" not in who.get("/callbacks/plan/").content.decode()
    assert who.post("/callbacks/plan/", share(**{"percent-0": "0"})).status_code == 403
    assert not CallbackPlan.objects.exists()


# --- supervision


def supervised(city: City, level: str = "listed") -> Case:
    case = case_in(State.SIGNED, city, timezone.now() - dt.timedelta(hours=1))
    return step(
        case,
        "supervise",
        "supervisor",
        city,
        timezone.now(),
        level=level,
        supervision_ground="unsolved",
        opinion="三日内修复并反馈",
    )


def test_what_is_supervised_stands_with_opinion_and_what_its_unit_did(city: City) -> None:
    case = supervised(city)
    who = client(city, "supervisor")
    shown = who.get("/supervised/").content.decode()
    assert "挂牌督办" in shown
    assert "三日内修复并反馈" in shown
    assert city.units["utilities"].name in shown
    assert "尚无动作" in shown
    step(case, "contact", "handler", city, timezone.now(), how="phone")
    assert "记录联系" in who.get("/supervised/").content.decode()


def test_a_level_is_raised_and_supervision_ended_from_the_list(city: City) -> None:
    case = supervised(city, "daily")
    who = client(city, "supervisor")
    shown = who.get("/supervised/?level=daily").content.decode()
    assert f"/cases/{case.number}/do/supervise/?level=listed" in shown
    assert f"/cases/{case.number}/do/end_supervision/" in shown
    form = who.get(f"/cases/{case.number}/do/supervise/?level=listed").content.decode()
    assert re.search(r'value="listed"[^>]* checked', form)
    assert case.number not in who.get("/supervised/?level=talk").content.decode()


def test_supervision_is_for_supervisors_and_only_of_what_they_reach(city: City) -> None:
    case = supervised(city)
    assert client(city, "operator").get("/supervised/").status_code == 403
    factories.person("east_officer", "duty_officer", factories.EAST, city.units["east"])
    city.people["east_officer"] = factories.Person.objects.get(username="east_officer")
    assert case.number not in client(city, "east_officer").get("/supervised/").content.decode()


def test_the_list_of_supervised_orders_asks_as_much_for_many_as_for_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "supervisor")
    supervised(city)
    who.get("/supervised/")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get("/supervised/").status_code == 200
        return len(queries)

    one = asked()
    for _n in range(8):
        supervised(city)
    assert asked() == one


def test_a_turn_is_no_record_of_a_person(city: City) -> None:
    case = waiting(city)
    who = client(city, "operator")
    who.post("/callbacks/take/")
    finish(who, case, "close", solved="true", satisfaction="5")
    assert not CallbackTurn.objects.filter(person__isnull=False).exists()
