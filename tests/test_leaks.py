"""What somebody may not see has no say in what they are told: two cities that differ only in such rows answer alike, to
the byte, on every list, count, suggestion, look-alike, search, map, figure, trial and over the interface."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from lucheng.channels.api import auth
from lucheng.core.cases.models import Case, State
from lucheng.core.cases.policies import walled
from lucheng.core.dispatch.models import Version
from lucheng.core.ledger.append import SYSTEM, append
from lucheng.core.organisation import roles, walls
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.capabilities import KEEPERS
from lucheng.core.organisation.models import Person, Role, Unit
from lucheng.core.revisions import snapshot
from lucheng.postgresql import context
from tests import factories
from tests.factories import COMMUNITY, EAST, GRID, HEATING, LAMP, NOW, SUMU, City
from tests.test_sight import hold, posts

WORDS = "小区门口的路灯不亮，晚上很黑"
#: Stands in the words of every case that the reader may not see, and nowhere else.
MARK, AFTER = "密语甲", "密语乙"
#: The number of no case.
NONE = "20010101000001"

UNITS = ["utilities", "heating", "lighting", "street", "west", "hotline"]
STATES = [State.RECEIVED, State.DISPATCHED, State.SIGNED, State.REPLIED, State.CALLBACK, State.CLOSED]
rows = st.lists(
    st.fixed_dictionaries(
        {
            "place": st.sampled_from([GRID, COMMUNITY, SUMU + "001001", EAST]),
            "matter": st.sampled_from(["", LAMP, HEATING]),
            "units": st.lists(st.sampled_from(UNITS), max_size=2, unique=True),
            "accused": st.sampled_from(["", "", "", "street", "utilities", "hotline"]),
            "confidential": st.booleans(),
            "kept": st.sampled_from([False, False, False, False, True]),
            "own": st.sampled_from([False, False, True]),
            "state": st.sampled_from(STATES),
            # Which of the rows it is merged into, was taken out of, or is said to be the same as.
            "link": st.sampled_from(["", "main", "parent", "same_as"]),
            "other": st.integers(0, 9),
        }
    ),
    min_size=8,
    max_size=10,
)
#: Who stands under whom: units that may be above others in one city and beside them in the next.
trees = st.fixed_dictionaries(
    {
        "heating": st.sampled_from(["government", "utilities", "west"]),
        "lighting": st.sampled_from(["government", "utilities"]),
        "street": st.sampled_from(["west", "government"]),
    }
)


def _made(drawn: list[dict[str, Any]], person: Person, city: City) -> list[Case]:
    """The rows as cases. They stand where they stand without having gone the way there: only sight is asked about."""
    made = [
        factories.received(place=d["place"], content=WORDS, confidential=d["confidential"]) for d in drawn
    ]
    for case, d in zip(made, drawn, strict=True):
        _put(case, d, person, city)
        other = made[d["other"] % len(made)]
        if d["link"] and other.pk != case.pk:
            _link(case, d["link"], other)
    return made


def _put(case: Case, d: dict[str, Any], person: Person, city: City) -> None:
    case.matter, case.state, case.open = d["matter"], d["state"], d["state"] != State.CLOSED
    case.units = [city.units[u].pk for u in d["units"]]
    case.lead_unit_id = case.units[0] if case.units else None
    case.accused_unit = city.units[d["accused"]] if d["accused"] else None
    case.kept_by = KEEPERS[0] if d["kept"] else ""
    case.intake_by = person if d["own"] else None
    case.dispatched_at = NOW if d["units"] else None
    case.save()


def _link(case: Case, link: str, other: Case) -> None:
    said: dict[str, Any] = {"from": case.state, "to": case.state}
    if link == "main":
        case.main, case.state = other, State.MERGED
        append(case, "merge", {**said, "main": other.number}, actor=None, role=SYSTEM, now=NOW)
    elif link == "parent":
        case.parent = other
        append(other, "split", {**said, "parts": [case.number]}, actor=None, role=SYSTEM, now=NOW)
        other.save()
    else:
        case.fields = {"same_as": other.number}
    case.save()


def _change(hidden: list[Case], shown: list[Case], now: dt.datetime) -> None:
    """Other words, numbers, states and times for what the reader may not see, and more of it, linked to what they
    may."""
    for n, case in enumerate(hidden):
        Case.objects.filter(pk=case.pk).update(
            number=f"2002010100000{n}",
            title=f"{AFTER}{n}",
            content=f"{AFTER}{WORDS}",
            public_reply=AFTER,
            due_at=now - dt.timedelta(days=3),
            created_at=now - dt.timedelta(hours=n),
            appealed_at=now,
            urgency="critical",
            supervision="daily",
            state=State.RETURN_REQ if n % 2 else State.CALLBACK,
            open=True,
        )
    for n, like in enumerate(itertools.islice(itertools.cycle(hidden), 4)):
        case = factories.received(place=like.place, content=f"{AFTER}{WORDS}", confidential=like.confidential)
        for name in ("matter", "units", "lead_unit_id", "accused_unit_id", "kept_by", "intake_by_id"):
            setattr(case, name, getattr(like, name))
        if shown:
            other = shown[n % len(shown)]
            if n % 2:
                case.parent = other
            else:
                case.main, case.state = other, State.MERGED
            case.fields = {"same_as": other.number}
        case.save()
        append(case, "dispatch", {"lead": like.lead_unit_id}, actor=None, role=SYSTEM, now=now)
        case.save()


#: What is new in every answer: the token of a form and the key under which it is sent once.
_FRESH = re.compile(
    r'(?<=name="csrf-token" content=")\w+|(?<=name="csrfmiddlewaretoken" value=")\w+|\b[0-9a-f]{32}\b'
)


class _Reader:
    """A person with a browser and a program, asking."""

    def __init__(self, person: Person) -> None:
        auth.forget()
        snapshot.forget()
        self.browser = Client(headers={"accept-language": "zh-CN"})
        self.browser.force_login(person)
        self.program = Client(
            headers={"accept-language": "zh-CN", "authorization": f"Bearer {factories.key(person)}"}
        )

    def ask(self, method: str, address: str, body: Any = None) -> tuple[int, str, str]:
        who = self.program if address.startswith("/api/") else self.browser
        headers = {"X-Board": "1"} if "/board/cases/" in address else {}
        if method == "GET":
            got: Any = who.get(address, headers=headers)
        else:
            kind = "application/json" if who is self.program else "application/x-www-form-urlencoded"
            got = who.post(address, body, content_type=kind, headers=headers)
        text = _FRESH.sub("", got.getvalue().decode("utf-8", "replace"))
        return got.status_code, got.headers.get("ETag", ""), text


def _asked(shown: list[Case]) -> Iterator[tuple[str, str, Any]]:
    """Everything that lists, counts, suggests or compares; then what is told of a single case."""
    edition = Version.objects.order_by("-pk").values_list("number", flat=True)[0]
    for address in (
        "/board/",
        "/board/?all=1",
        f"/board/?happened=received&since=2026-01-01T00:00&place={factories.WEST}",
        "/unit/",
        "/unit/load/",
        "/callbacks/",
        "/callbacks/?list=decide",
        "/supervised/",
        "/messages/",
        "/overview/",
        f"/admin/catalogue/{edition}/try/?since=2026-02-01&until=2026-03-31",
        "/api/v1/cases?open=false&limit=100",
        "/api/v1/queues",
        "/api/v1/overview",
    ):
        yield "GET", address, None
    yield "POST", "/desk/propose/", f"content={WORDS}&place={GRID}"
    yield "POST", "/api/v1/triage/propose", {"text": WORDS, "place": GRID}
    for case in shown[:1]:
        for address in (
            "/cases/{}/",
            "/cases/{}/merge/",
            "/board/cases/{}/",
            "/unit/cases/{}/",
            "/unit/next/{}/",
        ):
            yield "GET", address.format(case.number), None
        yield "GET", f"/api/v1/cases/{case.number}", None


Answers = dict[str, tuple[int, str, str]]


def _world(person: Person, shown: list[Case], shut: Answers | None = None) -> Answers:
    """Every answer by its address; what was ``shut`` before, whatever the rows, is not asked again."""
    reader = _Reader(person)
    return {
        address: reader.ask(method, address, body)
        for method, address, body in _asked(shown)
        if shut is None or shut[address][0] != 403
    }


def _within_walls(scope: Scope) -> dict[str, list[Any]]:
    with context.within(walls.of(scope)):
        return {
            m._meta.label: list(m._base_manager.order_by("pk").values_list("pk", flat=True)) for m in walled()
        }


def _alike() -> list[str]:
    """One role of the national catalogue for each way in which its roles differ."""
    found: dict[tuple[str, frozenset[str]], str] = {}
    for r in tomllib.loads(roles.NATIONAL.read_text(encoding="utf-8"))["role"]:
        found.setdefault((r["reach"], frozenset(r["capabilities"])), r["code"])
    return list(found.values())


@pytest.fixture
def city(db: None, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    made = factories.city()
    made.people["drawn"] = Person.objects.create_user("drawn", name="某")
    return made


@pytest.mark.parametrize("role", _alike())
@settings(
    max_examples=2, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=rows, held=posts, tree=trees, interest=st.sampled_from(["", "utilities"]))
def test_what_a_reader_may_not_see_changes_no_answer(
    city: City, role: str, drawn: list[dict[str, Any]], held: list[Any], tree: dict[str, str], interest: str
) -> None:
    person = city.people["drawn"]
    with transaction.atomic():
        for unit, above in tree.items():
            Unit.objects.filter(code=unit).update(parent=city.units[above])
        scope = hold(person, role, held, interest, city)
        cases = _made(drawn, person, city)
        shown = [c for c in cases if scope.allows("case.view", c)]
        # Of one it is asked what its own pages say: one that names another, where there is.
        shown.sort(key=lambda c: c.main_id is None and c.parent_id is None and not c.fields)
        hidden = [c for c in cases if c not in shown]
        Case.objects.filter(pk__in=[c.pk for c in hidden]).update(title=MARK, content=f"{MARK}{WORDS}")
        something = bool(hidden) and (bool(shown) or not scope.sees_cases())
        if something:
            before, inside = _world(person, shown), _within_walls(scope)
            _change(hidden, shown, NOW)
            after, inside_after = _world(person, shown, before), _within_walls(scope)
            _same_as_nothing(_Reader(person), hidden, shown)
        transaction.set_rollback(True)
    assume(something)  # to hide, and to show where the role shows anything
    assert inside == inside_after
    for address, answer in after.items():
        assert answer == before[address], address
    numbers = {c.number for c in hidden}
    for address, (_status, _tag, text) in before.items():
        assert MARK not in text, address
        assert not numbers & set(re.findall(r"\d{10,}", text)), address


def _same_as_nothing(reader: _Reader, hidden: list[Case], shown: list[Case]) -> None:
    """A case out of sight answers like one that does not exist, under its own number and beside another."""
    for case in hidden[:1]:
        case.refresh_from_db()
        addresses = [
            "/cases/{}/",
            "/api/v1/cases/{}",
            "/api/v1/cases?open=false&number={}",
            "/unit/cases/{}/",
        ]
        addresses += [f"/cases/{c.number}/merge/?with={{}}" for c in shown[:1]]
        for address in addresses:
            there, nowhere = (reader.ask("GET", address.format(n)) for n in (case.number, NONE))
            assert (there[0], there[2].replace(case.number, NONE)) == (nowhere[0], nowhere[2]), address


def test_the_roles_drawn_are_those_of_the_catalogue(city: City) -> None:
    """So that a role that is added later, or changed, is drawn too."""
    ways = {(r.reach, frozenset(r.capabilities)) for r in Role.objects.all()}
    drawn = {(r.reach, frozenset(r.capabilities)) for r in Role.objects.filter(code__in=_alike())}
    assert drawn == ways


def test_what_a_reader_sees_does_change_the_answers(city: City) -> None:
    """The comparison can fail: else nothing above would prove anything."""
    case = factories.received(content=WORDS)
    person = city.people["dispatcher"]
    before = _world(person, [case])
    _change([case], [], NOW)
    after = _world(person, [])
    told = {address for address in after if before[address] != after[address]}
    assert {"/board/", "/api/v1/queues", "/overview/", "/api/v1/triage/propose", "/desk/propose/"} <= told
