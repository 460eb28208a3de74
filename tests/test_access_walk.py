"""Nobody in where they do not belong: every address asked as nobody and as each role, with cases of both districts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from pytest_django import DjangoDbBlocker
from tools import access

from lucheng.core.organisation.capabilities import SEPARATED
from tests import factories

pytestmark = pytest.mark.django_db

#: What stands open to the street: the resident's pages, the way in, how things look, and the interface's own words.
PUBLIC = {
    *("home", "urgent", "report-place", "report-nearby", "report-you", "around", "around-place", "faq"),
    *("mine", "mine-code", "mine-cases", "mine-leave"),
    *("notice", "notice-edition", "tour"),
    *("track", "tracking", "tracking-picture", "tracking-act", "act_as_requester", "post_report"),
    *("tracking-copy", "tracking-data", "own-data"),
    *(
        "sign-in",
        "sign-on",
        "sign-on-back",
        "sign-out",
        "set_language",
        "theme",
        "large-print",
        "style",
        "outlines",
    ),
    *("hsds", "hsds-services", "hsds-service"),
    *("api-docs", "problem", "openapi-json", "api-root"),
}


#: What opens to nobody in this walk: it asks for more than an address (units to compare, a day, a turn at a callback, a
#: step of the requester's, an article of one's own unit), or for what nobody has.
NOT_THERE = {
    *("catalogue-moved", "forget-day", "callback-number", "act_as_requester", "article-write"),
    "remove-factor",
}
#: What answers alike whatever is asked for: it leads on from any number, lifts what is not held, destroys
#: nothing where nothing need not be kept, knows every year.
WHATEVER = {"unit-next", "lift-retention", "calendar-sheet", "processing-destroy-register-entry"}
#: What takes more than reading and sending: an entry of a register is changed by PUT.
PUT = {("api/v1/registers/<slug>/<code>", "PUT")}

#: What a requester left of themselves, in words that stand nowhere else.
LEFT = {"name": "闻人未央", "phone": "13900427781", "contact_address": "槐荫里 7 号 9 号楼 3 单元 9804"}
#: The addresses that open it, for a reason.
OPENING = {"reveal", "unit-reveal", "callback-number", "reveal_contact"}


@pytest.fixture(scope="module")
def found(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> access.Walk:
    """One walk for all tests here, undone at its end."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        made = access.walk(factories.city(), **LEFT)
        transaction.set_rollback(True)
    return made


def _what(answers: list[access.Answer]) -> list[tuple[str, str, str, str, str, int]]:
    return [(a.method, a.path, a.door, a.reader, a.which, a.status) for a in answers]


def test_every_answer_is_the_one_that_the_access_table_allows(found: access.Walk) -> None:
    assert access.document(found) == access.KEPT.read_text(encoding="utf-8"), (
        "Access has changed: run `python -m tools.access` and look at the difference."
    )


def test_no_request_breaks_the_server(found: access.Walk) -> None:
    assert not _what([a for a in found.answers if a.status >= 500])


def test_without_sign_in_nothing_opens_but_the_public_routes(found: access.Walk) -> None:
    asked = [a for a in found.answers if a.reader == access.NOBODY]
    assert {a.route.name for a in asked} >= PUBLIC
    shut = {access.SIGN_IN, access.NO_METHOD}
    assert not _what([a for a in asked if a.route.name not in PUBLIC and a.verdict not in shut])


def test_no_administrator_reads_a_case(found: access.Walk) -> None:
    administrators = {r for r, held in found.capabilities.items() if held & set(SEPARATED)}
    assert len(administrators) == 3
    asked = [a for a in found.answers if a.reader in administrators and not a.route.by_code]
    assert not _what([a for a in asked if _shows(a, found.near.number, access.NEAR_TITLE)])
    assert not _what([a for a in asked if _shows(a, found.far.number, access.FAR_TITLE)])


def test_nobody_sees_a_case_of_another_district_nor_learns_that_it_exists(found: access.Walk) -> None:
    asked = [a for a in found.answers if not a.route.by_code]
    assert not _what([a for a in asked if _shows(a, found.far.number, access.FAR_TITLE)])
    by_which = {(a.route.pattern, a.method, a.door, a.reader, a.which): a for a in asked}
    pairs = [(a, by_which[(*key[:4], access.ABSENT)]) for key, a in by_which.items() if a.which == access.FAR]
    assert {far.door for far, _absent in pairs} == {access.SESSION, access.KEY}
    # An action or a photograph of theirs, and a reply template of another unit.
    assert {far.route.by_case for far, _absent in pairs} == {True, False}
    assert not [_what([far, absent]) for far, absent in pairs if far.status != absent.status]


def test_who_may_not_in_learns_of_nothing_whether_it_is_there(found: access.Walk) -> None:
    near = {(a.route.pattern, a.method, a.door, a.reader): a for a in found.answers if a.which == access.NEAR}
    absent = [a for a in found.answers if a.which == access.ABSENT]
    shut = [
        (a, there)
        for a in absent
        if (there := near[a.route.pattern, a.method, a.door, a.reader]).verdict == access.FORBIDDEN
        and not a.route.by_case
        and not a.route.by_code
        # Which registers there are is known to everybody on the staff.
        and "registers/<slug" not in a.route.pattern
    ]
    assert len({a.route.pattern for a, _there in shut}) > 20
    assert not [_what([a, there]) for a, there in shut if a.status != there.status]


def test_what_is_there_opens_to_somebody_and_what_is_not_to_nobody(found: access.Walk) -> None:
    """The walk asks for things that exist, or a refusal would prove nothing."""
    opened: dict[str, set[str]] = {}
    for a in found.answers:
        if a.verdict in (access.ALLOWED, access.OPEN):
            opened.setdefault(a.which, set()).add(a.route.name)
    named = {a.route.name for a in found.answers if a.route.names}
    assert named - opened[access.NEAR] == NOT_THERE
    assert {
        a.route.name
        for a in found.answers
        if a.which == access.ABSENT and a.route.name in opened[access.ABSENT]
    } <= WHATEVER


def test_a_key_opens_what_the_session_of_its_person_does(found: access.Walk) -> None:
    of = {
        door: {
            (a.route.pattern, a.method, a.reader, a.which): a.status for a in found.answers if a.door == door
        }
        for door in (access.SESSION, access.KEY)
    }
    assert len(of[access.KEY]) > 400
    assert not [(*key, status) for key, status in of[access.KEY].items() if status != of[access.SESSION][key]]


def test_no_address_takes_a_method_that_it_does_not_know(found: access.Walk) -> None:
    asked = [
        a
        for a in found.answers
        if a.method in access.OTHER_METHODS and (a.route.pattern, a.method) not in PUT
    ]
    assert {a.reader for a in asked} == {access.NOBODY, access.EVERYBODY}
    of_everybody = [a for a in asked if a.reader == access.EVERYBODY and a.route.name != "api-root"]
    assert not _what([a for a in of_everybody if a.verdict != access.NO_METHOD])
    assert not _what([a for a in asked if a.verdict in (access.ALLOWED, access.OPEN)])


def test_who_may_see_the_case_of_their_district_does(found: access.Walk) -> None:
    """The walk looks where there is something to see: else nothing above would prove anything."""
    asked = [a for a in found.answers if not a.route.by_code and a.reader != access.EVERYBODY]
    readers = {a.reader for a in asked if _shows(a, found.near.number, access.NEAR_TITLE)}
    seeing = {r for r, held in found.capabilities.items() if "case.view" in held}
    assert readers == seeing


class _Inline(HTMLParser):
    """Collects what the policy for scripts forbids: scripts and styles in the page, handlers, javascript addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        data = given.get("type", "") == "application/json"  # read by a script, never run
        if tag in ("base", "object", "embed", "iframe") or (tag == "style"):
            self.found.append(f"<{tag}>")
        if tag == "script" and not data and not given.get("src", "").startswith("/static/"):
            self.found.append(f"<script {given}>")
        for name, value in given.items():
            if name.startswith(("on", "hx-on")) or name in ("style", "srcdoc"):
                self.found.append(f"<{tag} {name}>")
            if "".join(value.split()).lower().startswith(("javascript:", "vbscript:", "data:text")):
                self.found.append(f"<{tag} {name}={value!r}>")


def test_no_page_holds_a_script_a_style_or_a_handler(found: access.Walk) -> None:
    pages = [a for a in found.answers if a.headers.get("Content-Type", "").startswith("text/html") and a.body]
    assert len({a.route.name for a in pages}) > 40
    wrong = set()
    for text, name in {a.body: a.route.name for a in pages}.items():
        reader = _Inline()
        reader.feed(text)
        wrong |= {(name, inline) for inline in reader.found}
    assert not wrong


def test_every_answer_carries_the_policy_and_says_whether_it_may_be_kept(found: access.Walk) -> None:
    shut = ("script-src 'self'", "default-src 'none'")  # of pages, and of pictures
    policies = {a.headers.get("Content-Security-Policy", "") for a in found.answers}
    assert not [policy for policy in policies if not any(words in policy for words in shut)]
    assert not _what([a for a in found.answers if "unsafe" in a.headers["Content-Security-Policy"]])
    assert not _what([a for a in found.answers if a.headers.get("X-Content-Type-Options") != "nosniff"])
    of_a_session = [a for a in found.answers if a.reader != access.NOBODY]
    kept = [a for a in of_a_session if "no-store" not in a.headers["Cache-Control"]]
    assert {a.route.name for a in kept} <= {"outlines"}  # the city's outlines, the same for everybody


def test_no_page_and_no_answer_of_the_interface_holds_what_is_sealed_but_that_of_a_look(
    found: access.Walk,
) -> None:
    opened = [a for a in found.answers if any(value in a.body for value in LEFT.values())]
    assert not _what([a for a in opened if a.route.name not in OPENING or a.method != "POST"])
    # The walk does open it where it may: else nothing above would prove anything.
    assert {a.route.name for a in opened} >= {"reveal_contact"}
    assert all(a.which == access.NEAR for a in opened)
    assert all("contact.reveal" in found.capabilities.get(a.reader, {"contact.reveal"}) for a in opened)
    # Nor what is cut off it: the middle of the number, the number in groups, the street, the door.
    cut = re.compile(r"0042-?7|0427781|槐荫|(?<!\d)9804(?!\d)")  # no matter and no place has the code 9804
    assert not _what([a for a in found.answers if a.route.name not in OPENING and cut.search(a.body)])


def _shows(answer: access.Answer, number: str, title: str) -> bool:
    """Whether the answer tells of the case. A refusal may repeat the number that was asked for."""
    repeated = number in answer.path and answer.status in (403, 404)
    return title in answer.body or (number in answer.body and not repeated)
