"""The case page: what is to be done, why the clocks stand where they stand, the chain's proof, the paper, two tabs."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from lucheng.core.cases import attachments
from lucheng.core.cases.models import Case, State, Text
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.ledger.models import Event
from lucheng.core.privacy.models import Reveal
from lucheng.core.revisions import snapshot
from tests.factories import NOW, City, case_in, client, received, step


def page(city: City, name: str, case: Case, way: str = "") -> str:
    answer = client(city, name).get(f"/cases/{case.number}/{way}")
    assert answer.status_code == 200
    return answer.content.decode()


def todo(text: str) -> str:
    return text.partition('<nav class="todo')[2].partition("</nav>")[0]


# --- what is to be done


@pytest.mark.parametrize(
    ("state", "who", "main"),
    [
        (State.RECEIVED, "operator", "受理"),
        (State.ACCEPTED, "dispatcher", "派单"),
        (State.DISPATCHED, "handler", "签收"),
        (State.SIGNED, "handler", "记录联系"),
        (State.EXTEND_REQ, "duty_officer", "同意延期"),
        (State.REPLIED, "dispatcher", "审核通过"),
        (State.CALLBACK, "operator", "回访办结"),
    ],
)
def test_what_is_yours_to_do_stands_first(city: City, state: State, who: str, main: str) -> None:
    shown = todo(page(city, who, case_in(state, city)))
    assert "现在该您办理" in shown
    first = re.search(r'<a role="button" href="[^"]+" data-key="1"[^>]*>([^<]+)</a>', shown)
    assert first is not None
    assert first[1] == main
    assert 'class="second"' not in first[0]


def test_whose_turn_it_is_not_is_told_what_it_waits_for(city: City) -> None:
    shown = todo(page(city, "dispatcher", case_in(State.DISPATCHED, city)))
    assert "当前等待" in shown
    assert f"等待{city.units['utilities'].name}签收" in shown
    assert "现在该您办理" not in shown


def test_after_the_requester_was_spoken_to_the_reply_comes_first(city: City) -> None:
    case = step(case_in(State.SIGNED, city), "contact", "handler", city, how="phone")
    shown = todo(page(city, "handler", case))
    assert shown.index("反馈答复") < shown.index("记录联系")


def test_a_helper_is_asked_for_its_report_first_and_the_lead_is_not(city: City) -> None:
    case = case_in(State.SIGNED, city)
    assert "/do/assist/" in todo(page(city, "helper", case))
    assert "/do/assist/" not in todo(page(city, "handler", case))


def test_a_callback_leads_to_its_desk(city: City) -> None:
    case = case_in(State.CALLBACK, city)
    assert f'href="/callbacks/{case.number}/"' in todo(page(city, "operator", case))
    assert "/callbacks/" not in page(city, "handler", case)


# --- why the clocks stand where they stand


def test_each_clock_says_its_limit_basis_start_and_due_time(city: City) -> None:
    shown = page(city, "handler", case_in(State.SIGNED, city))
    assert "5 个工作日，2026年3月2日 09:30 起算；其间休息日 2 天不计入；2026年3月9日 18:00 到期。" in shown
    assert "潍坊市12345政务服务便民热线条例第二十条" in shown
    assert 'href="#event-3"' in shown
    assert 'id="event-3"' in shown


def test_an_extension_shows_who_approved_it(city: City) -> None:
    case = step(case_in(State.EXTEND_REQ, city), "grant_extension", "duty_officer", city, days="5")
    clocks = page(city, "handler", case).partition('id="clocks"')[2].partition("</section>")[0]
    assert "延期5 个工作日" in clocks
    assert "duty_officer" in clocks
    assert "等待配件" in clocks


# --- events and their seals


def test_events_say_who_as_whom_and_carry_their_whole_seal(city: City) -> None:
    case = case_in(State.SIGNED, city)
    shown = page(city, "dispatcher", case)
    last = Event.objects.filter(case=case).order_by("-seq")[0]
    assert bytes(last.hash).hex() in shown
    assert bytes(last.prev).hex() in shown
    assert "承办员" in shown
    assert "派单员" in shown


def test_the_chain_of_one_case_is_verified_for_whoever_sees_the_case(city: City) -> None:
    case = case_in(State.REPLIED, city)
    for name in ("handler", "dispatcher"):
        shown = page(city, name, case, "verify/")
        assert "校验通过" in shown
        assert f"{case.events.count()} 个事件" in shown
    assert client(city, "stoker").get(f"/cases/{case.number}/verify/").status_code == 404


def test_a_text_that_was_changed_is_found(city: City) -> None:
    case = case_in(State.REPLIED, city)
    Text.objects.filter(case=case, name="public_reply").update(text="从未有人写过")
    shown = page(city, "dispatcher", case, "verify/")
    assert "校验不通过" in shown
    assert "校验通过" not in shown


def test_verifying_asks_as_much_for_a_long_chain_as_for_a_short_one(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    who = client(city, "duty_officer")

    def asked(case: Case) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert who.get(f"/cases/{case.number}/verify/").status_code == 200
        return len(queries)

    short, long = case_in(State.SIGNED, city), case_in(State.SIGNED, city)
    asked(short)
    for n in range(10):
        long = step(long, "contact", "handler", city, how="phone", note=f"第{n}次")
    assert asked(long) == asked(short)


def test_why_somebody_looked_is_for_those_who_may_look(city: City) -> None:
    case = case_in(State.SIGNED, city, confidential=True)
    client(city, "operator").post(f"/cases/{case.number}/reveal/", {"reason": "核对来电人信息"})
    assert "核对来电人信息" in page(city, "operator", case)
    seen = page(city, "handler", case)
    assert "查看联系方式" in seen  # that it was looked at is no secret
    assert "核对来电人信息" not in seen


# --- the story


def test_what_the_requester_added_stands_with_their_words(city: City) -> None:
    case = step(case_in(State.SIGNED, city), "supplement", "operator", city, note="昨晚又灭了一盏")
    story = page(city, "handler", case).partition('class="story"')[2].partition("</section>")[0]
    assert "昨晚又灭了一盏" in story


def test_a_photograph_has_words_and_opens_large(city: City, settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS = tmp_path
    picture = BytesIO()
    Image.new("RGB", (64, 48), "navy").save(picture, "JPEG")
    case = received()
    made = attachments.store(case.pk, picture.getvalue(), person=None, role=REQUESTER, now=NOW)
    shown = page(city, "operator", case)
    assert f'href="/cases/{case.number}/photographs/{made.sha256}/"' in shown
    assert re.search(r'<img src="[^"]+" alt="照片 1：[^"]+"', shown)


def test_a_text_of_fifty_thousand_characters_is_folded_and_nothing_is_lost(city: City) -> None:
    words = "".join(f"第{n}句话。" for n in range(10_000))[:50_000]
    shown = page(city, "dispatcher", received(content=words))
    assert "显示全文（共 50,000 字）" in shown
    head, rest = re.findall(r'<p class="said" dir="auto">([^<]*)</p>', shown)[:2]
    assert head + rest == words
    assert len(head) <= 1200


@pytest.mark.parametrize("words", ["الإنارة معطلة في الشارع", "ᠭᠡᠷᠡᠯᠲᠦᠭᠦᠷ ᠬᠠᠭᠠᠷᠴᠠᠢ", "<b>路灯</b>" * 3])
def test_words_of_any_script_stand_in_their_own_direction(city: City, words: str) -> None:
    shown = page(city, "dispatcher", received(content=words))
    assert '<h1 dir="auto">' in shown
    assert '<p class="said" dir="auto">' in shown
    assert "<b>路灯</b>" not in shown


# --- what is linked


def test_a_merged_order_can_be_taken_out_from_its_main_order(city: City) -> None:
    merged = case_in(State.MERGED, city)
    assert merged.main is not None
    shown = page(city, "dispatcher", merged.main)
    assert f"/cases/{merged.number}/do/unmerge/" in shown
    assert merged.main.number in page(city, "dispatcher", merged)


def test_who_may_not_unmerge_is_not_offered_it(city: City) -> None:
    main = case_in(State.SIGNED, city)
    step(received(), "merge", "dispatcher", city, main=main.number)
    shown = page(city, "handler", main)
    assert "并入本单的工单" in shown
    assert "/do/unmerge/" not in shown


def test_a_helper_s_report_stands_on_the_page(city: City) -> None:
    case = step(case_in(State.SIGNED, city), "assist", "helper", city, assist_reply="灯杆已加固")
    assert "灯杆已加固" in page(city, "dispatcher", case).partition('id="linked"')[2]


def test_letters_show_the_mask_and_never_a_number(city: City) -> None:
    shown = page(city, "operator", case_in(State.CALLBACK, city))
    assert "138****0000" in shown.partition('id="letters"')[2]
    assert "13800000000" not in shown


# --- the paper


def test_a_work_order_on_paper_has_what_offices_expect(city: City) -> None:
    case = case_in(State.CALLBACK, city)
    shown = page(city, "handler", case, "print/")
    assert "鹿原市12345政务服务便民热线工单" in shown
    for heading in (
        *("编号", "来源", "受理时间", "诉求类型", "事项分类", "事发地点", "诉求内容", "主办单位", "协办单位"),
        *("派单依据", "办理时限", "办理情况", "答复内容", "回访", "附件数", "打印时间及打印人"),
    ):
        assert f'<th scope="row">{heading}</th>' in shown
    assert "本件为打印件" in shown
    assert "路灯已修好。" in shown
    assert "13800000000" not in shown
    assert "138****0000" in shown
    assert not Reveal.objects.exists()


def test_secrecy_holds_on_paper(city: City) -> None:
    case = case_in(State.SIGNED, city, confidential=True)
    shown = page(city, "handler", case, "print/")
    assert "138****" not in shown
    assert "要求保密" in shown


def test_paper_is_for_who_may_see_the_case(city: City) -> None:
    case = case_in(State.SIGNED, city)
    assert client(city, "stoker").get(f"/cases/{case.number}/print/").status_code == 404
    assert Client().get(f"/cases/{case.number}/print/").status_code == 302


def test_a_long_text_is_printed_whole(city: City) -> None:
    words = "路灯不亮。" * 10_000
    assert words in page(city, "dispatcher", received(content=words), "print/")


# --- steps


def test_an_address_fills_in_what_may_be_chosen_and_no_words(city: City) -> None:
    shown = page(city, "operator", received(), "do/transfer/?target=110&reason=代写的理由&nonsense=1")
    assert re.search(r'value="110"[^>]* checked', shown)
    assert "代写的理由" not in shown
    assert "checked" not in page(city, "operator", received(), "do/transfer/?target=999")


def test_a_second_tab_is_told_who_did_what_and_keeps_what_was_typed(city: City) -> None:
    case = case_in(State.SIGNED, city)
    step(case, "contact", "colleague", city, how="visit", note="已到现场查看")
    answer = client(city, "handler").post(
        f"/cases/{case.number}/do/try_contact/", {"version": case.version, "note": "无人接听"}
    )
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "colleague" in shown
    assert "已到现场查看" in shown
    assert "无人接听" in shown
    # Seen and still right: the same form goes through.
    version = re.search(r'name="version" value="(\d+)"', shown)
    assert version is not None
    again = client(city, "handler").post(
        f"/cases/{case.number}/do/try_contact/", {"version": version[1], "note": "无人接听"}
    )
    assert again.status_code == 302
    assert Event.objects.filter(case=case, action="try_contact").count() == 1


def test_where_the_step_is_gone_what_was_typed_is_shown_to_be_copied(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    step(case, "sign", "colleague", city)
    answer = client(city, "handler").post(
        f"/cases/{case.number}/do/return/",
        {"version": case.version, "reason": "不属于我们的职责范围", "basis": "三定方案第五条"},
    )
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "colleague" in shown
    assert "不属于我们的职责范围" in shown
    assert "三定方案第五条" in shown
    assert not Event.objects.filter(case=case, action="return").exists()


def test_the_same_step_sent_twice_is_done_once_and_says_so(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    who = client(city, "handler")
    first = who.post(f"/cases/{case.number}/do/sign/", {"version": case.version})
    second = who.post(f"/cases/{case.number}/do/sign/", {"version": case.version})
    assert (first.status_code, second.status_code) == (302, 409)
    assert Event.objects.filter(case=case, action="sign").count() == 1
