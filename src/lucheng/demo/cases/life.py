"""One case in memory, and the steps of the life cycle carried out on it as the engine does, without a database.

The rows of :data:`lucheng.core.cases.lifecycle.TRANSITIONS` and the clocks of :mod:`lucheng.core.clocks.service` are
used as they are; what the engine does around them is repeated here for speed, and a test sends generated stories
through the real engine and compares every event.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, cast

from lucheng.core.cases.lifecycle import BY_ACTION, FIELDS, Transition
from lucheng.core.cases.models import ENDED, Supervision
from lucheng.core.clocks import service
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.clocks.models import Clock
from lucheng.core.clocks.service import PlannedClock
from lucheng.core.dispatch.catalogue import Decision
from lucheng.core.ledger import chain
from lucheng.core.ledger.append import SYSTEM
from lucheng.core.organisation.models import Unit
from lucheng.demo.cases.effects import EFFECTS, Step
from lucheng.demo.cases.records import Event, Helper, Ticking, Told, digest, encode, link
from lucheng.demo.cases.world import World

_ENDED = frozenset(s.value for s in ENDED)
_TEXTS = frozenset(name for name, f in FIELDS.items() if f.kind in ("line", "text"))
_SAID = ("", "clock.warned", "clock.urged", "clock.escalated")
_OF_THE_CENTRE = ("dispatch", "callback")


class Over(Exception):  # noqa: N818 (not an error)
    """The story has come to the present: what would happen next has not happened yet."""


@dataclass(slots=True)
class Life:
    """One case. Attributes are the columns of :class:`lucheng.core.cases.models.Case`."""

    world: World
    #: The present: nothing happens after it.
    until: dt.datetime
    id: int
    number: str
    code: str
    kind: str
    channel: str
    nature: str
    urgency: str
    created_at: dt.datetime
    place: str
    title: str = ""
    content: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    name: str = ""
    phone: str = ""
    anonymous: bool = False
    confidential: bool = False
    reply_wanted: bool = True
    collective: bool = False
    occurred_at: dt.datetime | None = None
    intake_by: int | None = None
    accused_unit: int | None = None
    parent: Life | None = None
    has_requester: bool = True
    #: The matter decided by whoever took it in, and the place it was born with.
    given: str = ""
    born: str = ""
    #: A state in which the case shall come to rest, for a city that has cases in every one.
    rest: str = ""

    state: str = ""
    matter: str = ""
    lead_unit: int | None = None
    units: list[int] = field(default_factory=list)
    handler: int | None = None
    rule: int | None = None
    named_after_study: bool = False
    main: Life | None = None
    suspended_until: dt.date | None = None
    supervision: str = ""
    reworks: int = 0
    returns: int = 0
    public_reply: str = ""
    contacted: bool | None = None
    solved: bool | None = None
    satisfaction: int | None = None
    appealed_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    dispatched_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None

    head: bytes = chain.GENESIS
    events: list[Event] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    live: dict[str, Ticking] = field(default_factory=dict)
    clocks: list[Ticking] = field(default_factory=list)
    helpers: dict[int, Helper] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    #: Raised at, why, settled at.
    alarm: tuple[dt.datetime, str, dt.datetime | None] | None = None
    #: Matter and place as decided by a person, and when.
    decided: tuple[str, str, dt.datetime | None] = ("", "", None)
    #: What was proposed: matter, probability, place, score.
    proposed: tuple[str, float | None, str, float | None] = ("", None, "", None)
    #: What the next step of the life cycle reads of its reply.
    last_reply: str = ""

    # --- how it begins ----------------------------------------------------------------------------------------------

    def draft(self, actor: int, role: str) -> None:
        """Be written and not yet sent: no clock runs."""
        self.intake_by, self.state = actor, "draft"
        self._append("create", self._born("draft"), actor, role, self.created_at)

    def _born(self, state: str) -> dict[str, Any]:
        return {
            "from": "",
            "to": state,
            "kind": self.kind,
            "channel": self.channel,
            "nature": self.nature,
            "place": self.place,
            "content": chain.text_digest(self.content),
        }

    def create(self, actor: int | None, role: str, *, matter: str = "", dispatch: bool = False) -> None:
        """Come in, as :func:`lucheng.core.cases.intake.create` writes it: received, or dispatched at once."""
        now = self.created_at
        self.intake_by, self.matter = actor, matter
        self.given, self.born = matter, self.place
        known = matter or self.proposed[0]
        body = self._born("received")
        if self.parent is not None:
            body["parent"] = self.parent.number
        self.state = "received"
        self._append("create", body, actor, role, now)
        if self.has_requester and self.phone and not self.anonymous and self.reply_wanted:
            self._message(now, "sms", "received", None)
        operations = ["start:dispatch"]
        self.decided = (matter, self.place, now if matter else None)
        if dispatch:
            body = {"from": "received", "to": "accepted", "matter": matter, "place": self.place}
            self._append("accept", body, actor, role, now)
            self.state = "accepted"
            decision = self.world.decide(matter, self.place)
            if decision is None:
                self.raise_alarm(now)
            elif self.accused_unit is None:
                operations += BY_ACTION["dispatch", "accepted"].clock_operations(
                    contact=self._to_be_contacted()
                )
                self._dispatch_at_once(decision, actor, role, now)
        self._start_clocks(operations, known, now)

    def _dispatch_at_once(self, decision: Decision, actor: int | None, role: str, now: dt.datetime) -> None:
        units = list(dict.fromkeys([decision.lead_unit_id, *decision.assist_unit_ids]))
        body: dict[str, Any] = {
            "from": "accepted",
            "to": "dispatched",
            "by": "catalogue",
            "rule": decision.rule_id,
            "version": decision.version,
            "lead": units[0],
            "assists": units[1:],
        }
        self._append("dispatch", body, actor, role, now)
        self.state, self.lead_unit, self.units, self.rule = "dispatched", units[0], units, decision.rule_id
        self.dispatched_at = now
        self.helpers = {u: Helper(now) for u in units[1:]}
        self._message(now, "in_app", "dispatched_unit", units[0])
        for unit in units[1:]:
            self._message(now, "in_app", "assist_unit", unit)
        if decision.copy_unit_id is not None:
            self._message(now, "in_app", "dispatched_copy", decision.copy_unit_id)

    def _start_clocks(self, operations: list[str], matter: str, now: dt.datetime) -> None:
        running = [op.partition(":")[2] for op in operations if not op.startswith("stop:")]
        planned = service.plan(
            running, case_kind=self.kind, nature=self.nature, urgency=self.urgency, matter=matter, now=now
        )
        for p in planned:
            clock = _start(self, p)
            self.clocks.append(clock)
            if p.kind == "dispatch" and self.state == "dispatched":
                clock.state, clock.ended_at, clock.next_at = "met", now, None
            else:
                self.live[p.kind] = clock
        self.due_at = min((c.due_at for c in self.live.values()), default=None)

    # --- steps ------------------------------------------------------------------------------------------------------

    def step(
        self,
        action: str,
        at: dt.datetime,
        actor: int | None,
        role: str,
        fields: dict[str, Any] | None = None,
        *,
        main: Life | None = None,
        helper: int | None = None,
    ) -> None:
        """Carry out ``action``. ``fields`` are codes, flags, ids and texts; a merged case also gets its ``main``, a
        report its ``helper`` unit.

        Raises Over where ``at`` lies after the present, and where the case has come to rest; KeyError where the life
        cycle has no such step from here.
        """
        self.sweep(at)
        if at > self.until:
            raise Over
        fields = fields or {}
        row = BY_ACTION[action, self.state]
        before = self.state
        taken = Step(row.action, fields, at, actor, main, helper)
        EFFECTS[row.effect](self, taken)
        if "public_reply" in fields:
            self.last_reply = fields["public_reply"]
        if row.to is not None:
            self.state = row.to.value
        ticks = self._turn(
            row.clock_operations(contact=self._to_be_contacted()), at, fields.get("reason", row.action)
        )
        body: dict[str, Any] = {"from": before, "to": self.state}
        texts = {}
        for name, value in fields.items():
            if name in _TEXTS:
                texts[name] = value
            elif isinstance(value, dt.date):
                body[name] = value.isoformat()
            else:
                body[name] = value
        body |= taken.says
        if texts:
            body["texts"] = {n: digest(t) for n, t in texts.items()}
        if ticks:
            body["clocks"] = ticks
        self._append(row.action, body, actor, role, at)
        self.texts += [(len(self.events), n, t) for n, t in texts.items()]
        self._tell(row, at)
        if row.to is not None and self.state == self.rest:
            raise Over

    def split(self, at: dt.datetime, actor: int, role: str, parts: list[str]) -> None:
        """Matters are taken out of the case; the parts are made by whoever calls."""
        self.sweep(at)
        self._append("split", {"from": self.state, "to": self.state, "parts": parts}, actor, role, at)

    def _to_be_contacted(self) -> bool:
        return not self.anonymous and self.reply_wanted and self.nature != "finding"

    def ask_catalogue(self, at: dt.datetime) -> None:
        if self.world.decide(self.matter, self.place) is None:
            self.raise_alarm(at)
        else:
            self.settle_alarm(at)

    def raise_alarm(self, at: dt.datetime) -> None:
        self.alarm = (at, self.world.why_none(self.matter, self.place), None)

    def settle_alarm(self, at: dt.datetime) -> None:
        if self.alarm is not None and self.alarm[2] is None:
            self.alarm = (self.alarm[0], self.alarm[1], at)

    def _turn(self, operations: tuple[str, ...], at: dt.datetime, cause: str) -> list[dict[str, Any]]:
        if not operations:
            return []
        live = cast("dict[str, Clock]", self.live)
        start = cast(Any, _start)
        written, done = service.turn(live, cast(Any, self), operations, at, cause=cause, start=start)
        known = {id(c) for c in self.clocks}
        self.clocks += [cast(Ticking, c) for c in written if id(c) not in known]
        self.due_at = service.first_due(live)
        return done

    # --- the passing of time ----------------------------------------------------------------------------------------

    def sweep(self, until: dt.datetime) -> None:
        """Say what the clocks had to say until a moment, each thing when it was due."""
        limit = min(until, self.until)
        while True:
            due = [c for c in self.live.values() if c.next_at is not None and c.next_at <= limit]
            if not due:
                return
            clock = min(due, key=lambda c: cast(dt.datetime, c.next_at))
            assert clock.next_at is not None  # it is due
            self._say(clock, max(clock.next_at, self.events[-1].at))

    def _say(self, clock: Ticking, at: dt.datetime) -> None:
        if self.state in _ENDED:
            clock.next_at = None
            return
        clock.stage += 1
        body: dict[str, Any] = {
            "clock": clock.kind,
            "due_at": clock.due_at.astimezone(dt.UTC).isoformat(),
            "amount": clock.amount,
            "unit": str(clock.unit),
        }
        if clock.stage == 1:
            clock.next_at = clock.due_at
        elif clock.stage == 2:
            clock.next_at = service.escalate_at(cast(Any, self), cast(Clock, clock), clock.due_at)
        else:
            clock.next_at = None
            if self.supervision == "":
                self.supervision = Supervision.DAILY.value
                body |= {"supervision": self.supervision, "ground": "overdue"}
        action = _SAID[clock.stage]
        self._append(action, body, None, SYSTEM, at)
        centre = clock.stage == 3 or clock.kind in _OF_THE_CENTRE or self.lead_unit is None
        params = {
            "clock": self.world.clock_names[clock.kind],
            "due": clock.due_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M"),
        }
        unit = self.world.hotline if centre else self.lead_unit
        self.told.append(Told(at, "in_app", action.replace(".", "_"), params, unit))

    # --- what is written --------------------------------------------------------------------------------------------

    def _append(
        self, action: str, body: dict[str, Any], actor: int | None, role: str, at: dt.datetime
    ) -> None:
        seq = len(self.events) + 1
        text = encode(body)
        stamp = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        head = link(self.head, self.id, seq, stamp, actor, role, action, text)
        self.events.append(Event(seq, at, stamp, actor, role, action, text, self.head, head))
        self.head = head

    def _tell(self, row: Transition, at: dt.datetime) -> None:
        for template, whom in row.tells:
            if whom == "requester":
                if self.has_requester and self.reply_wanted and not self.anonymous and self.phone:
                    self._message(at, "sms", template, None)
            elif whom == "lead":
                if self.lead_unit is not None:
                    self._message(at, "in_app", template, self.lead_unit)
            elif whom == "assists":
                for unit, helper in self.helpers.items():
                    if helper.asked_at == at:
                        self._message(at, "in_app", template, unit)
            elif whom == "county" and self.lead_unit is not None:
                _code, kind, place = self.world.units[self.lead_unit]
                if kind == Unit.Kind.STREET and (county := self.world.by_code.get(f"{place[:6]}-government")):
                    self._message(at, "in_app", template, county)

    def _message(self, at: dt.datetime, channel: str, template: str, to_unit: int | None) -> None:
        self.told.append(Told(at, channel, template, {"number": self.number}, to_unit))


def _start(life: Life, planned: PlannedClock) -> Ticking:
    return Ticking(
        kind=planned.kind,
        amount=planned.amount,
        unit=planned.unit,
        basis=planned.basis,
        started_at=planned.started_at,
        warn_at=planned.warn_at,
        due_at=planned.due_at,
        next_at=planned.next_at,
    )
