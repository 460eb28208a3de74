"""The dispatcher's board: what stands beside the list, and dispatching as proposed, one order or many."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases.models import Case, State
from lucheng.core.dispatch import editions
from lucheng.core.dispatch.rules import Row
from lucheng.core.ledger.models import Event, Message
from lucheng.core.revisions import snapshot
from lucheng.core.triage.models import Advice
from tests import factories
from tests.factories import HEATING, LAMP, NO_RULE, City, case_in, client, received, step

BESIDE = {"X-Board": "1"}


def advised(matter: str, probability: float = 0.9, **changes: Any) -> Case:
    """A case that has come in and for which triage was sure of a matter, or of none where it is empty."""
    case = received(**changes)
    Advice.objects.filter(case=case).update(
        matter=matter, matter_probability=probability, model_version="test"
    )
    return Case.objects.get(pk=case.pk)


def named(case: Case, unit: int) -> str:
    return f"{case.number}:{case.version}:{unit}"


def send(who: Client, *cases: str, key: str = "k") -> dict[str, Any]:
    answer = who.post("/board/dispatch/", {"case": cases, "key": key}, headers=BESIDE)
    assert answer.status_code == 200, answer.content.decode()
    found: dict[str, Any] = json.loads(answer.content)
    return found


def state(case: Case) -> str:
    case.refresh_from_db()
    return case.state


# --- the list


def test_a_row_to_be_dispatched_names_the_proposed_unit_and_why(city: City) -> None:
    advised(LAMP)
    page = client(city, "dispatcher").get("/board/?queue=new").content.decode()
    cell = re.search(r'<td role="cell" class="unit soft">(.*?)</td>', page)
    assert cell is not None
    assert city.units["utilities"].name in cell[1]
    assert "《城市道路照明设施管理规定》" in cell[1]
    assert "拟派单位" in page


def test_only_rows_with_a_certain_proposal_can_be_selected(city: City) -> None:
    sure, decided = advised(LAMP), case_in(State.ACCEPTED, city)
    others = [
        advised(""),  # the advice abstained
        advised("0102"),  # sure of a middle class only
        advised(NO_RULE),  # no row of the catalogue
        advised(LAMP, accused_unit=city.units["heating"].pk),  # complains of a unit
    ]
    page = client(city, "dispatcher").get("/board/?queue=new").content.decode()
    offered = set(re.findall(r'name="case" value="(\d+):', page))
    assert offered == {sure.number, decided.number}
    assert all(f'id="case-{c.number}"' in page for c in others)


def test_who_may_not_dispatch_is_offered_no_row(city: City) -> None:
    advised(LAMP)
    page = client(city, "supervisor").get("/board/?queue=new").content.decode()
    assert 'data-number="' in page
    assert 'name="case"' not in page


@pytest.mark.parametrize("address", ["/board/?queue=new", "/board/live/?queue=new"])
def test_proposals_cost_no_query_for_each_row(
    city: City, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "dispatcher")
    advised(LAMP)
    who.get(address)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get(address).status_code == 200
        return len(queries)

    first = asked()
    for n in range(99):
        advised((LAMP, "", NO_RULE, HEATING)[n % 4])
    assert asked() == first


def test_the_live_part_says_how_old_it_is_and_holds_no_page_around_it(city: City) -> None:
    advised(LAMP)
    part = client(city, "dispatcher").get("/board/live/?queue=new").content.decode()
    assert re.search(r"数据截至 \d\d:\d\d:\d\d", part)
    assert "<html" not in part
    assert client(city, "administrator").get("/board/live/").status_code == 403


def test_the_filter_is_kept_from_queue_to_queue_and_counts_within_it(city: City) -> None:
    advised(LAMP)
    advised(LAMP, place=factories.SUMU)
    who = client(city, "dispatcher")
    page = who.get(f"/board/?queue=new&place={factories.SUMU}").content.decode()
    assert re.search(r"待派 <span class=\"number\">1</span>", page)
    assert page.count("data-number=") == 1
    assert f"?queue=overdue&amp;place={factories.SUMU}" in page
    assert "白音苏木" in page


def test_the_list_is_filtered_by_the_name_of_a_unit(city: City) -> None:
    case_in(State.SIGNED, city)
    advised(LAMP)
    who = client(city, "dispatcher")
    assert who.get("/board/?unit=鹿原市城市管理局").content.decode().count("data-number=") == 1
    assert who.get("/board/?unit=城市管理").content.decode().count("data-number=") == 1
    several = who.get("/board/?unit=鹿原市").content.decode()
    assert "没有唯一名为“鹿原市”的单位" in several
    assert who.get("/board/?unit=%00").status_code == 200


def test_the_list_is_filtered_by_matter_and_kind(city: City) -> None:
    case_in(State.ACCEPTED, city)
    who = client(city, "dispatcher")
    assert who.get("/board/?matter=01").content.decode().count("data-number=") == 1
    assert who.get("/board/?matter=03").content.decode().count("data-number=") == 0
    assert who.get("/board/?kind=command_centre.order").content.decode().count("data-number=") == 1
    assert who.get("/board/?kind=grids.finding").content.decode().count("data-number=") == 0


# --- one case beside it


def test_the_preview_gives_the_unit_its_reason_and_no_number(city: City) -> None:
    case = advised(LAMP)
    page = client(city, "dispatcher").get(f"/board/cases/{case.number}/", headers=BESIDE).content.decode()
    assert city.units["utilities"].name in page
    assert "《城市道路照明设施管理规定》" in page
    assert "第1版" in page
    assert "138****0000" in page
    assert "13800000000" not in page
    assert "<html" not in page


def test_the_preview_of_a_case_out_of_reach_is_not_found(city: City) -> None:
    case = advised(LAMP)
    answer = client(city, "east_dispatcher").get(f"/board/cases/{case.number}/", headers=BESIDE)
    assert answer.status_code == 404
    assert client(city, "east_dispatcher").get("/board/cases/abc/", headers=BESIDE).status_code == 404


def test_a_preview_opened_as_a_page_leads_to_the_case(city: City) -> None:
    case = advised(LAMP)
    answer = client(city, "dispatcher").get(f"/board/cases/{case.number}/")
    assert answer["Location"] == f"/cases/{case.number}/"


@pytest.mark.parametrize("at", [s for s in State if s is not State.DRAFT])
def test_every_state_has_a_preview_and_a_dialog_for_every_step_it_offers(city: City, at: State) -> None:
    case = case_in(at, city)
    for name in ("dispatcher", "duty_officer", "handler"):
        who = client(city, name)
        answer = who.get(f"/board/cases/{case.number}/", headers=BESIDE)
        if answer.status_code == 404:
            assert name == "handler"
            continue
        for address in re.findall(r'data-ask="([^"]+)"', answer.content.decode()):
            form = who.get(address, headers=BESIDE)
            assert form.status_code == 200
            assert 'name="version"' in form.content.decode()


def test_the_reply_to_review_stands_beside_the_request(city: City) -> None:
    case = case_in(State.REPLIED, city)
    page = client(city, "dispatcher").get(f"/board/cases/{case.number}/", headers=BESIDE).content.decode()
    assert "路灯已修好。" in page
    assert case.content in page
    assert 'data-key="v"' in page
    assert 'data-key="b"' in page


def test_a_reply_is_approved_and_sent_back_from_the_board(city: City) -> None:
    good, bad = case_in(State.REPLIED, city), case_in(State.REPLIED, city)
    who = client(city, "dispatcher")
    answer = who.post(f"/board/cases/{good.number}/approve/", {"version": good.version}, headers=BESIDE)
    assert answer.status_code == 200
    assert state(good) == State.CALLBACK
    address = f"/board/cases/{bad.number}/send_back/"
    empty = who.post(address, {"version": bad.version, "reason": ""}, headers=BESIDE)
    assert empty.status_code == 422
    assert "请填写" in empty.content.decode()
    assert state(bad) == State.REPLIED
    who.post(address, {"version": bad.version, "reason": "请说明修复时间"}, headers=BESIDE)
    assert state(bad) == State.REWORK


def test_a_step_taken_meanwhile_is_refused_in_words(city: City) -> None:
    case = case_in(State.REPLIED, city)
    seen = case.version
    step(case, "approve", "duty_officer", city)
    answer = client(city, "dispatcher").post(
        f"/board/cases/{case.number}/approve/", {"version": seen}, headers=BESIDE
    )
    assert answer.status_code == 409
    assert "已有变化" in json.loads(answer.content)["why"]
    assert Event.objects.filter(case=case, action="approve").count() == 1


def test_the_form_to_hand_over_comes_with_110_and_a_text_cannot_be_preset(city: City) -> None:
    case = received()
    for address in (f"/board/cases/{case.number}/transfer/", f"/cases/{case.number}/do/transfer/"):
        form = (
            client(city, "dispatcher")
            .get(f"{address}?target=110&reason=evil", headers=BESIDE)
            .content.decode()
        )
        assert re.search(r'value="110"[^>]* checked', form)
        assert '<textarea name="reason"' in form
        assert "evil</textarea>" not in form
    odd = client(city, "dispatcher").get(f"/cases/{case.number}/do/transfer/?target=%22%3E")
    assert " checked" not in odd.content.decode()


def test_another_unit_is_named_for_an_order_that_nobody_has_accepted(city: City) -> None:
    case = advised(LAMP)
    who = client(city, "dispatcher")
    address = f"/board/cases/{case.number}/dispatch/"
    form = who.get(address, headers=BESIDE).content.decode()
    assert f'value="{LAMP}" selected' in form
    fields = {"version": case.version, "matter": LAMP, "lead_unit": "heating"}
    refused = who.post(address, fields, headers=BESIDE)
    assert refused.status_code == 422  # no opinion was given
    assert state(case) == State.RECEIVED  # nor is it accepted: both steps or neither
    assert who.post(address, {**fields, "opinion": "供热管沟塌陷"}, headers=BESIDE).status_code == 200
    assert state(case) == State.DISPATCHED
    assert case.lead_unit == city.units["heating"]


# --- dispatch as proposed


def test_one_call_accepts_with_the_proposed_matter_and_dispatches(city: City) -> None:
    case = advised(LAMP)
    said = send(client(city, "dispatcher"), named(case, city.units["utilities"].pk))
    assert [d["number"] for d in said["done"]] == [case.number]
    assert state(case) == State.DISPATCHED
    assert (case.matter, case.lead_unit) == (LAMP, city.units["utilities"])
    assert list(case.events.order_by("seq").values_list("action", flat=True))[-2:] == ["accept", "dispatch"]
    assert case.advice.decided_matter == LAMP


@pytest.mark.parametrize(
    ("matter", "why"),
    [("", "请选择事项"), ("01", "只能确定到"), (NO_RULE, "没有适用于")],
)
def test_what_is_not_certain_is_refused_in_words_and_stays(city: City, matter: str, why: str) -> None:
    case = advised(matter)
    said = send(client(city, "dispatcher"), named(case, city.units["utilities"].pk))
    assert not said["done"]
    assert why in said["left"][0]["why"]
    assert state(case) == State.RECEIVED
    assert case.version == 1


def test_the_same_bulk_sent_twice_dispatches_nothing_twice(city: City) -> None:
    cases = [advised(LAMP), case_in(State.ACCEPTED, city)]
    wanted = [named(c, city.units["utilities"].pk) for c in cases]
    who = client(city, "dispatcher")
    first, again = send(who, *wanted), send(who, *wanted)
    assert first == again
    assert len(again["done"]) == 2
    for case in cases:
        assert Event.objects.filter(case=case, action="dispatch").count() == 1
        assert Message.objects.filter(case=case, template="dispatched_unit").count() == 1


def test_one_that_changed_meanwhile_is_left_out_and_the_others_go(city: City) -> None:
    stale, fresh = case_in(State.ACCEPTED, city), advised(HEATING)
    wanted = [named(stale, city.units["utilities"].pk), named(fresh, city.units["heating"].pk)]
    step(stale, "dispatch", "duty_officer", city, lead_unit="heating", opinion="另有安排")
    said = send(client(city, "dispatcher"), *wanted)
    assert [d["number"] for d in said["done"]] == [fresh.number]
    assert said["left"][0]["number"] == stale.number
    assert "已有变化" in said["left"][0]["why"]
    stale.refresh_from_db()
    assert stale.lead_unit == city.units["heating"]


def test_a_unit_that_the_catalogue_no_longer_names_gets_nothing(city: City) -> None:
    case = case_in(State.ACCEPTED, city)
    wanted = named(case, city.units["utilities"].pk)
    draft = editions.create([(2, Row("01", factories.CITY, "heating", (), "权责清单"))], "", factories.NOW)
    editions.publish(draft, city.people["duty_officer"], factories.NOW)
    snapshot.forget()
    said = send(client(city, "dispatcher"), wanted)
    assert city.units["heating"].name in said["left"][0]["why"]
    assert state(case) == State.ACCEPTED


def test_a_countys_dispatcher_cannot_dispatch_another_countys_order(city: City) -> None:
    case = advised(LAMP)
    who = client(city, "east_dispatcher")
    said = send(who, named(case, city.units["utilities"].pk))
    assert not said["done"]
    assert state(case) == State.RECEIVED
    confirmation = who.post("/board/confirm/", {"case": named(case, 0)}, headers=BESIDE).content.decode()
    assert case.title not in confirmation
    assert "无权查看" in confirmation


@pytest.mark.parametrize("who", ["handler", "supervisor", "administrator"])
def test_who_may_not_dispatch_is_refused(city: City, who: str) -> None:
    case = advised(LAMP)
    for address in ("/board/confirm/", "/board/dispatch/"):
        assert client(city, who).post(address, {"case": named(case, 1)}).status_code == 403
    assert state(case) == State.RECEIVED


def test_nothing_selected_too_many_and_nonsense_are_refused(city: City) -> None:
    who = client(city, "dispatcher")
    many = [f"{n}:1:1" for n in range(1, 102)]
    for values in ([], ["x"], ["1"], ["1:2:3:4"], ["１:1:1"], many):
        assert who.post("/board/dispatch/", {"case": values}, headers=BESIDE).status_code == 422


def test_the_confirmation_lists_by_unit_and_sets_the_doubtful_apart(city: City) -> None:
    lamp, heat, doubtful = advised(LAMP), advised(HEATING), advised("")
    page = (
        client(city, "dispatcher")
        .post("/board/confirm/", {"case": [named(c, 0) for c in (lamp, heat, doubtful)]})
        .content.decode()
    )
    assert "<html" in page  # whole without script
    for unit, case in (("utilities", lamp), ("heating", heat)):
        assert city.units[unit].name in page
        assert f'value="{named(case, city.units[unit].pk)}"' in page
    assert f'value="{doubtful.number}' not in page
    assert "不在其中" in page


def test_without_script_the_confirmation_is_sent_and_answered_row_by_row(city: City) -> None:
    good, bad = advised(LAMP), advised("")
    answer = client(city, "dispatcher").post(
        "/board/dispatch/",
        {
            "case": [named(good, city.units["utilities"].pk), named(bad, 1)],
            "key": "k",
            "back": "/board/?queue=new",
        },
    )
    page = answer.content.decode()
    assert good.number in page
    assert "请选择事项" in page
    assert 'href="/board/?queue=new"' in page
    assert state(good) == State.DISPATCHED


def test_the_way_back_leads_nowhere_else(city: City) -> None:
    case = advised(LAMP)
    for evil in (
        "https://evil.example/board/",
        "//evil.example",
        "/board/@evil.example",
        "javascript:alert(1)",
    ):
        page = client(city, "dispatcher").post("/board/dispatch/", {"case": named(case, 1), "back": evil})
        assert "https://evil" not in page.content.decode()
        assert "javascript:" not in page.content.decode()


# --- merge side by side


def test_the_merge_page_puts_two_orders_side_by_side(city: City) -> None:
    now = timezone.now()
    this = received(now, content="鹿苑小区门口的路灯不亮，已经三天了。")
    other = received(now, content="鹿苑小区门口路灯坏了三天，不亮。", phone="13911112222")
    page = client(city, "dispatcher").get(f"/cases/{this.number}/merge/").content.decode()
    assert other.number in page
    assert "<mark>" in page
    assert "138****0000" in page
    assert "139****2222" in page
    assert "13911112222" not in page


def test_either_order_can_become_the_main_one_and_the_merger_is_undone(city: City) -> None:
    this, other = received(), received()
    who = client(city, "dispatcher")
    address = f"/cases/{this.number}/merge/"
    who.post(address, {"joins": other.number, "main": this.number, "version": other.version})
    assert state(other) == State.MERGED
    assert other.main == this
    page = who.get(f"/cases/{other.number}/merge/").content.decode()
    assert 'name="apart"' in page
    who.post(
        f"/cases/{other.number}/merge/",
        {"apart": "1", "reason": "不是同一处", "version": other.version},
    )
    assert state(other) == State.ACCEPTED
    assert other.main is None
    answer = who.post(
        address,
        {"joins": this.number, "main": other.number, "version": this.version, "back": "/board/?queue=new"},
    )
    assert answer["Location"] == "/board/?queue=new"
    assert state(this) == State.MERGED


def test_a_merger_is_refused_in_words_where_it_cannot_be(city: City) -> None:
    this, gone = received(), case_in(State.CALLBACK, city)
    who = client(city, "dispatcher")
    address = f"/cases/{this.number}/merge/"
    late = who.post(address, {"joins": this.number, "main": gone.number, "version": this.version})
    assert late.status_code == 422
    stale = who.post(address, {"joins": this.number, "main": received().number, "version": 99})
    assert stale.status_code == 409
    foreign = who.post(address, {"joins": gone.number, "main": received().number, "version": 1})
    assert foreign.status_code == 422
    assert state(this) == State.RECEIVED


def test_what_the_reader_may_not_see_stands_on_no_side(city: City) -> None:
    west, east = received(), received(place=factories.SUMU)
    who = client(city, "west_dispatcher")
    page = who.get(f"/cases/{west.number}/merge/?with={east.number}").content.decode()
    assert "没有编号" in page
    assert east.title not in page.replace(west.title, "")
    assert who.get(f"/cases/{east.number}/merge/").status_code == 404


@pytest.mark.parametrize("asked", ["%00", "x", "１２", "9" * 40])
def test_a_number_that_is_none_is_said(city: City, asked: str) -> None:
    case = received()
    answer = client(city, "dispatcher").get(f"/cases/{case.number}/merge/?with={asked}")
    assert answer.status_code == 200
    assert "没有编号" in answer.content.decode()


def test_two_long_texts_are_compared_in_good_time(city: City) -> None:
    this, other = received(content="路灯不亮。" * 9000), received(content="不亮路灯，" * 9000)
    answer = client(city, "dispatcher").get(f"/cases/{this.number}/merge/?with={other.number}")
    assert answer.status_code == 200
