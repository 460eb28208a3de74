"""Who gets in where, by walking: ``python -m tools.access`` writes ``docs/access.md``.

Every address of the installation is asked, by GET and by POST, as nobody and as each role of the national catalogue
in the small city of the tests: by a session and, where the interface is, by a key; of things that are there, of those
of another district or unit, and of some that are not. What a page answers is the truth of what it demands, wherever in
its code it checks; so the table follows the code by itself, and a change of access is a difference in the table.

Nobody and somebody who holds every role at once are asked first, by every method: what opens without sign-in, and what
even they are refused for its method, is the same for each role and not asked of all.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.test import Client, override_settings
from PIL import Image

if TYPE_CHECKING:
    from tests.factories import City

    from lucheng.core.cases.models import Case

KEPT = Path(__file__).parents[1] / "docs" / "access.md"
METHODS: tuple[str, ...] = ("GET", "POST")
#: What no address takes.
OTHER_METHODS: tuple[str, ...] = ("PUT", "PATCH", "DELETE")
NOBODY, EVERYBODY = "nobody", "every role at once"
#: How a reader shows who they are.
SESSION, KEY = "session", "key"

NEAR, FAR, ABSENT = "near", "far", "absent"
#: The number of no case, and the id of nothing.
MISSING, NO_ID = "990000000000000000", "999999999"
NEAR_TITLE, FAR_TITLE = "西区垃圾房夜里无人清运", "东旗路口路灯整夜不亮"

OPEN, SIGN_IN, FORBIDDEN, NOT_FOUND, ALLOWED, NO_METHOD = (
    "open",
    "sign-in",
    "forbidden",
    "not found",
    "allowed",
    "no method",
)
_LETTERS = {
    OPEN: "open",
    SIGN_IN: "sign-in",
    FORBIDDEN: "–",
    NOT_FOUND: "none",
    ALLOWED: "yes",
}

#: What the interface is sent where an empty object would be turned away before anybody asks who sends it.
_BODIES: dict[str, Any] = {
    "reveal_contact": {"reason": "核实地址"},
    "split_case": {"parts": [{"content": "楼道灯也不亮"}]},
    "post_case": {
        "kind": "command_centre.order",
        "nature": "help",
        "content": "路灯不亮",
        "place": "990101001",
    },
}
#: A page that shows a case beside a list is asked as the script of the list asks.
_BESIDE = {"X-Board": "1"}


@dataclass(frozen=True)
class Route:
    """One address pattern, and the names of what stands in it."""

    pattern: str
    name: str
    names: tuple[str, ...]

    @property
    def by_case(self) -> bool:
        """Whether it names a case by the number that staff use."""
        return "number" in self.names and not self.pattern.startswith("admin/")

    @property
    def of_interface(self) -> bool:
        """Whether programs ask here, by a key."""
        return self.pattern.startswith("api/v1/")

    @property
    def by_code(self) -> bool:
        """Whether it is for whoever holds the tracking code of a case."""
        return self.pattern.startswith(("t/<", "api/v1/track/"))


@dataclass(frozen=True)
class Answer:
    """What one reader got at one address."""

    route: Route
    door: str
    method: str
    reader: str
    which: str
    path: str
    status: int
    verdict: str
    body: str
    headers: dict[str, str]


@dataclass
class Walk:
    """All answers, with the two cases that were looked for in them and what each reader may."""

    near: Case
    far: Case
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    capabilities: dict[str, frozenset[str]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    #: How often each body of reference data had changed when the walk began.
    revisions: dict[str, int] = field(default_factory=dict)


def routes() -> list[Route]:
    """Every pattern of the URL configuration, those of the API included, without repetition."""
    from django.urls import URLPattern, URLResolver, get_resolver

    def inside(resolver: URLResolver, before: str) -> Iterator[Route]:
        for entry in resolver.url_patterns:
            pattern = before + str(entry.pattern)
            if isinstance(entry, URLPattern):
                yield Route(pattern, entry.name or "", tuple(entry.pattern.converters))
            else:
                yield from inside(entry, pattern)

    return list({r.pattern: r for r in inside(get_resolver(), "")}.values())


def _things(city: City, near: Case, far: Case) -> dict[str, dict[str, str]]:
    """What to write in an address, by the name in the pattern, or by route and name where one name means many: for
    what is there, for the same of another district or unit, and for what is nowhere."""
    from tests import factories

    from lucheng.core.cases import attachments
    from lucheng.core.cases.models import Case
    from lucheng.core.dispatch.models import Version
    from lucheng.core.organisation.models import Post
    from lucheng.core.privacy import retention, rights
    from lucheng.core.privacy.models import RetentionBatch, RetentionHold
    from lucheng.core.registers import book
    from lucheng.core.registers.models import Import
    from lucheng.core.registers.register import named as registered
    from lucheng.core.triage import templates
    from lucheng.projects.legal_services import hsds

    def template(unit: str, who: str) -> str:
        own = city.units[unit].pk
        made = templates.save(
            None,
            unit=own,
            name="路灯",
            matter="",
            text="您好，已办理。",
            units={own},
            person=city.people[who],
            version=0,
            now=factories.NOW,
        )
        return str(made.pk)

    member = city.people["colleague"]
    other = Case.objects.select_related("contact").get(pk=factories.received().pk)
    request = rights.ask(
        [other], "delete", "请删除", address="10.0.0.1", language="zh", now=factories.NOW, key="walk"
    )
    rules = retention.load(now=factories.NOW)
    batch = RetentionBatch.objects.create(edition=rules, proposed_at=factories.NOW)
    hold = RetentionHold.objects.create(
        case=other, number=other.number, reason="诉讼", held_at=factories.NOW, held_by=member
    )
    drawn = io.BytesIO()
    Image.new("RGB", (64, 48)).save(drawn, "JPEG")
    pictures = [
        attachments.store(case.pk, drawn.getvalue(), person=None, role="requester", now=factories.NOW)
        for case in (near, far)
    ]
    centres = registered("centres")
    given = {"name": "C1", "place": factories.STREET, "level": "community", "valid_from": "2020-01-01"}
    book.write(centres, "C1", given, by=None, scope=None, now=factories.NOW)
    given = {"name": "工作站", "place": factories.STREET, "level": "township", "services": "aid"}
    given["valid_from"] = "2020-01-01"
    book.write(registered("legal-outlets"), "FL-1", given, by=None, scope=None, now=factories.NOW)
    sheet = Import.objects.create(register="centres", file_name="x.xlsx", content=b"", at=factories.NOW)
    edition = str(Version.objects.order_by("-pk").values_list("number", flat=True)[0])
    numbers = {
        f"{r.name}:number": edition if r.pattern.startswith("admin/catalogue/") else request.number
        for r in routes()
        if "number" in r.names and not r.by_case
    }
    there = {
        "action": "sign",
        "draft_id": "0" * 32,
        "edition": "1",
        "name": "received",
        "number": near.number,
        "pk": str(member.pk),
        "place": factories.STREET,
        "post": str(Post.objects.get(person=member).pk),
        "sha256": pictures[0].sha256,
        "slug": "forbidden",
        "what": "unit",
        "year": "2026",
        "code": near.code,
        "article:code": "lamp",
        "article-write:code": "lamp",
        "role:code": "operator",
        "get_division:code": near.place,
        "hsds-service:id": hsds.ident("service", "FL-1"),
        **dict.fromkeys(("unit-record:pk", "close-unit:pk"), str(city.units["utilities"].pk)),
        **dict.fromkeys(("retention-batch:pk", "approve-retention:pk", "hold-retention:pk"), str(batch.pk)),
        "lift-retention:pk": str(hold.pk),
        "register-import:pk": str(sheet.pk),
        "reply-template:pk": template("street", "street_handler"),
        **numbers,
    }
    there |= _of_registers()
    elsewhere = {"number": far.number, "reply-template:pk": template("utilities", "handler")}
    nowhere = {
        **dict.fromkeys(("edition", "pk", "post", *numbers), NO_ID),
        **dict.fromkeys(("name", "slug", "what", "article:code", "article-write:code", "role:code"), "none"),
        "number": MISSING,
        "place": "990199999",
        "draft_id": "0" * 32,
        "year": "1900",
        "code": "0" * 12,
        **dict.fromkeys(("register", "which"), "processing"),
        **dict.fromkeys(("id", "form"), "none"),
        "get_division:code": "98",
        "hsds-service:id": hsds.ident("service", "none"),
    }
    # Of an order that is not there any step and any photograph may be asked.
    kept = {name: there[name] for name in ("action", "sha256")}
    return {NEAR: there, FAR: there | elsewhere, ABSENT: nowhere | kept}


def _of_registers() -> dict[str, str]:
    """What addresses of registers, of processing registers and of figures take."""
    values = {"register": "processing", "which": "processing", "id": "1.centres.community", "form": "json"}
    for route in routes():
        if any(kept in route.pattern for kept in ("processing-registers/", "admin/registers/")):
            values[f"{route.name}:code"] = "logs"
        elif "registers/" in route.pattern:
            values |= {f"{route.name}:slug": "centres", f"{route.name}:code": "C1"}
    return values


def _path(route: Route, values: dict[str, str]) -> str:
    path = "/" + route.pattern
    for name in route.names:
        start, end = path.index("<"), path.index(">")
        path = path[:start] + (values.get(f"{route.name}:{name}") or values[name]) + path[end + 1 :]
    return path


def _people(city: City, walk: Walk) -> None:
    """One reader for each way in which roles of the catalogue differ, what counts being reach and capabilities alone;
    and one who holds all of their posts. Of the rooms' registers, which share their pages, one room's are walked: what
    keeps another room's makes no difference here."""
    from tests import factories

    from lucheng.core.organisation.capabilities import of_rooms
    from lucheng.core.organisation.models import Role

    elsewhere = {code for code in of_rooms() if not code.startswith("party_centres.")}

    walk.capabilities[NOBODY] = frozenset()
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for role in Role.objects.order_by("code"):
        told = tuple(code for code in role.capabilities if code not in elsewhere)
        alike.setdefault((role.reach, told), []).append(role.code)
    for (reach, held), codes in alike.items():
        where, unit = {
            Role.Reach.PLACE.value: (factories.WEST, "west"),
            Role.Reach.UNIT.value: (factories.STREET, "street"),
        }.get(reach, (factories.CITY, "government"))
        name = codes[0]
        city.people[name] = factories.person(f"walker-{name}", name, where, city.units[unit])
        walk.readers[name] = tuple(codes)
        walk.capabilities[name] = frozenset(held)
        if EVERYBODY in city.people:
            factories.post(city.people[EVERYBODY], name, where, city.units[unit])
        else:
            city.people[EVERYBODY] = factories.person("walker", name, where, city.units[unit])


def walk(city: City, **left: str) -> Walk:
    """Ask every route as every reader. What a request changes is undone before the next. ``left`` is what the requester
    of the case near by left of themselves: name, phone, contact_address."""
    with TemporaryDirectory() as folder, override_settings(ATTACHMENTS=Path(folder)):
        return _walked(city, left)


def _walked(city: City, left: dict[str, str]) -> Walk:
    from tests import factories

    from lucheng.core.cases.models import Case, State
    from lucheng.core.indicators import bulletin
    from lucheng.core.indicators import demo as template
    from lucheng.core.privacy import notices, registers
    from lucheng.core.revisions.models import Revision

    factories.article(city)
    notices.load(now=factories.NOW)
    registers.load(now=factories.NOW)
    bulletin.load(template.PACK, factories.NOW)
    near = factories.received(matter=factories.RUBBISH, title=NEAR_TITLE, **left)
    near = factories.step(near, "accept", "dispatcher", city, matter=factories.RUBBISH)
    near = factories.step(near, "dispatch", "dispatcher", city)
    far = factories.case_in(State.DISPATCHED, city, place=factories.SUMU + "001", title=FAR_TITLE)
    things = _things(city, near, far)
    found = Walk(Case.objects.get(pk=near.pk), far)
    _people(city, found)
    found.revisions = dict(Revision.objects.values_list("name", "number"))
    first = {
        reader: {
            (route, a.method): a
            for route in routes()
            for a in _ask_all(found, client, route, SESSION, reader, NEAR, things, METHODS + OTHER_METHODS)
        }
        for reader, client in (
            (NOBODY, Client(headers={"accept-language": "zh-CN"})),
            (EVERYBODY, factories.client(city, EVERYBODY)),
        )
    }
    found.answers = [a for answers in first.values() for a in answers.values()]
    doors: dict[Route, tuple[str, ...]] = {}
    for (route, method), a in first[NOBODY].items():
        if a.verdict == SIGN_IN and first[EVERYBODY][route, method].verdict != NO_METHOD:
            doors[route] = (*doors.get(route, ()), method)
    shut: set[tuple[Route, str]] = set()
    for reader in found.readers:
        for door, client in ((SESSION, factories.client(city, reader)), (KEY, _with_key(city, reader))):
            for route, methods in doors.items():
                if door == SESSION or route.of_interface:
                    found.answers += _asked(found, client, route, door, reader, things, methods, shut)
    return found


def _with_key(city: City, reader: str) -> Client:
    """A program that shows the key of a reader."""
    from tests import factories

    key = factories.key(city.people[reader])
    return Client(headers={"accept-language": "zh-CN", "authorization": f"Bearer {key}"})


def _ask_all(
    found: Walk,
    client: Client,
    route: Route,
    door: str,
    reader: str,
    which: str,
    things: dict[str, dict[str, str]],
    methods: tuple[str, ...],
) -> list[Answer]:
    """One address by several methods; a cookie that one answer sets is not shown to the next address."""
    cookies = copy.deepcopy(client.cookies)
    path = _path(route, things[which])
    asked = [_ask(found, client, route, door, reader, which, method, path) for method in methods]
    client.cookies = cookies
    return asked


def _asked(
    found: Walk,
    client: Client,
    route: Route,
    door: str,
    reader: str,
    things: dict[str, dict[str, str]],
    methods: tuple[str, ...],
    shut: set[tuple[Route, str]],
) -> Iterator[Answer]:
    """One address for what is there, for what is elsewhere and for what is nowhere, as far as these differ. ``shut``
    holds what was refused for what is nowhere too: whoever else is refused is refused at the same point."""
    paths: dict[str, str] = {}
    for which, values in things.items():
        paths.setdefault(_path(route, values), which)
    for which in paths.values():
        asked = _ask_all(found, client, route, door, reader, which, things, methods)
        yield from asked
        if which == NEAR and not route.by_case:
            again = {a.method for a in asked if a.verdict != FORBIDDEN or (route, a.method) not in shut}
            shut |= {(route, a.method) for a in asked if a.verdict == FORBIDDEN}
            methods = tuple(m for m in methods if m in again)


def _ask(
    found: Walk, client: Client, route: Route, door: str, reader: str, which: str, method: str, path: str
) -> Answer:
    from lucheng.core.revisions import snapshot
    from lucheng.core.revisions.models import Revision

    content: tuple[bytes, str] = (b"", "application/x-www-form-urlencoded")
    if route.of_interface:
        content = (json.dumps(_BODIES.get(route.name, {})).encode(), "application/json")
    headers = {"If-Match": f'"{found.near.version}"', "Idempotency-Key": "access-walk", **_BESIDE}
    # A contact is shown only once that is committed; as in Django's own TestCase, this block lets it pass.
    undone: Any = transaction.atomic()
    undone._from_testcase = True
    with undone:
        got: Any = client.generic(method, path, *content, headers=headers)
        body: bytes = got.getvalue()
        changed = method != "GET" and dict(Revision.objects.values_list("name", "number")) != found.revisions
        transaction.set_rollback(True)
    if changed:  # what is held in memory may be of data that are undone now
        snapshot.forget()
    return Answer(
        route=route,
        door=door,
        method=method,
        reader=reader,
        which=which,
        path=path,
        status=got.status_code,
        verdict=_verdict(reader, got.status_code, got.headers.get("Location", "")),
        body=body.decode("utf-8", "replace"),
        headers=dict(got.headers),
    )


def _verdict(reader: str, status: int, location: str) -> str:
    if status == 401 or (status == 302 and location.startswith("/sign-in/")):
        return SIGN_IN
    if status in (403, 404, 405):
        return {403: FORBIDDEN, 404: NOT_FOUND, 405: NO_METHOD}[status]
    return OPEN if reader == NOBODY else ALLOWED


def document(found: Walk) -> str:
    """The table as it is kept in docs/access.md."""
    readers = [NOBODY, *found.readers]
    lines = [
        "# Who gets in where",
        "",
        "Written by `python -m tools.access`, which asks every address as nobody and as each role of the national",
        "catalogue; do not edit. Roles that allow the same share a column; of what keeps registers, one room stands",
        "for all, since the pages are the same. A post at a place stands in one district,",
        "and `<number>` is a case of that district that a unit in it has in hand; a case of another district is",
        "answered like one that does not exist.",
        "",
        "| answer | meaning |",
        "|---|---|",
        "| open | answers without sign-in |",
        "| sign-in | asks for sign-in (a page) or a key (the interface) |",
        "| – | forbidden (403) |",
        "| none | not found (404): it is not there, or this reader may not know of it |",
        "| yes | the door is open. A POST is sent nearly empty, and may still be turned away for what it lacks |",
        "",
        "A method that is missing is not for the address (405), whoever asks.",
        "",
        "| column | roles |",
        "|---|---|",
        *(f"| {name} | {', '.join(codes)} |" for name, codes in found.readers.items()),
        "",
        "| address | method | " + " | ".join(readers) + " |",
        "|---|---|" + "---|" * len(readers),
    ]
    cells = {
        (a.route.pattern, a.method, a.reader): a.verdict
        for a in found.answers
        if a.which == NEAR and a.door == SESSION
    }
    rows = [
        (pattern, method)
        for (pattern, method, reader), verdict in cells.items()
        if reader == EVERYBODY and method in METHODS and verdict != NO_METHOD
    ]
    for pattern, method in rows:
        everybody = cells[pattern, method, EVERYBODY]
        row = [cells.get((pattern, method, reader), everybody) for reader in readers]
        lines.append(f"| `/{pattern}` | {method} | {' | '.join(_LETTERS[verdict] for verdict in row)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Walk in a database that is made for it and thrown away."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    from lucheng import embedded

    if not os.environ.get("DATABASE_URL"):
        embedded.ensure_running(durable=False)
    django.setup()
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases
    from tests import factories

    logging.disable(logging.CRITICAL)  # every refusal is a warning
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    try:
        with transaction.atomic():
            KEPT.write_text(document(walk(factories.city())), encoding="utf-8")
            transaction.set_rollback(True)
    finally:
        teardown_databases(made, verbosity=0)


if __name__ == "__main__":
    main()
