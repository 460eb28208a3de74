"""Whoever asks about their own data is answered by the officer alone, who reads no case and can prove what was done."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from lucheng.core.cases import engine, intake, public, queries
from lucheng.core.cases.models import Case, State
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.ledger import verify
from lucheng.core.ledger.models import Event, Message
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import contacts, retention, rights
from lucheng.core.privacy.cases import REQUEST
from lucheng.core.privacy.cli import privacy
from lucheng.core.privacy.models import Contact, Reveal, Tombstone
from lucheng.core.triage import lookalikes
from tests import factories
from tests.factories import CITY, NOW, WEST, City, case_in, received

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "13800000000"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS, settings.DESTROYED = tmp_path / "attachments", tmp_path / "destroyed"


@pytest.fixture
def city() -> City:
    made = factories.city()
    made.people["officer"] = factories.person("officer", "data_protection_officer", CITY)
    return made


def asked(cases: list[Case], right: str = "delete", words: str = "请删除", key: str = "k") -> Case:
    for case in cases:
        case.refresh_from_db()
    made = rights.ask(cases, right, words, address="10.0.0.1", language="zh", now=NOW, key=key)
    return Case.objects.select_related("contact").get(pk=made.id)


def by(city: City, name: str = "officer") -> dict[str, Any]:
    return {"person": city.people[name], "scope": city.scope(name), "now": NOW}


def answered(city: City, request: Case, action: str = "grant", **fields: str) -> Case:
    request.refresh_from_db()
    return engine.act(
        request.number,
        action,
        fields or {"answer": "已按您的要求办理。"},
        actor=city.people["officer"],
        scope=city.scope("officer"),
        version=request.version,
        now=NOW,
    )


def test_a_request_has_the_requesters_contact_a_clock_of_its_own_and_is_made_once(city: City) -> None:
    order = received()
    request = asked([order])
    assert (request.kind, request.kept_by, request.place) == (REQUEST.code, "privacy.requests", CITY)
    assert contacts.same_number(request.contact, order.contact)
    assert not request.anonymous
    clock = Clock.objects.get(case=request)
    assert (clock.kind, clock.amount, clock.unit) == ("reply", 15, "working_days")
    assert request.due_at == clock.due_at
    assert request.matter == "" and not hasattr(request, "alarm")
    assert Message.objects.filter(case=request, template="received").count() == 1
    again = rights.ask([order], "delete", "请删除", address="10.0.0.1", language="zh", now=NOW, key="k")
    assert again.repeated and again.number == request.number
    assert Message.objects.filter(case=request, template="received").count() == 1


@pytest.mark.parametrize(
    ("right", "words", "at"), [("own", "x", "right"), ("correct", " ", "words"), ("explain", "", "words")]
)
def test_what_is_not_said_is_asked_for_and_nothing_is_made(
    city: City, right: str, words: str, at: str
) -> None:
    order = received()
    with pytest.raises(Invalid) as refused:
        asked([order], right, words)
    assert list(refused.value.fields) == [at]
    assert not Case.objects.exclude(pk=order.pk).exists()


def test_nobody_but_who_keeps_it_sees_a_request_and_they_see_nothing_else(city: City) -> None:
    order = case_in(State.SIGNED, city)
    request = asked([order])
    factories.person("western", "data_protection_officer", WEST)
    for name in [*city.people, "western"]:
        scope = rights_scope(name)
        expected = {request.pk} if name == "officer" else set()
        seen = set(queries.visible(scope).values_list("pk", flat=True))
        assert (request.pk in seen) == bool(expected)
        assert scope.allows("case.view", request) == bool(expected)
        assert not (name in ("officer", "western") and order.pk in seen)
        assert not scope.allows("privacy.requests", order)
    officer = city.scope("officer")
    assert {r.action for r in engine.actions_for(request, officer)} == {
        *("grant", "refuse", "supplement", "withdraw")
    }
    assert engine.actions_for(order, officer) == []


def rights_scope(name: str) -> Any:
    from lucheng.core.organisation.access import scope_of

    return scope_of(Person.objects.get(username=name))


def test_no_program_may_say_that_it_has_seen_who_asks(city: City) -> None:
    def create(fields: dict[str, Any], **more: Any) -> None:
        intake.create(
            intake.NewCase(
                kind=REQUEST.code, nature="other", content="请删除", anonymous=True, fields=fields, **more
            ),
            actor=city.people["operator"],
            role="operator",
            now=NOW,
        )

    for fields, at in [
        ({}, "fields.right"),
        ({"right": "delete", "shown": "code"}, "fields.shown"),
        ({"right": "delete", "about": "1"}, "fields.about"),
        ({"right": "delete", "about": ["1 or 1"]}, "fields.about"),
        ({"right": "delete", "about": ["1"] * 101}, "fields.about"),
        ({"right": "delete", "score": 1}, "fields.score"),
    ]:
        with pytest.raises(Invalid) as refused:
            create(fields)
        assert list(refused.value.fields) == [at]
    with pytest.raises(Invalid) as refused:
        create({"right": "delete"}, matter=factories.LAMP, dispatch=True)
    assert list(refused.value.fields) == ["dispatch"]
    create({"right": "delete"})
    assert Case.objects.get().kept_by == "privacy.requests"


def test_the_officer_sees_what_is_held_and_whether_the_number_is_the_same_but_not_what_was_said(
    city: City,
) -> None:
    mine = case_in(State.CLOSED, city, content="鹿苑小区路灯不亮")
    theirs = received(phone="13900000001")
    nobodys = received(phone="", name="", anonymous=True, channel="web")
    request = asked([mine])
    request.fields["about"] = [mine.number, theirs.number, nobodys.number, "20990101999999"]
    found = {a.number: a for a in rights.about(request)}
    assert list(found) == [mine.number, theirs.number, nobodys.number]
    assert [a.same_number for a in found.values()] == [True, False, None]
    assert found[mine.number].contact == ("name", "phone") and found[mine.number].texts
    assert not found[mine.number].open and found[theirs.number].open
    assert "路灯" not in repr(found)


def test_a_list_of_orders_asks_as_much_for_one_as_for_twenty(city: City) -> None:
    def queries_of(n: int) -> int:
        request = asked([received() for _ in range(n)], key=str(n))
        with CaptureQueriesContext(connection) as counted:
            assert len(rights.about(request)) == n
        return len(counted)

    assert queries_of(1) == queries_of(20)


def test_what_is_deleted_leaves_a_tombstone_and_a_chain_that_verifies(city: City) -> None:
    order = case_in(State.CLOSED, city)
    request = asked([order])
    assert rights.delete(request, order.number, ["contact", "texts", "photographs"], **by(city)) == 2
    order.refresh_from_db()
    assert (order.content, order.title) == ("", "")
    assert contacts.left(Contact.objects.get(case=order)) == []
    stones = list(Tombstone.objects.filter(case=order).order_by("id"))
    assert [s.what for s in stones] == ["contact", "texts"]
    assert all("第四十七条" in s.basis and s.approved_by == city.people["officer"] for s in stones)
    assert all(s.settled_at is not None for s in stones)
    body = Event.objects.filter(case=order, action="destroyed").first().body  # type: ignore[union-attr]
    assert body["request"] == request.number
    assert rights.delete(request, order.number, ["contact"], **by(city)) == 0
    assert [str(f) for f in verify.verify(verify.Tally())] == []


def test_what_is_still_needed_or_held_is_not_deleted(city: City) -> None:
    open_, held = received(), case_in(State.CLOSED, city)
    request = asked([open_, held])
    retention.hold(held.number, reason="行政诉讼 2026 行初 1 号", person=city.people["officer"], now=NOW)
    for case, expected in [(open_, Conflict), (held, Conflict)]:
        with pytest.raises(expected):
            rights.delete(request, case.number, ["contact"], **by(city))
    with pytest.raises(NotFound):
        rights.delete(request, case_in(State.CLOSED, city).number, ["contact"], **by(city))
    with pytest.raises(Invalid):
        rights.delete(request, held.number, ["everything"], **by(city))
    with pytest.raises(Forbidden):
        rights.delete(request, held.number, ["contact"], **by(city, "duty_officer"))
    assert not Tombstone.objects.exists()


def test_a_corrected_number_is_found_by_what_is_right_and_no_longer_by_what_was_wrong(city: City) -> None:
    order = received()
    request = asked([order], "correct", "号码错了一位")
    changed = rights.correct(request, order.number, {"phone": "139 0000 0001", "name": ""}, **by(city))
    assert changed == ["phone"]
    contact = Contact.objects.get(case=order)
    assert contact.phone_mask == "139****0001"
    assert contacts.ends_in(contact, "0001") and not contacts.ends_in(contact, "0000")
    assert bytes(contact.phone_index or b"") == contacts.phone_index("13900000001")
    assert contact.name is not None
    event = Event.objects.get(case=order, action="contact_corrected")
    assert event.body == {"fields": ["phone"], "request": request.number}
    assert "1390" not in json.dumps(event.body)
    for entered, at in [({"phone": "一三八"}, "phone"), ({}, "changed"), ({"state": "x"}, "changed")]:
        with pytest.raises(Invalid) as refused:
            rights.correct(request, order.number, entered, **by(city))
        assert list(refused.value.fields) == [at]
    assert [str(f) for f in verify.verify(verify.Tally())] == []


def test_a_contact_that_was_destroyed_is_not_made_again_by_a_correction(city: City) -> None:
    order = case_in(State.CLOSED, city)
    request = asked([order])
    rights.delete(request, order.number, ["contact"], **by(city))
    with pytest.raises(Conflict):
        rights.correct(request, order.number, {"name": "某某"}, **by(city))


def test_a_copy_is_made_of_the_orders_of_the_request_and_every_one_says_so(city: City) -> None:
    mine, other = received(content="我的一件事"), received(content="另一件事")
    request = asked([mine], "copy", "")
    file = io.BytesIO()
    rights.copy(request, file, **by(city))
    with zipfile.ZipFile(file) as found:
        told = json.loads(found.read("data.json"))["cases"]
    assert [c["number"] for c in told] == [mine.number]
    assert told[0]["requester"]["phone"] == PHONE
    assert Event.objects.filter(case=mine, action="exported").count() == 1
    assert not Event.objects.filter(case=other, action="exported").exists()
    assert request.number in Reveal.objects.get().reason


def test_an_answer_closes_the_request_tells_the_requester_and_ends_its_clock(city: City) -> None:
    order = received()
    request = answered(city, asked([order]))
    assert (request.state, request.closed_at, request.due_at) == ("closed", NOW, None)
    assert Clock.objects.get(case=request).state == "met"
    assert Message.objects.filter(case=request, template="answered").count() == 1
    with pytest.raises(Conflict):
        rights.delete(request, order.number, ["contact"], **by(city))


def test_a_refusal_says_its_ground_its_reason_and_the_path_that_is_open(city: City) -> None:
    request = asked([received()])
    with pytest.raises(Invalid) as refused:
        answered(city, request, "refuse", exemption="keeping_by_law", reason="法定保存期限未届满")
    assert list(refused.value.fields) == ["path"]
    request = answered(
        city,
        request,
        "refuse",
        exemption="keeping_by_law",
        reason="保存期限未届满",
        path="可向人民法院提起诉讼",
    )
    assert request.state == "closed"
    engine.act_as_requester(request.code, "appeal", {"note": "我不同意"}, now=NOW)
    request.refresh_from_db()
    assert request.appealed_at == NOW
    request = answered(city, request, "answer_objection", answer="已复核，维持。")
    assert request.appealed_at is None
    request = answered(city, request, "resume_request", reason="补充了证明")
    request.refresh_from_db()
    assert (request.state, request.open) == ("reopened", True)
    assert Clock.objects.filter(case=request, state="running").count() == 1


def test_what_somebody_asks_by_telephone_is_taken_down_for_them(city: City) -> None:
    order = received()
    entered = {"right": "access", "words": "", "channel": "phone", "name": "某某", "phone": PHONE}
    made = rights.enter(entered, [order.number], key="1", **by(city))
    request = Case.objects.select_related("contact").get(pk=made.id)
    assert request.intake_by == city.people["officer"]
    assert request.fields == {"right": "access", "about": [order.number]}
    assert [a.same_number for a in rights.about(request)] == [True]
    assert rights.enter(entered, [order.number], key="1", **by(city)).repeated
    with pytest.raises(Invalid) as refused:
        rights.enter(entered, ["20990101999999"], key="2", **by(city))
    assert list(refused.value.fields) == ["about"]
    with pytest.raises(Forbidden):
        rights.enter(entered, [], key="3", **by(city, "operator"))


def test_the_operator_of_the_server_sees_what_waits_and_not_what_was_said(city: City) -> None:
    request = asked([received()], words="我的秘密")
    done = answered(city, asked([received()], key="2"))
    shown = CliRunner().invoke(privacy, ["requests"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert request.number in shown.output and done.number not in shown.output
    assert "秘密" not in shown.output
    assert done.number in CliRunner().invoke(privacy, ["requests", "--all"], env={"COLUMNS": "200"}).output


def test_what_has_a_keeper_is_no_matter_of_the_street_even_where_a_matter_was_given(city: City) -> None:
    now = NOW
    for n in range(6):
        intake.create(
            intake.NewCase(
                kind=REQUEST.code,
                nature="other",
                content="请删除：鹿苑小区门口的路灯不亮",
                anonymous=True,
                matter=factories.LAMP,
                place=factories.GRID,
                fields={"right": "delete"},
            ),
            actor=city.people["operator"],
            role="operator",
            now=now,
            idempotency_key=f"kept:{n}",
        )
    assert public.neighbourhood(factories.COMMUNITY, public.PERIODS[0], now).cases is None
    assert not lookalikes.find_public("鹿苑小区门口的路灯不亮", factories.GRID, None, None, now=now)


def test_a_clock_that_runs_out_tells_no_unit(city: City) -> None:
    from datetime import timedelta

    from lucheng.core.clocks import sweep

    request = asked([received()])
    assert request.due_at is not None
    for day in range(0, 60, 5):
        sweep.sweep(request.due_at + timedelta(days=day))
    assert Event.objects.filter(case=request, action="clock.escalated").count() == 1
    assert not Message.objects.filter(case=request, channel="in_app").exists()
