"""Following a case by its code: what it tells, what it never tells, and what its requester may do."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from lucheng.channels.citizen import opening
from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from lucheng.core.limits.models import Tally
from lucheng.core.revisions import snapshot
from tests import factories
from tests.channels.citizen.conftest import Resident
from tests.channels.citizen.test_report import picture

STATES = [s for s in State if s not in (State.DRAFT,)]


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "zh-CN"})


def unlock(client: Client, case: Case, digits: str = factories.DIGITS) -> HttpResponse:
    """Look a case up by its code and the last digits of its requester's number."""
    return client.post("/t/", {"code": codes.written(case.code), "digits": digits})


def page(client: Client, case: Case) -> str:
    unlock(client, case)
    answer = client.get(f"/t/{codes.written(case.code)}/")
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, case: Case, action: str, **fields: str) -> int:
    unlock(client, case)
    return client.post(f"/t/{codes.written(case.code)}/{action}/", fields).status_code


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_told_in_plain_words_and_names_nobody(
    client: Client, city: factories.City, state: State
) -> None:
    case = factories.case_in(state, city)
    told = page(client, case)
    assert codes.written(case.code) in told
    assert re.search(r'<p class="now">[^<]{2,}</p>', told)
    assert "%(" not in told
    for person in city.people:
        assert f">{person}<" not in told
    for private in ("测试人", "13800000000", "138****0000", case.number):
        assert private not in told


@pytest.mark.parametrize("state", [State.DISPATCHED, State.SIGNED, State.REWORK])
def test_the_unit_in_charge_is_named_and_when_its_reply_is_due(
    client: Client, city: factories.City, state: State
) -> None:
    told = page(client, factories.case_in(state, city))
    assert "鹿原市城市管理局" in told
    assert 'class="clock' in told


def test_the_reply_is_shown_only_when_it_has_been_reviewed(client: Client, city: factories.City) -> None:
    assert "路灯已修好" not in page(client, factories.case_in(State.REPLIED, city))
    assert "路灯已修好" in page(client, factories.case_in(State.CALLBACK, city))


def test_what_units_settle_among_themselves_is_not_told(client: Client, city: factories.City) -> None:
    told = page(client, factories.case_in(State.RETURN_REQ, city))
    assert "不属本单位职责" not in told
    told = page(client, factories.case_in(State.CLOSED, city))
    assert "更换灯泡" not in told, "the internal account of the handling"
    assert "照明公司已到场" not in told, "a note to the reviewer"


def test_a_refusal_tells_its_reason(client: Client, city: factories.City) -> None:
    assert "依法不予支持" in page(client, factories.case_in(State.REJECTED, city))


def test_a_merged_case_keeps_its_own_page_and_receives_the_reply(
    client: Client, city: factories.City
) -> None:
    case = factories.case_in(State.MERGED, city)
    assert "合并办理" in page(client, case)
    main = case.main
    assert main is not None
    main = factories.step(main, "dispatch", "dispatcher", city)
    main = factories.step(main, "sign", "handler", city)
    main = factories.step(main, "contact", "handler", city, how="phone")
    main = factories.step(
        main, "reply", "handler", city, handling="修", public_reply="两盏都修好了。", note="n"
    )
    factories.step(main, "approve", "dispatcher", city)
    assert "两盏都修好了" in page(client, case)


def test_a_reply_shows_the_number_of_an_office_and_never_that_of_a_person(
    client: Client, city: factories.City
) -> None:
    case = factories.case_in(State.SIGNED, city)
    case = factories.step(case, "contact", "handler", city, how="phone")
    said = "3月5日已修好，请打0472-5123456，或找张工138 0013 2210。"
    case = factories.step(case, "reply", "handler", city, handling="修", public_reply=said, note="n")
    factories.step(case, "approve", "dispatcher", city)
    told = page(client, case)
    assert "3月5日已修好，请打0472-5123456" in told
    assert "0013 2210" not in told


def test_long_numbers_in_the_requesters_own_words_are_covered(client: Client, city: factories.City) -> None:
    case = factories.received(content="3号楼5单元漏水，请打 138 0013 2210 或 0472-5123456")
    told = page(client, case)
    assert "3号楼5单元漏水" in told
    assert "2210" not in told
    assert "5123456" not in told


def test_no_room_of_a_home_stands_on_the_page_nor_in_the_interface_of_the_code(
    client: Client, city: factories.City
) -> None:
    case = factories.case_in(
        State.SIGNED, city, content="鹿苑小区3号楼2单元501室没有暖气", address="鹿苑小区 3号楼 2单元 501室"
    )
    said = "已为501室更换阀门，鹿苑小区3号楼2单元501室恢复供热。如有疑问请到社区服务中心201室。"
    case = factories.step(case, "contact", "handler", city, how="phone")
    case = factories.step(case, "reply", "handler", city, handling="换", public_reply=said, note="n")
    case = factories.step(case, "approve", "dispatcher", city)
    act(client, case, "supplement", note="601室也不热", key="a" * 32)
    told = page(client, case)
    assert "601室" in case.texts.get(name="note", seq=case.chain_length + 1).text
    by_code = client.get(
        f"/api/v1/track/{codes.written(case.code)}", headers={"Phone-Digits": factories.DIGITS}
    ).content.decode()
    for read in (told, by_code):
        assert "恢复供热" in read and "201室" in read and "也不热" in read
        # A code or a form's key may have the digits within it.
        assert not re.search(r"(?<![0-9A-Za-z-])[56]01(?![0-9A-Za-z-])", read)


def test_the_page_is_neither_cached_nor_indexed(client: Client, city: factories.City) -> None:
    answer = client.get(f"/t/{codes.written(factories.received().code)}/")
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"


def test_the_page_costs_the_same_at_one_step_and_at_a_hundred(
    client: Client,
    city: factories.City,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", 1e9)  # asking once a second for revisions is not the page's cost
    case = factories.case_in(State.SIGNED, city)
    page(client, case)  # reference data is read once
    address = f"/t/{codes.written(case.code)}/"
    with django_assert_num_queries(9):  # the session's and the limit's among them
        client.get(address)
    for n in range(100):
        client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": f"补充{n}", "key": str(n)})
    assert Event.objects.filter(case=case).count() > 100
    with django_assert_num_queries(9):
        client.get(address)


# --- the code -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [str.lower, lambda c: c.replace("-", ""), lambda c: c[3:], lambda c: f"  {c.lower().replace('-', ' ')} "],
)
def test_a_code_is_read_however_it_is_typed(client: Client, city: factories.City, typed: object) -> None:
    code = codes.written(factories.received().code)
    answer = client.post("/t/", {"code": typed(code)})  # type: ignore[operator]
    assert answer["Location"] == f"/t/{code}/"


def test_a_typing_error_is_told_apart_from_a_code_never_given_out(
    client: Client, city: factories.City
) -> None:
    code = codes.written(factories.received().code)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for answer in (client.post("/t/", {"code": wrong}), client.get(f"/t/{wrong}/")):
        assert "输错" in answer.content.decode()
    unknown = codes.written(codes.new_code())
    for answer in (client.post("/t/", {"code": unknown}), client.get(f"/t/{unknown}/")):
        assert "没有这个查询码" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "   ", "LC-" + "A" * 200, "\x00\x00", "<script>", "你好"])
def test_what_is_no_code_is_answered_politely(client: Client, db: None, typed: str) -> None:
    answer = client.post("/t/", {"code": typed})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_an_address_typed_in_small_letters_leads_to_the_right_spelling(
    client: Client, city: factories.City
) -> None:
    code = codes.written(factories.received().code)
    assert client.get(f"/t/{code.lower()}/")["Location"] == f"/t/{code}/"


# --- the digits -----------------------------------------------------------------------------------------------------

SECRET = ("路灯", "已修好", "又坏了", "花园社区", "提交补充", "timeline")


def test_the_code_alone_tells_how_far_it_has_come_and_nothing_of_what_it_is_about(
    client: Client, city: factories.City
) -> None:
    for state in STATES:
        case = factories.case_in(state, city)
        told = client.get(f"/t/{codes.written(case.code)}/").content.decode()
        assert re.search(r'<p class="now">[^<]{2,}</p>', told)
        assert 'name="digits"' in told
        assert not [word for word in (*SECRET, case.content, case.public_reply or "-*-") if word in told]
    told = client.get(f"/t/{codes.written(factories.case_in(State.SIGNED, city).code)}/").content.decode()
    assert "鹿原市城市管理局" in told
    assert 'class="clock' in told


@pytest.mark.parametrize("digits", ["0000", "００００", " 00 00 "])
def test_with_the_last_digits_of_the_number_everything_opens(
    client: Client, city: factories.City, digits: str
) -> None:
    case = factories.case_in(State.CALLBACK, city)
    answer = unlock(client, case, digits)
    assert answer["Location"] == f"/t/{codes.written(case.code)}/"
    told = client.get(answer["Location"]).content.decode()
    assert "路灯已修好" in told
    assert case.content in told
    assert 'name="satisfaction"' in told


@pytest.mark.parametrize(
    ("phone", "digits"), [("0472-5123456转8", "3456"), ("110", "110"), ("+1 212 555 0199", "0199")]
)
def test_the_digits_are_those_of_the_number_itself(
    client: Client, city: factories.City, phone: str, digits: str
) -> None:
    case = factories.received(phone=phone)
    assert unlock(client, case, digits).status_code == 302


@pytest.mark.parametrize(
    "you", [{"phone": "", "channel": "web"}, {"phone": "", "name": "", "anonymous": True}]
)
def test_where_no_number_was_given_the_code_alone_opens(
    client: Client, city: factories.City, you: dict[str, object]
) -> None:
    case = factories.received(**you)
    assert case.content in client.get(f"/t/{codes.written(case.code)}/").content.decode()
    assert unlock(client, case, "1234").status_code == 302


def test_wrong_digits_and_a_code_never_given_out_are_answered_alike(
    client: Client, city: factories.City
) -> None:
    case = factories.received()
    answers = []
    for code in (codes.written(case.code), codes.written(codes.new_code())):
        answer = client.post("/t/", {"code": code, "digits": "1234"})
        body = re.sub(r'(name="csrf[a-z-]*" (?:value|content)=)"[^"]*"', r"\1", answer.content.decode())
        answers.append((answer.status_code, body.replace(code, "")))
    assert answers[0] == answers[1]
    assert "没有与该查询码和号码尾号相符的诉求" in answers[0][1]
    assert case.content not in client.get(f"/t/{codes.written(case.code)}/").content.decode()


@pytest.mark.parametrize("digits", ["12", "12345", "abcd", "１２３४x", "\x00\x00\x00"])
def test_what_is_no_four_digits_says_so_at_the_field_and_counts_for_nothing(
    client: Client, city: factories.City, digits: str
) -> None:
    answer = unlock(client, factories.received(), digits)
    assert answer.status_code == 422
    assert 'id="id_digits_error"' in answer.content.decode()
    assert not Tally.objects.exists()


def test_digits_cannot_be_tried_out(client: Client, city: factories.City) -> None:
    case, other = factories.received(), factories.received()
    for n in range(10):
        assert unlock(Client(REMOTE_ADDR=f"192.0.2.{n}"), case, f"{n + 1:04}").status_code == 422
    refused = unlock(client, case)
    assert refused.status_code == 429
    assert 86_000 < int(refused["Retry-After"]) <= 86_400
    assert "尝试次数过多，请于" in refused.content.decode()
    assert codes.written(case.code) in refused.content.decode(), "what was typed stays"
    assert unlock(client, other).status_code == 302


def test_right_digits_begin_the_count_anew(client: Client, city: factories.City) -> None:
    case = factories.received()
    for _round in range(2):
        for _n in range(9):
            unlock(client, case, "1234")
        assert unlock(client, case).status_code == 302


def test_codes_cannot_be_tried_out_and_a_limited_address_learns_nothing(
    client: Client, city: factories.City, settings: Any
) -> None:
    settings.LIMITS = {**settings.LIMITS, "look-up.address": (3, dt.timedelta(hours=1))}
    known = codes.written(factories.received().code)
    for _n in range(9):
        assert client.get(f"/t/{known}/").status_code == 200, "codes that were given out count for nothing"
    for _n in range(3):
        assert client.get(f"/t/{codes.written(codes.new_code())}/").status_code == 404
    for code in (known, codes.written(codes.new_code())):
        answer = client.get(f"/t/{code}/")
        assert answer.status_code == 429
        assert 3590 < int(answer["Retry-After"]) <= 3600
        assert client.post("/t/", {"code": code}).status_code == 429
        assert client.post("/t/", {"code": code, "digits": "0000"}).status_code == 429
    assert client.get(f"/t/{known}/", REMOTE_ADDR="192.0.2.9").status_code == 200


def test_digits_hold_for_half_an_hour_in_this_browser_and_no_other(
    client: Client, city: factories.City, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = factories.received()
    assert case.content in page(client, case)
    address = f"/t/{codes.written(case.code)}/"
    assert case.content not in Client().get(address).content.decode()
    later = timezone.now() + opening.HOLDS
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert case.content not in client.get(address).content.decode()


def test_who_has_just_sent_it_types_no_digits(resident: Resident) -> None:
    code = resident.report("鹿苑小区门口的路灯不亮，已经三天了。", phone="13800132210")
    assert "路灯" in resident.client.get(f"/t/{code}/").content.decode()
    assert "路灯" not in Client().get(f"/t/{code}/").content.decode()


def test_without_the_digits_no_step_is_carried_out_and_nothing_typed_is_lost(
    client: Client, city: factories.City
) -> None:
    case = factories.case_in(State.SIGNED, city)
    address = f"/t/{codes.written(case.code)}/supplement/"
    before = Event.objects.filter(case=case).count()
    for digits, error in (("", "请填写您所留电话号码的后四位"), ("1234", "没有与该查询码和号码尾号相符")):
        answer = client.post(address, {"note": "又坏了一盏", "digits": digits, "key": "k1"})
        told = answer.content.decode()
        assert answer.status_code == 422
        assert "又坏了一盏" in told
        assert error in told
        assert case.content not in told
    assert Event.objects.filter(case=case).count() == before
    assert client.post(address, {"note": "又坏了一盏", "digits": "0000", "key": "k1"}).status_code == 302
    assert Event.objects.filter(case=case).count() == before + 1


# --- what the requester may do --------------------------------------------------------------------------------------


def test_information_is_added_and_read_again(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    assert act(client, case, "supplement", note="又坏了一盏") == 302
    assert "又坏了一盏" in page(client, case)


def test_a_photograph_is_added_later(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    unlock(client, case)
    for _n in range(2):  # sent twice, kept once
        address = f"/t/{codes.written(case.code)}/supplement/"
        answer = client.post(address, {"note": "见照片", "photo": picture(), "key": "k1"})
        assert answer.status_code == 302
    assert case.attachments.count() == 1
    assert "<dt>照片</dt><dd>1</dd>" in page(client, case)


def test_a_bad_photograph_is_refused_and_the_words_stay(client: Client, city: factories.City) -> None:
    case = factories.received()
    unlock(client, case)
    bad = SimpleUploadedFile("x.jpg", b"not a picture", "image/jpeg")
    answer = client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": "见照片", "photo": bad})
    assert answer.status_code == 422
    assert "见照片" in answer.content.decode()
    assert 'id="supplement_photo_error"' in answer.content.decode()
    assert Event.objects.filter(case=case).count() == 1


def test_the_same_addition_sent_twice_stands_once(client: Client, city: factories.City) -> None:
    case = factories.received()
    for _n in range(2):
        assert act(client, case, "supplement", note="又坏了一盏", key="k1") == 302
    assert page(client, case).count("又坏了一盏") == 1


def test_a_request_is_withdrawn(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    assert act(client, case, "withdraw") == 302
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert "您已撤回" in page(client, case)


def test_the_three_questions_of_the_callback_are_answered(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.CALLBACK, city)
    assert (
        act(client, case, "rate", contacted="true", solved="false", satisfaction="2", note="灯还是不亮")
        == 302
    )
    case.refresh_from_db()
    assert (case.contacted, case.solved, case.satisfaction) == (True, False, 2)


@pytest.mark.parametrize("missing", ["contacted", "solved", "satisfaction"])
def test_a_question_left_open_is_asked_again_and_the_rest_is_kept(
    client: Client, city: factories.City, missing: str
) -> None:
    case = factories.case_in(State.CALLBACK, city)
    fields = {"contacted": "true", "solved": "false", "satisfaction": "2", "note": "灯还是不亮"}
    del fields[missing]
    unlock(client, case)
    answer = client.post(f"/t/{codes.written(case.code)}/rate/", fields)
    assert answer.status_code == 422
    assert "灯还是不亮" in answer.content.decode()
    assert f'id="rate_{missing}_error"' in answer.content.decode()
    case.refresh_from_db()
    assert case.satisfaction is None


def test_an_objection_waits_for_its_answer(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.CLOSED, city)
    assert act(client, case, "appeal", note="没有人联系过我") == 302
    case.refresh_from_db()
    assert case.appealed_at is not None
    assert "您提出了意见" in page(client, case)


@pytest.mark.parametrize(
    ("state", "action"), [(State.SIGNED, "rate"), (State.ARCHIVED, "withdraw"), (State.SIGNED, "appeal")]
)
def test_what_cannot_be_done_now_is_refused_with_a_reason(
    client: Client, city: factories.City, state: State, action: str
) -> None:
    case = factories.case_in(state, city)
    fields = {"note": "x", "contacted": "true", "solved": "true", "satisfaction": "5"}
    assert act(client, case, action, **fields) == 409
    assert action not in re.findall(r'action="/t/[^/]+/(\w+)/"', page(client, case))


@pytest.mark.parametrize("action", ["close", "dispatch", "approve", "archive", "nonsense"])
def test_the_code_opens_no_step_of_the_staff(client: Client, city: factories.City, action: str) -> None:
    case = factories.case_in(State.CALLBACK, city)
    assert act(client, case, action, satisfaction="5") == 404
    case.refresh_from_db()
    assert case.state == State.CALLBACK


def test_an_empty_addition_is_refused_and_the_form_stands_open(client: Client, city: factories.City) -> None:
    case = factories.received()
    unlock(client, case)
    answer = client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": "  \x00 "})
    assert answer.status_code == 422
    assert '<details class="action" open>' in answer.content.decode()


def test_a_late_reply_shows_as_overdue(client: Client, city: factories.City) -> None:
    long_ago = factories.NOW - dt.timedelta(days=60)
    assert "超期" in page(client, factories.case_in(State.SIGNED, city, long_ago))


@pytest.mark.parametrize(
    ("decision", "kept"), [("cover", "请打****，谢谢"), ("leave", "请打138 0013 2210，谢谢")]
)
def test_a_number_typed_into_an_addition_is_offered_to_be_covered(
    client: Client, city: factories.City, decision: str, kept: str
) -> None:
    case = factories.case_in(State.SIGNED, city)
    unlock(client, case)
    address = f"/t/{codes.written(case.code)}/supplement/"
    sent = {"note": "请打138 0013 2210，谢谢", "key": "k1"}
    asked = client.post(address, sent)
    assert asked.status_code == 422
    assert "<strong>138 0013 2210</strong>" in asked.content.decode()
    assert not case.texts.filter(text__contains="谢谢").exists()
    assert client.post(address, {**sent, "numbers": decision}).status_code == 302
    assert case.texts.get(text__contains="谢谢").text == kept
