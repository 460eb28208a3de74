"""What a resident may do without an account, and what they are never shown."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, State
from lucheng.core.privacy.models import Contact
from tests import factories
from tests.channels.api.conftest import Callers
from tests.factories import DIGITS


def report(**changes: Any) -> dict[str, Any]:
    return {"nature": "help", "content": "鹿苑小区3号楼前路灯不亮", "phone": "13800000000", **changes}


def test_a_report_becomes_a_work_order_with_a_code(caller: Callers) -> None:
    answer = caller(None).create(report(), "/public/cases")
    assert answer.status == 201
    assert answer.json.keys() == {"number", "code", "state", "place", "due_at"}
    case = Case.objects.get(number=answer.json["number"])
    assert codes.written(case.code) == answer.json["code"]
    assert answer.headers["Location"] == f"/api/v1/track/{answer.json['code']}"
    assert (case.kind, case.channel, case.place, case.intake_by) == (
        "command_centre.order",
        "web",
        factories.GRID,
        None,
    )
    assert Contact.objects.get(case=case).phone_mask == "138****0000"


@pytest.mark.parametrize(
    "field", ["kind", "channel", "matter", "urgency", "dispatch", "fields", "source_ref", "id", "state"]
)
def test_a_resident_decides_nothing_that_staff_decide(caller: Callers, field: str) -> None:
    answer = caller(None).create(report(**{field: "x"}), "/public/cases")
    assert answer.faults == {field: "There is no such field."}
    assert not Case.objects.exists()


def test_a_report_is_made_once(caller: Callers) -> None:
    who = caller(None)
    assert who.post("/public/cases", report()).status == 400
    first = who.create(report(), "/public/cases", idempotency_key="resident-key-1")
    again = who.create(report(), "/public/cases", idempotency_key="resident-key-1")
    other = who.create(report(content="别的"), "/public/cases", idempotency_key="resident-key-1")
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.json == again.json
    assert "code" not in other.json


def test_a_report_with_a_wrong_entry_says_where(caller: Callers) -> None:
    lon, lat = factories.OUTSIDE
    assert caller(None, "zh").create(report(lon=lon, lat=lat), "/public/cases").faults == {
        "lon": "该坐标点不在本市范围内，请选择市内地点。"
    }
    assert caller(None).create(report(content="  "), "/public/cases").faults.keys() == {"content"}


def test_a_case_is_followed_by_its_code_however_it_is_written(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.CALLBACK, city)
    written = codes.written(case.code)
    for code in (written, written.lower(), case.code, written.replace("-", "")):
        answer = caller(None).get(f"/track/{code}", phone_digits=DIGITS)
        assert answer.status == 200
        assert answer.json["number"] == case.number
    assert answer.json["public_reply"] == "路灯已修好。"
    assert {s["action"] for s in answer.json["actions"]} == {"supplement", "rate", "appeal"}


def test_a_code_shows_no_staff_no_contact_and_nothing_internal(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.CLOSED, city)
    body = caller(None).get(f"/track/{case.code}", phone_digits=DIGITS).body.decode()
    for hidden in (
        "138",
        "测试人",
        "更换灯泡",
        "照明公司已到场",
        '"handler"',
        "dispatcher",
        "operator",
        "actor",
    ):
        assert hidden not in body


@pytest.mark.parametrize("code", ["LC-0000-0000-0001", "x", "LC-7Q4K-29XM-5TAB", "1" * 200, "%00"])
def test_a_code_that_is_none_is_not_found(caller: Callers, code: str) -> None:
    answer = caller(None).get(f"/track/{code}")
    assert (answer.status, answer.json["type"]) == (404, "/problems/not-found")


def test_the_holder_of_the_code_rates_and_appeals(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.CALLBACK, city)
    who = caller(None)
    rated = who.post(
        f"/track/{case.code}/actions/rate", {"satisfaction": 2, "solved": False}, phone_digits=DIGITS
    )
    assert rated.status == 200, rated
    appealed = who.post(f"/track/{case.code}/actions/appeal", {"note": "还是不亮"}, phone_digits=DIGITS)
    assert appealed.status == 200
    case.refresh_from_db()
    assert (case.satisfaction, case.solved, case.appealed_at is not None) == (2, False, True)
    history = who.get(f"/track/{case.code}", phone_digits=DIGITS).json["history"]
    assert [(h["action"], h["text"]) for h in history][-2:] == [("rate", ""), ("appeal", "还是不亮")]


def test_a_resident_adds_once_with_one_key(caller: Callers) -> None:
    case = factories.received()
    who = caller(None)
    for _again in range(2):
        answer = who.post(
            f"/track/{case.code}/actions/supplement",
            {"note": "夜里很黑"},
            idempotency_key="resident-key-2",
            phone_digits=DIGITS,
        )
        assert answer.status == 200
    assert len(who.get(f"/track/{case.code}", phone_digits=DIGITS).json["history"]) == 1


def test_steps_of_the_staff_are_refused_to_the_holder_of_the_code(caller: Callers) -> None:
    case = factories.received()
    resident = {"phone_digits": DIGITS}
    answer = caller(None).post(f"/track/{case.code}/actions/accept", {}, **resident)
    assert (answer.status, answer.json["type"]) == (403, "/problems/forbidden")
    assert (
        caller(None).post(f"/track/{case.code}/actions/rate", {"satisfaction": "5"}, **resident).status == 409
    )
    assert caller(None).post(f"/track/{case.code}/actions/supplement", {}, **resident).faults.keys() == {
        "note"
    }


def test_too_many_reports_are_refused_until_it_is_said(caller: Callers, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "report.number": (1, dt.timedelta(hours=1))}
    who = caller(None)
    assert who.create(report(), "/public/cases").status == 201
    answer = who.create(report(), "/public/cases")
    assert (answer.status, answer.json["type"]) == (429, "/problems/limited")
    assert 3590 < int(answer.headers["Retry-After"]) <= 3600
    assert Case.objects.count() == 1


def test_the_code_alone_tells_state_unit_and_due_date_and_carries_nothing_out(
    caller: Callers, city: factories.City
) -> None:
    case = factories.case_in(State.SIGNED, city)
    who = caller(None)
    told = who.get(f"/track/{case.code}").json
    assert (told["state"]["code"], told["lead_unit"], told["digits_needed"]) == (
        "signed",
        "鹿原市城市管理局",
        True,
    )
    assert told["due_at"]
    assert not any(told[name] for name in ("number", "created_at", "public_reply", "history", "actions"))
    refused = who.post(f"/track/{case.code}/actions/withdraw", {})
    assert (refused.status, refused.json["type"]) == (403, "/problems/forbidden")
    assert "Phone-Digits" in refused.json["detail"]


def test_a_case_without_a_number_opens_by_its_code(caller: Callers) -> None:
    case = factories.received(phone="", name="", anonymous=True)
    told = caller(None).get(f"/track/{case.code}").json
    assert (told["number"], told["digits_needed"]) == (case.number, False)
    assert caller(None).post(f"/track/{case.code}/actions/supplement", {"note": "夜里很黑"}).status == 200


def test_wrong_digits_and_an_unknown_code_are_answered_alike_and_counted(caller: Callers) -> None:
    case, unknown = factories.received(), codes.new_code()
    who = caller(None)
    for tried in range(12):
        answers = [who.get(f"/track/{code}", phone_digits="1234") for code in (case.code, unknown)]
        assert answers[0].json == answers[1].json
        assert {a.status for a in answers} == {404 if tried < 10 else 429}
    assert int(answers[0].headers["Retry-After"]) > 0
    acted = who.post(f"/track/{case.code}/actions/withdraw", {}, phone_digits=DIGITS)
    assert acted.status == 429
