"""One order in the unit's hands, step by step, and what happens when two are at it."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from lucheng.core.cases.models import Assist, Case, State, Text
from lucheng.core.ledger.models import Event
from lucheng.core.privacy.models import Reveal
from lucheng.core.revisions import snapshot
from tests import factories
from tests.channels.unit.conftest import Door
from tests.factories import CITY, NOW, City, case_in, step

REPLY = {
    "handling": "更换灯泡",
    "public_reply": "您反映的路灯已于3月2日更换灯泡，当晚恢复照明。",
    "note": "照明公司已到场",
}


def do(who: Client, case: Case, action: str, **fields: object):  # type: ignore[no-untyped-def]
    return who.post(f"/unit/cases/{case.number}/{action}/", {"version": case.version, **fields})


def photograph(colour: str = "red") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "JPEG")
    return SimpleUploadedFile("现场.jpg", out.getvalue(), "image/jpeg")


def test_a_day_with_an_order_page_by_page(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    handler = door("handler")

    def go(action: str, **fields: object) -> None:
        case.refresh_from_db()
        answer = do(handler, case, action, **fields)
        assert answer.status_code == 302, answer.content.decode()
        assert answer["Location"] == f"/unit/cases/{case.number}/"

    go("sign")
    go("try_contact", note="上午十点无人接听")
    assert "已尝试 1 次" in handler.get(f"/unit/cases/{case.number}/").content.decode()
    go("contact", how="phone", note="约定明日到场")
    go("reply", **REPLY, solved="true", facts_true="false")
    case.refresh_from_db()
    assert case.state == State.REPLIED
    assert case.handler == city.people["handler"]
    said = Event.objects.get(case=case, action="reply").body
    assert (said["solved"], said["facts_true"]) == (True, False)


@pytest.mark.parametrize("state", [s for s in State if s not in (State.DRAFT, State.MERGED)])
def test_every_state_has_a_page_or_is_not_found(city: City, door: Door, state: State) -> None:
    case = case_in(state, city)
    answer = door("handler").get(f"/unit/cases/{case.number}/")
    theirs = state not in (
        State.RECEIVED, State.ACCEPTED, State.REJECTED, State.ANSWERED, State.TRANSFERRED, State.WITHDRAWN,
        State.CLOSED, State.ARCHIVED,
    )  # fmt: skip
    assert answer.status_code == (200 if theirs else 404)


def test_another_units_person_finds_nothing_and_changes_nothing(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    for name in ("stoker", "street_handler", "dispatcher"):
        who = door(name)
        assert who.get(f"/unit/cases/{case.number}/").status_code == 404
        assert do(who, case, "sign").status_code == 404
        assert (
            who.post(f"/unit/cases/{case.number}/reveal/", {"reason": "就本工单联系诉求人"}).status_code
            == 404
        )
        assert who.post(f"/unit/cases/{case.number}/check/", {"public_reply": "x"}).status_code == 404
    case.refresh_from_db()
    assert case.state == State.DISPATCHED


def test_an_assisting_unit_sees_the_order_reports_and_does_not_sign(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    helper = door("helper")
    page = helper.get(f"/unit/cases/{case.number}/").content.decode()
    assert 'id="panel-assist"' in page
    assert "/sign/" not in page and 'id="panel-return"' not in page and 'id="panel-assign"' not in page
    assert do(helper, case, "sign").status_code == 403
    assert do(helper, case, "assist", assist_reply="已到场更换线缆").status_code == 302
    assert Assist.objects.get(case=case).reply == "已到场更换线缆"
    assert 'id="panel-assist"' not in helper.get(f"/unit/cases/{case.number}/").content.decode()


def test_of_two_who_sign_one_is_in_charge_and_the_other_is_told(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    assert do(door("colleague"), case, "sign").status_code == 302
    answer = do(door("handler"), case, "sign")
    assert answer.status_code == 409
    assert "已有变化" in answer.content.decode()
    case.refresh_from_db()
    assert case.handler == city.people["colleague"]
    assert Event.objects.filter(case=case, action="sign").count() == 1


def test_a_second_press_is_carried_out_once(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    handler = door("handler")
    page = handler.get(f"/unit/cases/{case.number}/").content.decode()
    key = re.search(r'name="key" value="([0-9a-f]{32})" id="contact_key"', page)
    assert key is not None
    for _ in range(2):
        answer = do(handler, case, "contact", how="phone", note="约定明日", key=key[1])
        assert answer.status_code == 302
    assert Event.objects.filter(case=case, action="contact").count() == 1


def test_a_stale_page_is_told_so_and_keeps_what_was_typed(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    step(case, "contact", "colleague", city, how="phone")
    handler = door("handler")
    answer = do(handler, case, "reply", **REPLY)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "已有变化" in page
    assert REPLY["public_reply"] in page
    case.refresh_from_db()
    assert case.state == State.SIGNED
    # Sent again from the page that was shown, it goes through.
    version = re.search(r'name="version" value="(\d+)" id="reply_version"', page)
    assert version is not None
    assert do(handler, case, "reply", **{**REPLY, "version": version[1]}).status_code == 302


def test_what_was_written_for_a_step_that_is_gone_is_shown_again(city: City, door: Door) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    step(case, "reply", "colleague", city, **REPLY)
    answer = do(door("handler"), case, "reply", handling="x", public_reply="我写了很久的答复")
    assert answer.status_code == 409
    assert "您刚才填写的内容" in answer.content.decode()
    assert "我写了很久的答复" in answer.content.decode()


def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    answer = do(
        door("handler"), case, "reply", handling="", public_reply="路灯修好了，感谢反映。", solved="true"
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "路灯修好了，感谢反映。" in page
    assert '<a href="#reply_handling">' in page
    assert re.search(r'name="solved" value="true"[^>]* checked', page)


def test_a_silent_helper_is_named_and_asks_for_a_word(city: City, door: Door) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    handler = door("handler")
    assert (
        f"尚未反馈：{city.units['lighting'].name}"
        in handler.get(f"/unit/cases/{case.number}/").content.decode()
    )
    assert do(handler, case, "reply", **{**REPLY, "note": ""}).status_code == 422
    assert do(handler, case, "reply", **REPLY).status_code == 302


def test_the_number_is_opened_for_a_reason_beside_the_form_that_records_the_call(
    city: City, door: Door
) -> None:
    case = case_in(State.SIGNED, city)
    handler = door("handler")
    assert "13800000000" not in handler.get(f"/unit/cases/{case.number}/").content.decode()
    address = f"/unit/cases/{case.number}/reveal/"
    refused = handler.post(address, {"reason": "x"})
    assert "13800000000" not in refused.content.decode() and not Reveal.objects.exists()
    shown = handler.post(address, {"reason": "就本工单联系诉求人"})
    page = shown.content.decode()
    assert 'href="tel:13800000000"' in page and 'id="panel-contact" open' in page
    assert shown["Cache-Control"] == "no-store"
    part = handler.post(
        address, {"reason": "就本工单联系诉求人"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "13800000000" in part and "<html" not in part
    # The look does not make the page stale.
    assert do(handler, case, "contact", how="phone").status_code == 302


def test_where_secrecy_was_asked_for_the_unit_sees_no_part_of_the_number(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city, confidential=True)
    handler = door("handler")
    page = handler.get(f"/unit/cases/{case.number}/").content.decode()
    assert "138****" not in page and "联系方式仅热线可见" in page
    assert (
        handler.post(f"/unit/cases/{case.number}/reveal/", {"reason": "就本工单联系诉求人"}).status_code
        == 403
    )


def test_a_return_with_evidence_is_kept_whole_or_not_at_all(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city, timezone.now())
    handler = door("handler")
    assert "退单截止" in handler.get(f"/unit/cases/{case.number}/").content.decode()
    # The photograph is accepted, the basis is missing: what waits comes back sealed in the form.
    answer = do(handler, case, "return", reason="该路灯属物业管理", basis="", photo=photograph())
    page = answer.content.decode()
    assert answer.status_code == 422 and "先前选择的照片已保留" in page
    assert not case.attachments.exists()
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    assert kept is not None
    given = {
        "reason": "该路灯属物业管理",
        "basis": "《物业管理条例》第五十一条",
        "proposed_unit": "城市照明公司",
    }
    given["proposed_unit"] = city.units["lighting"].name
    assert do(handler, case, "return", kept=kept[1], photo=photograph("blue"), **given).status_code == 302
    case.refresh_from_db()
    assert case.state == State.RETURN_REQ
    assert case.attachments.count() == 2
    assert Event.objects.get(case=case, action="return").body["proposed_unit"] == city.units["lighting"].pk


def test_evidence_of_another_order_or_that_is_no_photograph_is_refused(city: City, door: Door) -> None:
    one, two = (case_in(State.DISPATCHED, city, timezone.now()) for _ in range(2))
    handler = door("handler")
    page = do(handler, one, "return", reason="x", basis="", photo=photograph()).content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    assert kept is not None
    given = {"reason": "不属本单位职责", "basis": "三定方案第三条"}
    false = SimpleUploadedFile("a.jpg", b"not a picture", "image/jpeg")
    answer = do(handler, two, "return", kept=kept[1], photo=false, **given)
    assert answer.status_code == 422 and 'id="return_photo_error"' in answer.content.decode()
    assert do(handler, two, "return", kept=kept[1], **given).status_code == 302
    assert not two.attachments.exists()


def test_after_its_limit_or_after_study_no_return_is_offered(city: City, door: Door) -> None:
    late = case_in(State.DISPATCHED, city, NOW)
    page = door("handler").get(f"/unit/cases/{late.number}/").content.decode()
    assert "退单时限已过。" in page and 'id="panel-return"' not in page
    studied = step(case_in(State.RETURN_REQ, city), "uphold", "duty_officer", city, reason="属城管职责")
    page = door("handler").get(f"/unit/cases/{studied.number}/").content.decode()
    assert "不得再次退回" in page and 'id="panel-return"' not in page
    answer = do(door("handler"), studied, "return", reason="还是不归我们", basis="三定方案")
    assert answer.status_code == 403
    assert "还是不归我们" in answer.content.decode()


def test_an_extension_says_how_much_is_left_and_asks_whether_the_requester_knows(
    city: City, door: Door
) -> None:
    case = case_in(State.SIGNED, city)
    handler = door("handler")
    assert "还可延期 10 个工作日" in handler.get(f"/unit/cases/{case.number}/").content.decode()
    assert do(handler, case, "extend", days="5", reason="等待配件").status_code == 422
    assert do(handler, case, "extend", days="11", reason="等待配件", person_told="on").status_code == 422
    assert do(handler, case, "extend", days="5", reason="等待配件", person_told="on").status_code == 302
    case.refresh_from_db()
    case = step(case, "grant_extension", "duty_officer", city, days="5")
    assert "还可延期 5 个工作日" in handler.get(f"/unit/cases/{case.number}/").content.decode()


def test_suspending_is_not_the_units_to_ask(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    assert door("handler").get(f"/unit/cases/{case.number}/suspend/").status_code == 404
    assert do(door("handler"), case, "suspend", reason="冬季", until="2030-01-01").status_code == 404


def test_the_check_names_what_to_look_at_again_and_refuses_nothing(city: City, door: Door) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    handler = door("handler")
    text = "此事不归我们管，请拨打13900000000，马上解决路灯。"
    found = handler.post(f"/unit/cases/{case.number}/check/", {"public_reply": text}).content.decode()
    for word in ("不归我们管", "13900000000", "马上解决"):
        assert word in found
    assert (
        handler.post(f"/unit/cases/{case.number}/check/", {"public_reply": " "}).content.decode().strip()
        == ""
    )
    assert (
        do(handler, case, "reply", **{**REPLY, "public_reply": text, "numbers": "leave"}).status_code == 302
    )


def test_without_script_a_template_comes_into_what_was_typed(city: City, door: Door) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    handler = door("handler")
    page = handler.get(f"/unit/cases/{case.number}/").content.decode()
    lamp = re.search(r'<option value="(\d+)" data-text="([^"]*)">路灯照明', page)
    assert lamp is not None and case.number in lamp[2]
    answer = do(handler, case, "reply", public_reply="开头。", handling="x", use="1", template=lamp[1])
    page = answer.content.decode()
    assert answer.status_code == 200
    assert re.search(r"<textarea[^>]*name=\"public_reply\"[^>]*>\s*开头。\n您好", page)
    assert "模板中还有空格没有填写" in page
    case.refresh_from_db()
    assert case.state == State.SIGNED


def test_an_order_is_handed_to_a_person_of_the_unit_only(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    handler = door("handler")
    page = handler.get(f"/unit/cases/{case.number}/assign/").content.decode()
    assert f'value="{city.people["colleague"].pk}"' in page
    assert f'value="{city.people["stoker"].pk}"' not in page
    assert do(handler, case, "assign", person=city.people["stoker"].pk).status_code == 422
    assert do(handler, case, "assign", person=city.people["colleague"].pk, note="明日休假").status_code == 302
    case.refresh_from_db()
    assert (case.state, case.handler) == (State.SIGNED, city.people["colleague"])
    assert Text.objects.get(case=case, name="note").text == "明日休假"
    assert "handler · → colleague" in handler.get(f"/unit/cases/{case.number}/").content.decode()


def test_who_may_not_see_an_order_is_not_put_in_charge_of_it(city: City, door: Door) -> None:
    """A grid worker's role does not see orders whose requester asked for secrecy."""
    factories.post(city.people["stoker"], "grid_worker", CITY, city.units["utilities"])
    case = case_in(State.SIGNED, city, confidential=True)
    assert do(door("handler"), case, "assign", person=city.people["stoker"].pk).status_code == 422


def test_a_suspended_order_is_resumed_and_one_sent_back_is_taken_up(city: City, door: Door) -> None:
    suspended, back = case_in(State.SUSPENDED, city), case_in(State.REWORK, city)
    handler = door("handler")
    assert "请说明修复时间" in handler.get(f"/unit/cases/{back.number}/").content.decode()
    assert do(handler, suspended, "resume", note="配件已到").status_code == 302
    assert do(handler, back, "redo").status_code == 302
    assert set(Case.objects.values_list("state", flat=True)) == {State.SIGNED}


def test_after_the_session_ended_the_same_address_opens_the_same_form(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    gone = Client().post(f"/unit/cases/{case.number}/reply/", {"public_reply": "x"})
    assert gone.status_code == 302
    assert gone["Location"].endswith(f"next=/unit/cases/{case.number}/reply/")
    page = door("handler").get(f"/unit/cases/{case.number}/reply/").content.decode()
    assert 'id="panel-reply" open' in page
    elsewhere = door("handler").get(f"/unit/cases/{case.number}/sign/")
    assert elsewhere.status_code == 302


def test_markup_in_a_request_or_a_template_is_shown_as_text(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city, content='<script>alert(1)</script>"><b>路灯</b>')
    page = door("handler").get(f"/unit/cases/{case.number}/").content.decode()
    assert "<script>alert(1)" not in page and "<b>路灯" not in page


@pytest.mark.parametrize("number", ["%00", "abc", "９９", "99999999999999999999"])
def test_a_number_that_is_none_is_not_found(city: City, door: Door, number: str) -> None:
    assert door("handler").get(f"/unit/cases/{number}/").status_code == 404


def test_the_page_asks_as_much_for_a_long_history_as_for_a_short_one(
    city: City, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    handler = door("handler")

    def asked(case: Case) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert handler.get(f"/unit/cases/{case.number}/").status_code == 200
        return len(queries)

    short, long = case_in(State.SIGNED, city), case_in(State.SIGNED, city)
    asked(short)
    for n in range(10):
        long = step(long, "try_contact", "handler", city, note=f"第{n}次")
        long = step(long, "ask_assist", "dispatcher", city, assist_unit="heating", reason="请协助")
    assert asked(long) == asked(short)


@pytest.mark.parametrize(("decision", "kept"), [("cover", "****"), ("leave", "138 0013 2210")])
def test_a_persons_number_in_a_reply_is_offered_to_be_covered_before_it_is_sent(
    city: City, door: Door, decision: str, kept: str
) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    handler = door("handler")
    words = REPLY["public_reply"] + "请打0472-5123456或张工{}。"
    sent = {**REPLY, "public_reply": words.format("138 0013 2210")}
    asked = do(handler, case, "reply", **sent)
    assert asked.status_code == 422
    page = asked.content.decode()
    assert "<strong>138 0013 2210</strong>" in page
    assert "<strong>0472-5123456</strong>" not in page
    assert do(handler, case, "reply", **sent, numbers=decision).status_code == 302
    assert case.texts.get(name="public_reply").text == words.format(kept)
