"""Lists and single cases: what the caller's posts show and no more, in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from lucheng.core.cases import engine
from lucheng.core.cases.models import Case, State
from lucheng.core.organisation.models import Interest
from tests import factories
from tests.channels.api.conftest import Answer, Caller, Callers


def queries_of(ask: Callable[[], Answer]) -> int:
    ask()  # what is held in memory is filled
    with CaptureQueriesContext(connection) as found:
        assert ask().status == 200
    return len([q for q in found if "revisions_revision" not in q["sql"]])


def numbers(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [case["number"] for case in answer.json["cases"]]


def test_a_list_makes_as_many_queries_for_a_hundred_cases_as_for_one(caller: Callers) -> None:
    who = caller("dispatcher")
    factories.received()
    one = queries_of(lambda: who.get("/cases?limit=100"))
    for n in range(99):
        factories.received(content=f"第{n}盏路灯不亮")
    assert len(numbers(who.get("/cases?limit=100"))) == 100
    assert queries_of(lambda: who.get("/cases?limit=100")) == one


def test_a_case_makes_as_many_queries_with_a_long_history_as_with_a_short_one(
    caller: Callers, city: factories.City
) -> None:
    who = caller("dispatcher")
    short, long = factories.case_in(State.SIGNED, city), factories.case_in(State.CALLBACK, city)
    assert queries_of(lambda: who.get(f"/cases/{short.number}")) == queries_of(
        lambda: who.get(f"/cases/{long.number}")
    )


def test_a_list_holds_nothing_of_the_requester(caller: Callers) -> None:
    factories.received(confidential=True, address="钢铁大街18号", title="不要外传", name="秘密人")
    body = caller("dispatcher").get("/cases").body.decode()
    assert "confidential" in body
    for secret in ("138", "秘密人", "钢铁大街", "不要外传", "三天", "phone_mask"):
        assert secret not in body


def test_lists_and_cases_obey_the_posts(caller: Callers, city: factories.City) -> None:
    west = factories.case_in(State.SIGNED, city)
    east = factories.received(place=factories.SUMU + "001001")
    secret = factories.received(confidential=True)
    seen = {
        name: set(numbers(caller(name).get("/cases")))
        for name in ("dispatcher", "east_dispatcher", "west_dispatcher", "handler", "stoker", "grid_worker")
    }
    assert seen == {
        "dispatcher": {west.number, east.number, secret.number},
        "east_dispatcher": {east.number},
        "west_dispatcher": {west.number, secret.number},
        "handler": {west.number},
        "stoker": set(),
        "grid_worker": set(),
    }
    for name, visible in seen.items():
        for case in (west, east, secret):
            answer = caller(name).get(f"/cases/{case.number}")
            assert answer.status == (200 if case.number in visible else 404), (name, case)


def test_who_has_no_post_that_shows_cases_is_told_so(caller: Callers) -> None:
    for path in ("/cases", "/queues", "/cases/26030200000001"):
        assert caller("administrator").get(path).status == 403


def test_an_accused_units_people_do_not_find_the_case(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(
        State.RECEIVED, city, nature="complaint", accused_unit=city.units["utilities"].pk
    )
    Interest.objects.create(person=city.people["operator"], unit=city.units["utilities"])
    for name in ("handler", "operator"):
        assert caller(name).get(f"/cases/{case.number}").status == 404
        assert case.number not in numbers(caller(name).get("/cases"))
    assert caller("dispatcher").get(f"/cases/{case.number}").status == 200


def test_filters_narrow_the_list(caller: Callers, city: factories.City) -> None:
    signed = factories.case_in(State.SIGNED, city)
    new = factories.received(place=factories.SUMU + "001001")
    closed = factories.case_in(State.CLOSED, city)
    who = caller("dispatcher")
    utilities, handler = city.units["utilities"].pk, city.people["handler"].pk
    for query, expected in {
        "": {signed, new},
        "open=false": {signed, new, closed},
        "state=signed": {signed},
        "queue=new": {new},
        "queue=in_hand": {signed},
        "place=990102": {new},
        "place=99010100100100": {signed},
        f"matter={factories.LAMP[:2]}": {signed},
        f"unit={utilities}": {signed},
        f"handler={handler}": {signed},
        f"number={closed.number}&open=false": {closed},
        "kind=grids.finding": set(),
    }.items():
        assert set(numbers(who.get(f"/cases?{query}"))) == {c.number for c in expected}, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("queue=nothing", "queue"),
        ("state=sleeping", "state"),
        ("place=99'--", "place"),
        ("matter=x", "matter"),
        ("unit=0", "unit"),
        ("unit=99999999999999999999", "unit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("open=perhaps", "open"),
        ("after=nonsense", "after"),
        ("after=WyJub3ciLDFd", "after"),
        ("number=%00", "number"),
        ("kind=%00", "kind"),
    ],
)
def test_a_wrong_filter_is_named(caller: Callers, query: str, field: str) -> None:
    answer = caller("dispatcher").get(f"/cases?{query}")
    assert answer.status == 422
    assert list(answer.faults) == [field]


@pytest.mark.parametrize("query", ["", "&open=false"])
def test_pages_follow_one_another_without_gap_or_repetition(caller: Callers, query: str) -> None:
    made = [factories.received(factories.NOW + dt.timedelta(minutes=n // 2)).number for n in range(7)]
    Case.objects.filter(number__in=made[:2]).update(due_at=None)
    who, after, pages = caller("dispatcher"), "", []
    while True:
        answer = who.get(f"/cases?limit=3{query}&after={after}")
        pages.append(numbers(answer))
        after = answer.json["next"]
        if after is None:
            break
        factories.received(
            factories.NOW - dt.timedelta(days=1) if query else factories.NOW - dt.timedelta(days=9)
        )
    found = [number for page in pages for number in page if number in made]
    assert [len(page) for page in pages][:2] == [3, 3]
    assert sorted(found) == sorted(made)
    whole = numbers(who.get(f"/cases?limit=100{query}"))
    assert found == [number for number in whole if number in made]


def test_counting_stops_at_a_thousand(caller: Callers) -> None:
    who = caller("dispatcher")
    factories.received()
    assert {k: who.get("/cases").json[k] for k in ("count", "more")} == {"count": 1, "more": False}
    with connection.cursor() as cursor:
        columns = [
            f.column
            for f in Case._meta.concrete_fields
            if f.name not in ("id", "number", "code", "open", "idempotency_key")
        ]
        cursor.execute(
            f"insert into cases_case (id, number, code, {', '.join(columns)}) "
            f"select 900000000 + n, 'x' || n, 'x' || n, {', '.join(columns)} "
            "from cases_case, generate_series(1, 1000) n"
        )
    answer = who.get("/cases").json
    assert (answer["count"], answer["more"]) == (1000, True)
    new = next(q for q in who.get("/queues").json if q["queue"] == "new")
    assert (new["count"], new["more"]) == (1000, True)


def test_a_case_is_shown_whole_save_its_contact(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.REPLIED, city)
    answer = caller("dispatcher").get(f"/cases/{case.number}")
    assert answer.headers["ETag"] == f'"{case.version}"'
    assert answer.headers["Cache-Control"] == "no-store"
    shown = answer.json
    assert shown["contact"] == {
        "anonymous": False,
        "phone_mask": "138****0000",
        "has_name": True,
        "has_address": False,
    }
    assert "13800000000" not in answer.body.decode() and "测试人" not in answer.body.decode()
    assert shown["state"] == {"code": "replied", "name": "handled, to be reviewed"}
    assert shown["ruling"]["lead_unit"]["name"] == "鹿原市城市管理局"
    assert [a["unit"]["name"] for a in shown["assists"]] == ["鹿原市城市照明公司"]
    assert {c["kind"]["code"]: c["state"]["code"] for c in shown["clocks"]}["reply"] == "met"
    assert {"seq": 6, "name": "public_reply", "text": "路灯已修好。"} in shown["texts"]
    assert {s["action"] for s in shown["actions"]} >= {"approve", "send_back"}
    approve = next(s for s in shown["actions"] if s["action"] == "approve")
    assert [f["name"] for f in approve["takes"]] == ["note"]


def test_what_a_case_shows_is_enough_to_verify_its_chain(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.CLOSED, city)
    shown = caller("dispatcher").get(f"/cases/{case.number}").json
    prev = bytes(32)
    for event in shown["events"]:  # as docs/api.md says it, without any of our code
        at = dt.datetime.fromisoformat(event["at"]).astimezone(dt.UTC).isoformat(timespec="microseconds")
        said = [
            shown["id"],
            event["seq"],
            at,
            event["actor_id"],
            event["role"],
            event["action"],
            event["body"],
        ]
        content = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        assert event["prev"] == prev.hex()
        prev = hashlib.sha256(prev + content).digest()
        assert event["hash"] == prev.hex()
    assert len(shown["events"]) == case.chain_length


def test_the_mask_of_a_confidential_requester_is_the_hotlines_alone(
    caller: Callers, city: factories.City
) -> None:
    case = factories.case_in(State.SIGNED, city, confidential=True)
    assert caller("operator").get(f"/cases/{case.number}").json["contact"]["phone_mask"] == "138****0000"
    assert caller("handler").get(f"/cases/{case.number}").json["contact"]["phone_mask"] == ""


def test_linked_orders_are_named_where_they_may_be_seen(caller: Callers, city: factories.City) -> None:
    merged = factories.case_in(State.MERGED, city)
    main = merged.main
    assert main is not None
    who = caller("dispatcher")
    assert who.get(f"/cases/{merged.number}").json["main"] == main.number
    assert who.get(f"/cases/{main.number}").json["merged"] == [merged.number]
    elsewhere = factories.case_in(State.ACCEPTED, city, place=factories.SUMU + "001001")
    factories.step(factories.received(), "merge", "dispatcher", city, main=elsewhere.number)
    assert caller("east_dispatcher").get(f"/cases/{elsewhere.number}").json["merged"] == []
    assert len(caller("dispatcher").get(f"/cases/{elsewhere.number}").json["merged"]) == 1


def test_orders_out_of_sight_are_withheld_from_the_history_too(caller: Callers, city: factories.City) -> None:
    far = factories.case_in(State.ACCEPTED, city, place=factories.SUMU + "001001")
    near = factories.received(fields={"same_as": far.number})
    near = factories.step(near, "merge", "dispatcher", city, main=far.number)
    shown = caller("west_dispatcher").get(f"/cases/{near.number}")
    assert far.number not in shown.body.decode()
    assert shown.json["withheld"] == ["main", "fields.same_as"]
    assert shown.json["main"] is None and shown.json["fields"] == {"same_as": None}
    merge = shown.json["events"][-1]
    assert (merge["body"]["main"], merge["withheld"]) == (None, ["main"])
    whole = caller("dispatcher").get(f"/cases/{near.number}").json
    assert (whole["withheld"], whole["main"], whole["fields"]) == ([], far.number, {"same_as": far.number})
    assert (whole["events"][-1]["body"]["main"], whole["events"][-1]["withheld"]) == (far.number, [])


def test_parts_and_the_order_they_came_from_are_named_to_whoever_sees_them(
    caller: Callers, city: factories.City
) -> None:
    whole = factories.received()
    part, moved = engine.split(
        whole.number,
        [{"content": "楼道灯不亮"}, {"content": "垃圾没人清运"}],
        actor=city.people["dispatcher"],
        scope=city.scope("dispatcher"),
        version=whole.version,
        now=factories.NOW,
    )
    Case.objects.filter(pk=moved.pk).update(place=factories.SUMU + "001001")
    who = caller("west_dispatcher")
    shown = who.get(f"/cases/{whole.number}").json
    assert shown["parts"] == [part.number] and shown["withheld"] == []
    assert shown["events"][-1]["body"]["parts"] == [part.number, None]
    assert shown["events"][-1]["withheld"] == ["parts"]
    first = caller("east_dispatcher").get(f"/cases/{moved.number}").json
    assert (first["parent"], first["withheld"]) == (None, ["parent"])
    assert (first["events"][0]["body"]["parent"], first["events"][0]["withheld"]) == (None, ["parent"])


@pytest.mark.django_db(transaction=True)
def test_why_somebody_looked_is_for_whoever_may_look_too(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city, confidential=True)
    looked = caller("operator").post(f"/cases/{case.number}/reveal", {"reason": "核实地址"})
    assert looked.status == 200
    seen = caller("operator").get(f"/cases/{case.number}").json["events"][-1]
    assert seen["body"]["reason"] == "核实地址" and seen["withheld"] == []
    shown = caller("handler").get(f"/cases/{case.number}")
    assert "核实地址" not in shown.body.decode()
    event = shown.json["events"][-1]
    assert event["body"] == {"reason": None, "fields": None} and event["withheld"] == ["fields", "reason"]
    assert event["action"] == "contact_revealed" and event["hash"] == seen["hash"]


@pytest.mark.parametrize("number", ["26030299999999", "0" * 20])
def test_an_unknown_number_is_not_found(caller: Callers, number: str) -> None:
    answer = caller("dispatcher").get(f"/cases/{number}")
    assert (answer.status, answer.json["type"]) == (404, "/problems/not-found")
    assert number in answer.json["detail"]


@pytest.mark.parametrize("number", ["x", "2603020000000a", "%00", "1" * 21])
def test_what_is_no_number_is_refused(caller: Callers, number: str) -> None:
    assert list(caller("dispatcher").get(f"/cases/{number}").faults) == ["number"]


def test_names_are_in_the_language_of_the_caller(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.DISPATCHED, city)
    shown: dict[str, Any] = {
        language: caller("dispatcher", language).get(f"/cases/{case.number}").json
        for language in ("zh", "en")
    }
    assert shown["zh"]["matter"]["name"] == "路灯不亮"
    assert shown["en"]["matter"]["name"] == "Street lamp out"
    assert re.search("[一-鿿]", shown["zh"]["state"]["name"])
    assert shown["en"]["state"]["name"] == "to be signed for"


def test_photographs_are_added_and_fetched(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    handler = caller("handler")
    added = photograph(handler, case, picture())
    assert added.status == 201, added
    assert "exif" not in added.body.decode().lower()
    again = photograph(handler, case, picture())
    assert (again.status, again.json) == (201, added.json)
    shown = handler.get(f"/cases/{case.number}").json
    assert shown["attachments"] == [added.json]
    fetched = handler.get(f"/cases/{case.number}/attachments/{added.json['sha256']}")
    assert (fetched.status, fetched.headers["Content-Type"]) == (200, "image/jpeg")
    assert fetched.body[:2] == b"\xff\xd8"
    assert caller("stoker").get(f"/cases/{case.number}/attachments/{added.json['sha256']}").status == 404
    assert handler.get(f"/cases/{case.number}/attachments/{'0' * 64}").status == 404


def test_what_is_no_photograph_is_refused(caller: Callers, city: factories.City) -> None:
    case = factories.case_in(State.SIGNED, city)
    handler = caller("handler")
    assert list(photograph(handler, case, b"MZ not a picture").faults) == ["photo"]
    assert list(photograph(handler, case, picture(), part="file").faults) == ["photo"]
    assert handler.post(f"/cases/{case.number}/attachments", {"photo": "x"}).status == 415
    too_large = photograph(handler, case, picture() + b"\0" * (21 * 1024 * 1024))
    assert (too_large.status, too_large.json["type"]) == (413, "/problems/too-large")
    assert photograph(caller("stoker"), case, picture()).status == 404


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "orange").save(out, "PNG")
    return out.getvalue()


def photograph(who: Caller, case: Case, content: bytes, part: str = "photo") -> Answer:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="{part}"; filename="a.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode() + content
    return who.post(
        f"/cases/{case.number}/attachments",
        body + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
