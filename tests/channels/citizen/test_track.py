"""Following a case by its code: what it tells, what it never tells, and what its requester may do."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lucheng.channels.citizen import story
from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from lucheng.core.revisions import snapshot
from tests import factories
from tests.channels.citizen.test_report import picture

STATES = [s for s in State if s not in (State.DRAFT,)]


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "zh-CN"})


def page(client: Client, case: Case) -> str:
    answer = client.get(f"/t/{codes.written(case.code)}/")
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, case: Case, action: str, **fields: str) -> int:
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
    client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": "601室也不热", "key": "a" * 32})
    told = page(client, case)
    assert "601室" in case.texts.get(name="note", seq=case.chain_length + 1).text
    by_code = client.get(f"/api/v1/track/{codes.written(case.code)}").content.decode()
    for read in (told, by_code):
        assert "恢复供热" in read and "201室" in read and "也不热" in read
        assert "501" not in read and "601" not in read


@pytest.mark.parametrize(
    ("text", "shown"),
    [("3号楼2单元", "3号楼2单元"), ("身份证15020319900101123X", "身份证1****"), ("12345热线", "12345热线")],
)
def test_only_long_numbers_are_covered(text: str, shown: str) -> None:
    assert story.without_numbers(text) == shown


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
    with django_assert_num_queries(6):
        page(client, case)
    for n in range(100):
        client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": f"补充{n}", "key": str(n)})
    assert Event.objects.filter(case=case).count() > 100
    with django_assert_num_queries(6):
        page(client, case)


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


# --- what the requester may do --------------------------------------------------------------------------------------


def test_information_is_added_and_read_again(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    assert act(client, case, "supplement", note="又坏了一盏") == 302
    assert "又坏了一盏" in page(client, case)


def test_a_photograph_is_added_later(client: Client, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    for _n in range(2):  # sent twice, kept once
        address = f"/t/{codes.written(case.code)}/supplement/"
        answer = client.post(address, {"note": "见照片", "photo": picture(), "key": "k1"})
        assert answer.status_code == 302
    assert case.attachments.count() == 1
    assert "<dt>照片</dt><dd>1</dd>" in page(client, case)


def test_a_bad_photograph_is_refused_and_the_words_stay(client: Client, city: factories.City) -> None:
    case = factories.received()
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
    answer = client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": "  \x00 "})
    assert answer.status_code == 422
    assert '<details class="action" open>' in answer.content.decode()


def test_a_late_reply_shows_as_overdue(client: Client, city: factories.City) -> None:
    long_ago = factories.NOW - dt.timedelta(days=60)
    assert "超期" in page(client, factories.case_in(State.SIGNED, city, long_ago))
