"""A small city for tests, and cases in it that have come to where they stand by the real life cycle.

The city is Luyuan (invented, code 9901): a district in the west and a banner in the east, each one township, two
communities and four grids, all squares on a map, so that a test can say where a point lies by looking at it::

    40.04 ┌──────────────────┬──────────────────┐      each county 0.04° × 0.04°
          │ community …001002│ gacha …001002    │      each community 0.04° × 0.02°
    40.02 ├──────────────────┼──────────────────┤      each grid 0.02° × 0.02°
          │ community …001001│ gacha …001001    │
    40.00 └──────────────────┴──────────────────┘
        110.00             110.04             110.08
              990101001           990102001
"""

from __future__ import annotations

import copy
import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Model
from django.test import Client
from shapely import box, to_wkb

from lucheng.core.cases import engine, intake
from lucheng.core.cases.models import Case, Channel, Nature, State
from lucheng.core.clocks import pack as clocks
from lucheng.core.clocks.models import CalendarDay, CalendarYear, TimeLimit, WorkingSpan
from lucheng.core.dispatch import editions, matters
from lucheng.core.dispatch.models import Matter, Rule, Version
from lucheng.core.dispatch.rules import Row
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.organisation import roles, sessions, tokens
from lucheng.core.organisation.access import Scope, scope_of
from lucheng.core.organisation.models import Person, Post, Role, Unit
from lucheng.core.places.models import LEVELS, Boundary, Building, Division, Estate, Kind, Road
from lucheng.core.revisions import snapshot
from lucheng.projects.command_centre import knowledge
from lucheng.projects.command_centre.models import Article

#: A Monday morning within business hours.
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
SINCE = dt.date(2020, 1, 1)

CITY, WEST, EAST = "9901", "990101", "990102"
STREET, SUMU = "990101001", "990102001"
COMMUNITY = "990101001001"
GRID = "990101001001001"  # its south-west corner is (110.00, 40.00)
INSIDE_GRID = (110.005, 40.005)
OUTSIDE = (116.4, 39.9)

LAMP = "010201"  # street lamp out: led by the utilities bureau, the lighting company assists
HEATING = "030101"
RUBBISH = "020102"  # on the list of duties of sub-districts: led by the street office in the west
NO_RULE = "060101"  # illegal parking: the catalogue has no row

_PLACES: list[tuple[str, Kind, str, tuple[float, float, float, float]]] = [
    (CITY, Kind.CITY, "鹿原市", (110.00, 40.00, 110.08, 40.04)),
    (WEST, Kind.DISTRICT, "东原区", (110.00, 40.00, 110.04, 40.04)),
    (STREET, Kind.SUBDISTRICT, "长青街道", (110.00, 40.00, 110.04, 40.04)),
    (COMMUNITY, Kind.COMMUNITY, "花园社区", (110.00, 40.00, 110.04, 40.02)),
    (STREET + "002", Kind.COMMUNITY, "钢花社区", (110.00, 40.02, 110.04, 40.04)),
    (EAST, Kind.BANNER, "北甸旗", (110.04, 40.00, 110.08, 40.04)),
    (SUMU, Kind.SUMU, "白音苏木", (110.04, 40.00, 110.08, 40.04)),
    (SUMU + "001", Kind.GACHA, "乌兰嘎查", (110.04, 40.00, 110.08, 40.02)),
    (SUMU + "002", Kind.GACHA, "查干嘎查", (110.04, 40.02, 110.08, 40.04)),
]


@dataclass
class City:
    """Units and people by short names: ``city.units["utilities"]``, ``city.people["dispatcher"]``."""

    units: dict[str, Unit] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def scope(self, name: str) -> Scope:
        return scope_of(self.people[name])


#: What :func:`city` writes, in the order in which it may be written again.
_TABLES: tuple[type[Model], ...] = (
    Division,
    Boundary,
    Road,
    Estate,
    Building,
    Role,
    Matter,
    CalendarYear,
    CalendarDay,
    WorkingSpan,
    TimeLimit,
    Unit,
    Person,
    Post,
    Version,
    Rule,
    Rule.assists.through,
)
_kept: tuple[City, list[bytes]] | None = None


def city() -> City:
    """The whole city: places, gazetteer, roles, matters, calendar, limits, units, people and a published catalogue.

    Built once in each test process by the real loaders; later tests get the same rows again by COPY, which is many
    times as fast. Sequences are never set back in tests, so the ids stay free.
    """
    global _kept
    with connection.cursor() as cursor:
        if _kept is None:
            made = _built()
            rows = []
            for table in _TABLES:
                with cursor.copy(f"copy {table._meta.db_table} to stdout") as copied:
                    rows.append(b"".join(copied))
            _kept = made, rows
        else:
            for table, given in zip(_TABLES, _kept[1], strict=True):
                with cursor.copy(f"copy {table._meta.db_table} from stdin") as copying:
                    copying.write(given)
    snapshot.forget()
    return copy.deepcopy(_kept[0])


def _built() -> City:
    _places()
    roles.load()
    matters.load()
    clocks.load_pack()
    made = City()
    root = made.units["government"] = unit("government", "鹿原市人民政府", Unit.Kind.GOVERNMENT, CITY)
    for code, name, kind, place in [
        ("hotline", "鹿原市12345热线中心", Unit.Kind.HOTLINE, CITY),
        ("utilities", "鹿原市城市管理局", Unit.Kind.DEPARTMENT, CITY),
        ("heating", "鹿原市供热服务中心", Unit.Kind.DEPARTMENT, CITY),
        ("lighting", "鹿原市城市照明公司", Unit.Kind.COMPANY, CITY),
        ("west", "东原区人民政府", Unit.Kind.GOVERNMENT, WEST),
        ("east", "北甸旗人民政府", Unit.Kind.GOVERNMENT, EAST),
    ]:
        made.units[code] = unit(code, name, kind, place, root)
    made.units["street"] = unit("street", "长青街道办事处", Unit.Kind.STREET, STREET, made.units["west"])
    made.units["sumu"] = unit("sumu", "白音苏木人民政府", Unit.Kind.STREET, SUMU, made.units["east"])
    for name, role, place, where in [
        ("operator", "operator", CITY, "hotline"),
        ("dispatcher", "dispatcher", CITY, "hotline"),
        ("duty_officer", "duty_officer", CITY, "hotline"),
        ("supervisor", "supervisor", CITY, "hotline"),
        ("handler", "handler", CITY, "utilities"),
        ("colleague", "handler", CITY, "utilities"),
        ("helper", "handler", CITY, "lighting"),
        ("stoker", "handler", CITY, "heating"),
        ("street_handler", "handler", STREET, "street"),
        ("grid_worker", "grid_worker", GRID, "street"),
        ("west_dispatcher", "dispatcher", WEST, "west"),
        ("east_dispatcher", "dispatcher", EAST, "east"),
        ("administrator", "administrator", CITY, "government"),
        ("auditor", "auditor", CITY, "government"),
    ]:
        made.people[name] = person(name, role, place, made.units[where])
    law = "《城市道路照明设施管理规定》第四条"
    draft = editions.create(
        list(
            enumerate(
                [
                    Row("01", CITY, "utilities", (), "权责清单"),
                    Row("0102", CITY, "utilities", ("lighting",), law),
                    Row("03", CITY, "heating", (), "权责清单"),
                    Row(RUBBISH, STREET, "street", (), "乡镇（街道）履职事项清单"),
                ],
                2,
            )
        ),
        "",
        NOW,
    )
    editions.publish(draft, made.people["duty_officer"], NOW)
    return made


def _places() -> None:
    rows = list(_PLACES)
    for code, _kind, _name, (west, south, _east, north) in _PLACES:
        if len(code) == LEVELS["community"]:
            grid = Kind.RURAL_GRID if code.startswith(EAST) else Kind.BASIC_GRID
            for n in (1, 2):
                x = west + 0.02 * (n - 1)
                rows.append((f"{code}{n:03}", grid, f"{n:03}网格", (x, south, x + 0.02, north)))
    made = Division.objects.bulk_create(
        Division(code=code, level=len(code), kind=kind, name=name, valid_from=SINCE)
        for code, kind, name, _box in rows
    )
    Boundary.objects.bulk_create(
        Boundary(division=division, shape=to_wkb(box(*corners)), source_crs="wgs84")
        for division, (_code, _kind, _name, corners) in zip(made, rows, strict=True)
    )
    Road.objects.create(name="钢铁大街", place=WEST)
    estate = Estate.objects.create(
        name="鹿苑小区", place=COMMUNITY, address="钢铁大街18号", lon=INSIDE_GRID[0], lat=INSIDE_GRID[1]
    )
    Building.objects.create(
        estate=estate,
        name="3号楼",
        grid=GRID,
        lon=INSIDE_GRID[0],
        lat=INSIDE_GRID[1],
        floors=6,
        households=48,
    )
    snapshot.bump("places")


def unit(code: str, name: str, kind: str, place: str, parent: Unit | None = None) -> Unit:
    return Unit.objects.create(code=code, name=name, kind=kind, place=place, parent=parent)


def person(username: str, role: str, place: str, unit: Unit | None = None) -> Person:
    """A member of staff with one post. They cannot sign in by password; tests use force_login or a key."""
    made = Person.objects.create_user(username, name=username)
    post(made, role, place, unit)
    return made


def post(person: Person, role: str, place: str, unit: Unit | None = None) -> Post:
    return Post.objects.create(
        person=person, role=Role.objects.get(pk=role), place=place, unit=unit, valid_from=SINCE
    )


def key(person: Person, now: dt.datetime = NOW, expires: dt.datetime | None = None) -> str:
    """An API key of the person's."""
    return tokens.issue(person, "test", now, expires)


def article(city: City, now: dt.datetime = NOW, code: str = "lamp", **changes: Any) -> Article:
    """An answer of the knowledge base: who repairs street lamps."""
    values: dict[str, Any] = {
        "title": "路灯不亮由谁负责修？",
        "terms": ["路灯", "不亮", "归谁管"],
        "answer": "城市道路的路灯由城市照明公司负责维修，说明位置即可派单。",
        "note": "先问清是市政道路还是小区内。",
        "matters": ["0102"],
        "place": "",
        "owner": city.units["utilities"],
        "basis": "《城市道路照明设施管理规定》",
        "valid_from": SINCE,
        "valid_until": None,
        "review_by": now.date() + dt.timedelta(days=3650),
        "public": False,
    }
    return knowledge.write(code, {**values, **changes}, by=None, scope=None, now=now)


_count = itertools.count(1)


def call(**changes: Any) -> intake.NewCase:
    """A caller's request about a street lamp at the gate of the estate."""
    given: dict[str, Any] = {
        "kind": "command_centre.order",
        "nature": Nature.HELP.value,
        "content": "鹿苑小区门口的路灯不亮，已经三天了。",
        "channel": Channel.PHONE.value,
        "place": GRID,
        "name": "测试人",
        "phone": "13800000000",
    }
    return intake.NewCase(**{**given, **changes})


def client(city: City, name: str) -> Client:
    """The browser of one of the city's people, signed in and in Chinese."""
    signed_in = Client(headers={"accept-language": "zh-CN"})
    signed_in.force_login(city.people[name])
    session = signed_in.session
    sessions.prove(session)
    session.save()
    return signed_in


#: The last digits of the number in :func:`call`: with them its requester opens the case.
DIGITS = "0000"


def received(now: dt.datetime = NOW, **changes: Any) -> Case:
    """A case that has just come in from a requester."""
    made = intake.create(
        call(**changes), actor=None, role=REQUESTER, now=now, idempotency_key=f"test:{next(_count)}"
    )
    return Case.objects.get(pk=made.id)


#: How a case comes to each state: the state before, then (action, who, fields) one after another.
_WAYS: dict[State, tuple[State, list[tuple[str, str, dict[str, Any]]]]] = {
    State.ACCEPTED: (State.RECEIVED, [("accept", "dispatcher", {"matter": LAMP})]),
    State.REJECTED: (
        State.RECEIVED,
        [("reject", "operator", {"ground": "unlawful", "reason": "依法不予支持"})],
    ),
    State.ANSWERED: (
        State.RECEIVED,
        [("answer", "operator", {"ground": "no_new_facts", "answer": "正在维修"})],
    ),
    State.TRANSFERRED: (State.RECEIVED, [("transfer", "operator", {"target": "110", "reason": "属警情"})]),
    State.WITHDRAWN: (State.RECEIVED, [("withdraw", "operator", {"reason": "来电要求撤回"})]),
    State.DISPATCHED: (State.ACCEPTED, [("dispatch", "dispatcher", {})]),
    State.RETURN_REQ: (
        State.DISPATCHED,
        [("return", "handler", {"reason": "不属本单位职责", "basis": "三定方案"})],
    ),
    State.SIGNED: (State.DISPATCHED, [("sign", "handler", {})]),
    State.EXTEND_REQ: (
        State.SIGNED,
        [("extend", "handler", {"days": "5", "reason": "等待配件", "person_told": True})],
    ),
    State.SUSPENDED: (
        State.SIGNED,
        [("suspend", "duty_officer", {"reason": "冬季无法施工", "until": "2026-05-01"})],
    ),
    State.REPLIED: (
        State.SIGNED,
        [
            ("contact", "handler", {"how": "phone"}),
            (
                "reply",
                "handler",
                {"handling": "更换灯泡", "public_reply": "路灯已修好。", "note": "照明公司已到场"},
            ),
        ],
    ),
    State.CALLBACK: (State.REPLIED, [("approve", "dispatcher", {})]),
    State.REWORK: (State.REPLIED, [("send_back", "dispatcher", {"reason": "请说明修复时间"})]),
    State.CLOSED: (State.CALLBACK, [("close", "operator", {"satisfaction": "5"})]),
    State.REOPENED: (State.CLOSED, [("reopen", "duty_officer", {"reason": "又不亮了"})]),
    State.ARCHIVED: (State.CLOSED, [("archive", "duty_officer", {})]),
}


def case_in(state: State, city: City, now: dt.datetime = NOW, **changes: Any) -> Case:
    """A case that has come to ``state`` by real steps of real people; ``changes`` are fields of its call."""
    if state is State.RECEIVED:
        return received(now, **changes)
    if state is State.MERGED:
        main = case_in(State.ACCEPTED, city, now, **changes)
        return step(received(now, **changes), "merge", "dispatcher", city, now, main=main.number)
    before, steps = _WAYS[state]
    case = case_in(before, city, now, **changes)
    for action, who, fields in steps:
        case = step(case, action, who, city, now, **fields)
    assert case.state == state
    return case


def step(case: Case, action: str, who: str, city: City, now: dt.datetime = NOW, **fields: Any) -> Case:
    """One step by one of the city's people."""
    actor = city.people[who]
    return engine.act(
        case.number, action, fields, actor=actor, scope=scope_of(actor), version=case.version, now=now
    )
