"""POST /cases: what is made, what is refused and in which words, who may, and that nothing is made twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from lucheng.channels.api import auth
from lucheng.core.cases import intake
from lucheng.core.cases.models import Case
from lucheng.core.clocks.models import Clock
from lucheng.core.ledger.models import Event, Message
from lucheng.core.organisation.models import ApiToken
from lucheng.core.privacy.models import Contact
from lucheng.core.triage.models import Advice
from tests import factories
from tests.channels.api.conftest import Callers, request


def lamp(**changes: Any) -> dict[str, Any]:
    """A caller's request about a street lamp, as a program sends it."""
    return {
        "kind": "command_centre.order",
        "nature": "help",
        "content": "鹿苑小区门口的路灯不亮，已经三天了。",
        "place": factories.GRID,
        **changes,
    }


def test_a_create_does_all_the_work_and_says_where_the_case_is(caller: Callers) -> None:
    answer = caller("dispatcher").create(
        lamp(name="测试人", phone="138 0000 0000", matter=factories.LAMP, dispatch=True, channel="phone")
    )
    assert answer.status == 201
    made = answer.json
    case = Case.objects.get(number=made["number"])
    assert answer.headers["Location"] == f"/api/v1/cases/{case.number}"
    assert answer.headers["ETag"] == f'"{case.version}"'
    assert (case.state, case.place, case.matter) == ("dispatched", factories.GRID, factories.LAMP)
    assert case.lead_unit is not None and case.lead_unit.name == made["lead_unit"] == "鹿原市城市管理局"
    assert case.intake_by is not None and case.intake_by.username == "dispatcher"
    contact = Contact.objects.get(case=case)
    assert contact.phone_mask == "138****0000"
    assert b"13800000000" not in bytes(contact.phone or b"")
    assert [e.action for e in Event.objects.filter(case=case).order_by("seq")] == [
        "create",
        "accept",
        "dispatch",
    ]
    assert {c.kind for c in Clock.objects.filter(case=case, state="running")} >= {"sign", "contact", "reply"}
    assert set(Message.objects.filter(case=case).values_list("template", flat=True)) == {
        "received",
        "dispatched_unit",
        "assist_unit",
    }
    assert Advice.objects.filter(case=case).exists()


def test_a_point_and_words_are_located(caller: Callers) -> None:
    lon, lat = factories.INSIDE_GRID
    by_point = caller("dispatcher").create(lamp(place="", lon=lon, lat=lat))
    by_words = caller("dispatcher").create(lamp(place="", content="鹿苑小区3号楼前路灯不亮"))
    assert by_point.json["place"] == by_words.json["place"] == factories.GRID


@pytest.mark.django_db(transaction=True)
def test_a_create_is_one_round_trip(caller: Callers) -> None:
    who = caller("dispatcher")
    # More often than the pool has connections: memory is filled, and the statement is prepared on each of them.
    for _warm in range(20):
        assert who.create(lamp(phone="13800000000")).status == 201
    with _traced() as round_trips:
        found = []
        for _again in range(3):  # once a second, what is held in memory is compared with the database
            before = round_trips()
            assert who.create(lamp(phone="13800000000")).status == 201
            found.append(round_trips() - before)
    assert min(found) == 1


@contextlib.contextmanager
def _traced() -> Iterator[Callable[[], int]]:
    """Counts what is sent to PostgreSQL over any connection of the pool, by the protocol's own trace."""
    pool = connection.pool  # type: ignore[attr-defined]
    lent = [pool.getconn() for _connection in range(pool.get_stats()["pool_size"])]
    with tempfile.TemporaryFile() as trace:

        def round_trips() -> int:
            trace.seek(0)
            lines = [line.split("\t") for line in trace.read().decode(errors="replace").splitlines()]
            return sum(line[1:2] == ["F"] and line[3:4] in (["Sync"], ["Query"]) for line in lines)

        for conn in lent:
            conn.pgconn.trace(trace.fileno())
            pool.putconn(conn)
        try:
            yield round_trips
        finally:
            for conn in lent:
                conn.pgconn.untrace()


# --- wrong input ----------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, Any, str]] = [
    ("kind", "no.such", "There is no kind of case “no.such”."),
    ("kind", 7, "Enter text here."),
    ("nature", "gossip", "Choose one of: inquiry, help, complaint, report, suggestion, praise, other."),
    ("content", "", "Say in a few words what is the matter."),
    ("content", " \n　\t ", "Say in a few words what is the matter."),
    ("content", None, "Enter text here."),
    (
        "content",
        "长" * 200_000,
        "This text has 200000 characters; at most 100000 can be kept. Please shorten it.",
    ),
    ("channel", "pigeon", "Choose one of: phone, web, api, grid, police, letter, superior, other."),
    ("title", ["a"], "Enter text here."),
    ("matter", "999999", "There is no matter with the code “999999”."),
    ("place", "9999", "There is no place with the code “9999”."),
    ("place", "9901'; drop table x--", "There is no place with the code “9901'; drop table x…”."),
    ("address", "长" * 201, "This text has 201 characters; at most 200 can be kept. Please shorten it."),
    ("lon", 110.0, "A point has both a longitude and a latitude."),
    ("lat", "north", "Enter a number."),
    ("name", "长" * 61, "This text has 61 characters; at most 60 can be kept. Please shorten it."),
    ("phone", "call me", "This is not a telephone number. Enter the digits of one number."),
    ("anonymous", "yes", "Say true or false."),
    ("confidential", 1, "Say true or false."),
    ("reply_wanted", None, "Say true or false."),
    ("collective", "no", "Say true or false."),
    ("dispatch", {}, "Say true or false."),
    ("language", "x\u0000y", "Write a language as zh, mn or en."),
    ("language", "a very long language", "Write a language as zh, mn or en."),
    ("urgency", "very", "Choose one of: ordinary, urgent, critical."),
    ("occurred_at", "2026-02-30", "Write a date and time with its zone, as 2026-07-09T08:30:00+08:00."),
    (
        "occurred_at",
        "2026-02-03T08:00:00",
        "Write a date and time with its zone, as 2026-07-09T08:30:00+08:00.",
    ),
    (
        "occurred_at",
        "2999-01-01T00:00:00Z",
        "Give the date and time at which it happened: it cannot lie ahead.",
    ),
    (
        "occurred_at",
        "0001-01-01T00:00:00+08:00",
        "Give the date and time at which it happened: it cannot lie ahead.",
    ),
    ("accused_unit", 10**30, "There is no unit with the number 1000000000000000000000000000000."),
    ("accused_unit", 999_999, "There is no unit with the number 999999."),
    ("accused_unit", "water", "Enter a whole number."),
    ("source_ref", "x" * 81, "This text has 81 characters; at most 80 can be kept. Please shorten it."),
    ("fields", [1], "Send an object with named fields here."),
    ("surname", "x", "There is no such field."),
]


def test_wrong_input_is_answered_at_its_field(caller: Callers) -> None:
    who = caller("dispatcher")
    for field, value, words in WRONG:
        answer = who.create(lamp(**{field: value}))
        assert answer.status == 422, (field, answer)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["type"] == "/problems/invalid"
        assert answer.faults == {field: words}
    assert not Case.objects.exists()


def test_every_wrong_field_is_named_at_once(caller: Callers) -> None:
    answer = caller("dispatcher").create(lamp(content="", place="9999", urgency="very"))
    assert answer.faults.keys() == {"content", "place", "urgency"}


def test_a_point_outside_the_city_is_refused(caller: Callers) -> None:
    lon, lat = factories.OUTSIDE
    answer = caller("dispatcher").create(lamp(place="", lon=lon, lat=lat))
    assert answer.faults == {"lon": "This point lies outside the city: choose a place inside it."}


@pytest.mark.parametrize("field", ["kind", "nature", "content"])
def test_what_is_always_needed_is_missed(caller: Callers, field: str) -> None:
    body = lamp()
    del body[field]
    assert caller("dispatcher").create(body).faults == {field: "This is missing."}


def test_a_caller_on_the_telephone_has_a_number_or_is_anonymous(caller: Callers) -> None:
    who = caller("dispatcher")
    refused = who.create(lamp(channel="phone"))
    assert refused.faults == {"phone": "Enter the caller's number, or mark the call as anonymous."}
    assert who.create(lamp(channel="phone", anonymous=True)).status == 201


def test_dispatch_at_once_needs_a_matter(caller: Callers) -> None:
    assert caller("dispatcher").create(lamp(dispatch=True)).faults == {
        "matter": "Choose the matter before you dispatch."
    }


def test_fifty_thousand_characters_are_kept_to_the_last(caller: Callers) -> None:
    text = "路灯不亮。" * 10_000
    answer = caller("dispatcher").create(lamp(content=text))
    assert answer.status == 201
    assert Case.objects.get(number=answer.json["number"]).content == text


def test_control_characters_go_and_markup_stays(caller: Callers) -> None:
    answer = caller("dispatcher").create(
        lamp(content="灯\u0000不\u0007亮\r\n<script>alert(1)</script>", fields={"笔记\u0000": ["a\u0000b"]})
    )
    case = Case.objects.get(number=answer.json["number"])
    assert case.content == "灯不亮\n<script>alert(1)</script>"
    assert case.fields == {"笔记": ["ab"]}


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(caller: Callers) -> None:
    answer = caller("dispatcher").create(lamp(content="x" * 1_100_000))
    assert (answer.status, answer.json["type"]) == (413, "/problems/too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"fields": {"a": ' + b"[" * 100_000,
        b'{"kind": "\xff"}',
        b'{"kind": "\\ud800"}',
        b"nothing",
    ],
)
def test_a_body_that_is_not_json_is_malformed(caller: Callers, body: bytes) -> None:
    answer = caller("dispatcher").create(body)
    assert (answer.status, answer.json["type"]) == (400, "/problems/malformed")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"'])
def test_a_body_that_is_no_object_says_so(caller: Callers, body: bytes) -> None:
    assert caller("dispatcher").create(body).faults == {"": "Send an object with named fields here."}


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_kind_of_content_is_refused(caller: Callers, declared: str) -> None:
    answer = caller("dispatcher").create(lamp(), content_type=declared)
    assert (answer.status, answer.json["type"]) == (415, "/problems/media-type")


def test_errors_are_in_the_language_of_the_caller_and_chinese_by_default(
    caller: Callers, city: factories.City
) -> None:
    key = factories.key(city.people["dispatcher"])
    said = {
        language: caller("dispatcher", language).create(lamp(content="")).json
        for language in ("en-GB", "zh-CN", "mn", "")
    }
    assert said["en-GB"]["title"] == "Please correct what was entered"
    assert said["zh-CN"] == said["mn"] == said[""]
    assert said["zh-CN"]["errors"][0]["detail"] == "请用几句话说明是什么事。"
    missing = request(
        "POST",
        "/api/v1/cases",
        b"{}",
        content_type="application/json",
        authorization=f"Bearer {key}",
        idempotency_key="12345678",
    )
    assert missing.headers["Content-Language"] == "zh-hans"
    assert missing.faults == {"kind": "此项必填。"}


# --- who may --------------------------------------------------------------------------------------------------------


def test_without_a_key_nobody_creates(caller: Callers) -> None:
    answer = caller(None).create(lamp())
    assert (answer.status, answer.json["type"]) == (401, "/problems/unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_unknown_an_expired_and_a_withdrawn_key_are_refused(caller: Callers, city: factories.City) -> None:
    person = city.people["dispatcher"]
    now = timezone.now()
    expired = factories.key(person, now - dt.timedelta(days=2), now - dt.timedelta(seconds=1))
    who = caller("dispatcher")
    assert who.create(lamp()).status == 201
    ApiToken.objects.filter(person=person, expires_at=None).delete()
    auth.forget()  # as after the few seconds for which a key is remembered
    for authorization in (f"Bearer {expired}", "Bearer lck_unknown", "Bearer ", who.headers["authorization"]):
        answer = caller(None).create(lamp(), authorization=authorization)
        assert (answer.status, answer.json["type"]) == (401, "/problems/unauthenticated")


def test_somebody_who_has_left_is_refused(caller: Callers, city: factories.City) -> None:
    who = caller("dispatcher")
    person = city.people["dispatcher"]
    person.is_active = False
    person.save()
    assert who.create(lamp()).status == 401


def test_a_post_without_the_right_may_not_create(caller: Callers) -> None:
    answer = caller("auditor").create(lamp())
    assert (answer.status, answer.json["type"]) == (403, "/problems/forbidden")


def test_a_post_creates_at_its_place_only(caller: Callers) -> None:
    worker = caller("grid_worker")
    lon, lat = factories.INSIDE_GRID
    finding = {"kind": "grids.finding", "nature": "finding", "content": "路灯不亮"}
    assert worker.create({**finding, "place": factories.GRID}).status == 201
    assert worker.create({**finding, "lon": lon, "lat": lat}).status == 201
    assert worker.create({**finding, "place": factories.EAST}).status == 403
    assert worker.create({**finding, "lon": lon + 0.02, "lat": lat}).status == 403
    assert worker.create(finding).faults == {
        "place": "Name the place: your posts do not hold for the whole city."
    }


def test_only_who_may_dispatch_dispatches_at_once(caller: Callers) -> None:
    body = lamp(matter=factories.LAMP, dispatch=True)
    assert caller("handler").create(body).status == 403
    assert caller("east_dispatcher").create(body).status == 403
    assert caller("west_dispatcher").create(body).status == 201


def test_a_session_needs_its_csrf_token(city: factories.City) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(city.people["dispatcher"])
    refused = client.post(
        "/api/v1/cases", lamp(), content_type="application/json", headers={"Idempotency-Key": "12345678"}
    )
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/csrf"
    client.get("/sign-in/")  # any page with a form sets the cookie
    client.get("/api/docs")
    token = client.cookies["csrftoken"].value
    made = client.post(
        "/api/v1/cases",
        lamp(),
        content_type="application/json",
        headers={"Idempotency-Key": "12345678", "X-CSRFToken": token},
    )
    assert made.status_code == 201
    assert Case.objects.get().intake_by == city.people["dispatcher"]


# --- once and only once ---------------------------------------------------------------------------------------------


def test_a_create_without_a_key_is_told_to_send_one(caller: Callers) -> None:
    answer = caller("dispatcher").post("/cases", lamp())
    assert (answer.status, answer.json["type"]) == (400, "/problems/key-missing")


@pytest.mark.parametrize("key", ["short", "x" * 81, "tab\there-is-one", "钥匙钥匙钥匙钥匙"])
def test_a_key_that_cannot_be_kept_is_refused(caller: Callers, key: str) -> None:
    assert list(caller("dispatcher").create(lamp(), idempotency_key=key).faults) == ["Idempotency-Key"]


def test_the_same_request_again_gets_the_first_answer(caller: Callers) -> None:
    who = caller("dispatcher")
    first = who.create(lamp(phone="13800000000"), idempotency_key="one-and-the-same")
    again = who.create(lamp(phone="13800000000"), idempotency_key="one-and-the-same")
    assert (first.status, again.status) == (201, 200)
    assert again.json == {**first.json, "repeated": True}
    assert (Case.objects.count(), Message.objects.count()) == (1, 1)


def test_a_request_without_an_address_is_the_one_that_an_earlier_version_was_sent() -> None:
    sent = intake.NewCase(
        kind="command_centre.order",
        nature="help",
        content="路灯不亮",
        phone="13800132210",
        occurred_at=dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC),
        fields={"a": 1},
    )
    # As release 0.1.0 reckoned it.
    assert intake._digest(sent).hex() == "93385c5972614455157991729a1a05ae08377319c959b8fc78d9a3318675d83d"
    moved = msgspec.structs.replace(sent, contact_address="青年路 9 号")
    assert intake._digest(moved) != intake._digest(sent)


def test_the_same_key_for_another_request_conflicts(caller: Callers) -> None:
    who = caller("dispatcher")
    who.create(lamp(), idempotency_key="one-and-the-same")
    other = who.create(lamp(content="另一件事"), idempotency_key="one-and-the-same")
    assert (other.status, other.json["type"]) == (409, "/problems/conflict")
    assert Case.objects.count() == 1


def test_two_programs_may_use_the_same_key(caller: Callers) -> None:
    assert caller("dispatcher").create(lamp(), idempotency_key="one-and-the-same").status == 201
    assert caller("operator").create(lamp(), idempotency_key="one-and-the-same").status == 201


@pytest.mark.django_db(transaction=True)
def test_the_same_create_twenty_times_at_once_makes_one_case(caller: Callers) -> None:
    who = caller("dispatcher")
    who.create(lamp(content="先来一件"))

    def send(_n: int) -> tuple[int, str]:
        answer = who.create(lamp(phone="13800000000"), idempotency_key="one-and-the-same")
        connection.close()
        return answer.status, answer.json["number"]

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(20)))
    assert sorted(status for status, _number in answers) == [200] * 19 + [201]
    assert len({number for _status, number in answers}) == 1
    assert Case.objects.count() == 2
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_has_cut_is_never_handed_out(caller: Callers) -> None:
    """A server that was restarted between two requests interrupts nobody; tests/system has one that stays away."""
    who = caller("dispatcher", "en")
    assert who.create(lamp()).status == 201
    _cut_every_connection()
    assert who.create(lamp(), idempotency_key="sent-twice").status == 201
    assert who.create(lamp(), idempotency_key="sent-twice").status == 200
    assert Case.objects.count() == 2


def _cut_every_connection() -> None:
    given = connection.get_connection_params()
    with psycopg.connect(
        dbname=given["dbname"],
        user=given.get("user"),
        host=given.get("host"),
        port=given.get("port"),
        autocommit=True,
    ) as other:
        other.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid()"
        )
