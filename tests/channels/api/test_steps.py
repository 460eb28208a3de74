"""Steps, splits and looks at the contact: made to the version seen, once, by whoever may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from lucheng.core.privacy.models import Reveal
from tests import factories
from tests.channels.api.conftest import Callers


def seen(case: Case) -> str:
    return f'"{case.version}"'


def test_a_step_moves_the_case_and_its_version(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.DISPATCHED, city)
    answer = caller("handler").post(f"/cases/{case.number}/actions/sign", {}, if_match=seen(case))
    assert answer.status == 200
    assert answer.json["state"] == {"code": "signed", "name": "being handled"}
    assert answer.json["version"] == case.version + 1
    assert answer.headers["ETag"] == f'"{case.version + 1}"'
    case.refresh_from_db()
    assert (case.state, case.handler) == ("signed", city.people["handler"])


def test_a_step_takes_its_fields(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.RECEIVED, city)
    who = caller("dispatcher")
    accepted = who.post(
        f"/cases/{case.number}/actions/accept", {"matter": factories.NO_RULE}, if_match=seen(case)
    )
    heating = city.units["heating"]
    dispatched = who.post(
        f"/cases/{case.number}/actions/dispatch",
        {
            "lead_unit": heating.pk,
            "assist_units": [city.units["lighting"].code],
            "opinion": "商定由供热中心牵头",
        },
        if_match=accepted.headers["ETag"],
    )
    assert dispatched.status == 200, dispatched
    case.refresh_from_db()
    assert case.units == [heating.pk, city.units["lighting"].pk]


def test_a_step_names_the_version_seen(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.DISPATCHED, city)
    path = f"/cases/{case.number}/actions/sign"
    who = caller("handler")
    missing = who.post(path, {})
    assert (missing.status, missing.json["type"]) == (428, "/problems/version-missing")
    for wrong in ("3", 'W/"3"', '"three"', "*"):
        assert list(who.post(path, {}, if_match=wrong).faults) == ["If-Match"]
    stale = who.post(path, {}, if_match=f'"{case.version - 1}"')
    assert (stale.status, stale.json["type"]) == (409, "/problems/conflict")
    assert str(case.version) in stale.json["detail"]
    case.refresh_from_db()
    assert case.state == "dispatched"


@pytest.mark.django_db(transaction=True)
def test_two_people_sign_the_same_order_at_once_and_one_does(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.DISPATCHED, city)
    people = [caller("handler"), caller("colleague")]

    def sign(n: int) -> int:
        answer = people[n].post(f"/cases/{case.number}/actions/sign", {}, if_match=seen(case))
        connection.close()
        return answer.status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sign, range(2))) == [200, 409]
    assert Event.objects.filter(case=case, action="sign").count() == 1


def test_a_step_repeated_with_its_key_is_taken_once(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    path, who = f"/cases/{case.number}/actions/contact", caller("handler")
    sent = {"if_match": seen(case), "idempotency_key": "the-same-contact"}
    first = who.post(path, {"how": "phone"}, **sent)
    again = who.post(path, {"how": "phone"}, **sent)
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    assert Event.objects.filter(case=case, action="contact").count() == 1
    other = who.post(path, {"how": "visit"}, **{**sent, "if_match": first.headers["ETag"]})
    assert other.status == 409


def test_wrong_fields_are_named(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    who = caller("handler")

    def faults(action: str, body: object) -> dict[str, str]:
        answer = who.post(f"/cases/{case.number}/actions/{action}", body, if_match=seen(case))
        assert answer.status == 422, answer
        return answer.faults

    assert faults("reply", {}).keys() == {"handling", "public_reply"}
    assert faults("reply", {"handling": ["a"], "public_reply": "修好了", "colour": "red"}).keys() == {
        "handling",
        "colour",
    }
    assert faults("contact", {"how": [1]}) == {"how": "Choose one of: phone, visit, message."}
    assert faults("contact", {"how": {"phone": True}}).keys() == {"how"}
    assert faults("extend", {"days": "a few", "reason": "x", "person_told": "perhaps"}).keys() == {
        "days",
        "person_told",
    }
    assert faults("extend", {"days": 11, "reason": "等待配件", "person_told": True}).keys() == {"days"}
    assert faults("contact", ["how"]) == {"": "Send an object with named fields here."}


def test_what_the_database_cannot_hold_is_refused(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.ACCEPTED, city)
    for unit in ("\x00", "9" * 18):
        answer = caller("dispatcher").post(
            f"/cases/{case.number}/actions/dispatch", {"lead_unit": unit, "opinion": "x"}, if_match=seen(case)
        )
        assert answer.status in (400, 422), answer


@pytest.mark.parametrize(
    ("name", "action", "status"),
    [
        ("stoker", "sign", 404),  # another unit's case is not there
        ("supervisor", "sign", 403),
        ("handler", "approve", 409),  # the case does not stand there
        ("handler", "follow", 409),
        ("handler", "fly", 404),
        ("administrator", "sign", 403),
    ],
)
def test_a_step_that_may_not_be_taken(
    caller: Callers, city: factories.City, name: str, action: str, status: int
) -> None:
    case = factories.case_in(State.DISPATCHED, city)
    answer = caller(name).post(f"/cases/{case.number}/actions/{action}", {}, if_match=seen(case))
    assert answer.status == status, answer
    case.refresh_from_db()
    assert case.state == "dispatched"


def test_a_message_is_split_into_its_matters(caller: Callers, city: factories.City) -> None:
    case = factories.received(content="路灯不亮，暖气也不热。")
    path, parts = f"/cases/{case.number}/split", {"parts": [{"title": "暖气", "content": "暖气不热。"}]}
    who = caller("dispatcher")
    assert who.post(path, parts).status == 428
    assert who.post(path, {"parts": []}, if_match=seen(case)).faults == {"parts": "Send at least 1 of these."}
    assert who.post(path, {"parts": [{"title": "x"}]}, if_match=seen(case)).faults == {
        "parts.0.content": "This is missing."
    }
    assert who.post(path, {"parts": [{"content": " "}]}, if_match=seen(case)).faults.keys() == {"content"}
    made = who.post(path, parts, if_match=seen(case))
    assert made.status == 201, made
    part = Case.objects.get(number=made.json[0]["number"])
    assert (part.parent, part.content, part.place) == (case, "暖气不热。", case.place)
    assert who.get(f"/cases/{case.number}").json["parts"] == [part.number]
    assert who.post(path, parts, if_match=seen(case)).status == 409


def test_the_contact_is_shown_for_a_reason_that_is_kept(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    path, who = f"/cases/{case.number}/reveal", caller("handler")
    assert list(who.post(path, {"reason": "x"}).faults) == ["reason"]
    assert list(who.post(path, {}).faults) == ["reason"]
    assert not Reveal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_look_at_the_contact_is_committed_before_it_is_answered(
    caller: Callers, city: factories.City
) -> None:
    case = factories.case_in(State.SIGNED, city)
    answer = caller("handler").post(f"/cases/{case.number}/reveal", {"reason": "上门前联系诉求人"})
    seen = {"name": "测试人", "phone": "13800000000", "address": None}
    assert answer.json == {**seen, "version": case.version + 1}
    assert answer.headers["Cache-Control"] == "no-store"
    look = Reveal.objects.get()
    assert (look.person, look.reason) == (city.people["handler"], "上门前联系诉求人")
    assert (look.unit, look.role) == (city.units["utilities"], "handler")
    assert Event.objects.filter(case=case, action="contact_revealed", actor=city.people["handler"]).exists()


def test_who_may_not_look_at_the_contact(caller: Callers, city: factories.City) -> None:
    secret = factories.case_in(State.SIGNED, city, confidential=True)
    anonymous = factories.case_in(State.SIGNED, city, anonymous=True, phone="", name="", channel="web")
    why = {"reason": "上门前联系诉求人"}
    assert caller("handler").post(f"/cases/{secret.number}/reveal", why).status == 403
    assert caller("stoker").post(f"/cases/{secret.number}/reveal", why).status == 404
    assert caller("handler").post(f"/cases/{anonymous.number}/reveal", why).status == 404
    assert not Reveal.objects.exists()
