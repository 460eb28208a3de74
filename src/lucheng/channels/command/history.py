"""The events of one case in words: who did what as whom, what was written, and the seal that proves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from lucheng.core.cases import kinds
from lucheng.core.cases.lifecycle import EVENT_NAMES, FIELDS
from lucheng.core.cases.models import Case, State, Supervision, Urgency
from lucheng.core.clocks.account import length, moment
from lucheng.core.clocks.models import Clock, ClockKind, TimeUnit
from lucheng.core.dispatch import matters
from lucheng.core.ledger.append import REQUESTER, SYSTEM
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.models import Role, Unit
from lucheng.core.places import names
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import What

Words = str | Promise

_OPERATIONS: dict[str, Words] = {
    "start": gettext_lazy("starts"),
    "stop": gettext_lazy("ends"),
    "cancel": gettext_lazy("cancelled, no longer owed"),
    "pause": gettext_lazy("held"),
    "resume": gettext_lazy("runs on"),
    "extend": gettext_lazy("extended"),
}

#: What the body of an event says under names of its own, and which unit fields it has.
_UNITS = (
    "lead",
    "assists",
    "assist",
    "lead_unit",
    "assist_units",
    "proposed_unit",
    "assist_unit",
    "accused_unit",
)
_LABELS: dict[str, Words] = {
    "lead": gettext_lazy("lead unit"),
    "assists": gettext_lazy("assisting units"),
    "assist": gettext_lazy("assisting unit"),
}


@dataclass
class Entry:
    """One event as a page shows it."""

    event: Event
    title: Words
    #: Where it brought the case, where it moved it.
    to: Words = ""
    who: str = ""
    role: Words = ""
    #: What was decided and recorded with it: label and value.
    facts: list[tuple[Words, Words]] = field(default_factory=list)
    #: What was written: label and text.
    texts: list[tuple[Words, str]] = field(default_factory=list)
    #: What it did to the clocks, a line each.
    clocks: list[str] = field(default_factory=list)

    @property
    def seal(self) -> str:
        return bytes(self.event.hash).hex()

    @property
    def before(self) -> str:
        return bytes(self.event.prev).hex()


def read(case: Case) -> tuple[list[Event], dict[int, dict[str, str]]]:
    """The case's events in order, with their actors, and what was written in each by the field's name. Two queries."""
    texts: dict[int, dict[str, str]] = {}
    for t in case.texts.order_by("id"):
        texts.setdefault(t.seq, {})[t.name] = t.text
    return list(case.events.select_related("actor").order_by("seq")), texts


def entries(
    case: Case, events: Sequence[Event], texts: Mapping[int, Mapping[str, str]], *, reasons: bool
) -> list[Entry]:
    """The events in words, oldest first. ``reasons``: the reader may know why somebody looked at the contact. Two
    queries."""
    ids = {i for e in events for name in _UNITS for i in _ids(e.body.get(name))}
    units = dict(Unit.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    roles = role_names(e.actor_role for e in events)
    kind = kinds.KINDS[case.kind]
    found = []
    for e in events:
        body = e.body
        entry = Entry(
            e,
            EVENT_NAMES.get(e.action, e.action),
            who=e.actor.name if e.actor is not None else "",
            role=roles.get(e.actor_role, e.actor_role),
        )
        if body.get("to") in State.values and body.get("to") != body.get("from"):
            entry.to = kind.state_name(body["to"])
        entry.facts = _facts(body, units)
        if e.action in ("contact_revealed", "exported") and reasons:
            entry.texts.append((FIELDS["reason"].label, str(body.get("reason", ""))))
            opened = [str(contacts.FIELDS[f]) for f in body.get("fields", ()) if f in contacts.FIELDS]
            if opened:
                entry.facts.append((_("Opened"), _(", ").join(opened)))
        entry.texts += [
            (FIELDS[n].label if n in FIELDS else n, text) for n, text in texts.get(e.seq, {}).items()
        ]
        entry.clocks = [_clock(said) for said in body.get("clocks") or ()]
        if e.action.startswith("clock.") and body.get("clock") in ClockKind.values:
            entry.clocks.append(_("%(clock)s limit") % {"clock": ClockKind(body["clock"]).label})
        found.append(entry)
    return found


def role_names(codes: Iterable[str]) -> dict[str, Words]:
    """The names of roles in the reader's language, by code. One query."""
    found: dict[str, Words] = {REQUESTER: _("requester"), SYSTEM: _("by itself")}
    english = (get_language() or "").startswith("en")
    for code, name, name_en in Role.objects.filter(pk__in=set(codes)).values_list("code", "name", "name_en"):
        found[code] = name_en if english else name
    return found


def _ids(value: Any) -> list[int]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int)]


def _facts(body: Mapping[str, Any], units: Mapping[int, str]) -> list[tuple[Words, Words]]:
    facts: list[tuple[Words, Words]] = []
    for name, value in body.items():
        if name in _UNITS:
            # A dispatch says the units it came to, by hand or by the catalogue: once is enough.
            if name in ("lead_unit", "assist_units") and "lead" in body:
                continue
            called = "、".join(units.get(i, "") for i in _ids(value))
            if called:
                facts.append((_LABELS.get(name) or FIELDS[name].label, called))
        elif name == "urgency" and value in Urgency.values:
            facts.append((_("Urgency"), Urgency(value).label))
        elif name == "ground" and (why := dict(FIELDS["supervision_ground"].choices).get(value)):
            facts.append((_("ground"), why))
        elif name == "supervision" and value in Supervision.values:
            facts.append((_("level"), Supervision(value).label))
        elif name == "destroyed" and value in What.values:
            facts.append((_("what went"), What(value).label))
        elif name in FIELDS and (shown := _value(name, value)):
            facts.append((FIELDS[name].label, shown))
    return facts


def _value(name: str, value: Any) -> Words:
    match FIELDS[name].kind:
        case "choice":
            return dict(FIELDS[name].choices).get(value, "")
        case "flag":
            return _("yes") if value else _("no")
        case "matter":
            return matters.name(str(value))
        case "place":
            return names.place_name(str(value)) if value else ""
        case "days":
            return str(value)
        case "date":
            day = parse_date(str(value))
            return date_format(day, _("F j, Y")) if day else ""
    return ""


def _clock(said: Mapping[str, Any]) -> str:
    clock, op = said.get("clock"), said.get("op", "")
    if clock not in ClockKind.values or op not in _OPERATIONS:
        return ""
    words = _("%(clock)s limit: %(what)s") % {"clock": ClockKind(clock).label, "what": _OPERATIONS[op]}
    if said.get("result") in (Clock.State.MET, Clock.State.MISSED):
        words += _(", ") + str(Clock.State(said["result"]).label)
    due = parse_datetime(said["due_at"]) if isinstance(said.get("due_at"), str) else None
    if op in ("start", "extend", "resume") and due is not None:
        if op == "start" and said.get("unit") in TimeUnit.values:
            words += _(", ") + length(said["amount"], said["unit"])
        words += _(", ") + _("due %(at)s") % {"at": moment(due)}
    return words
