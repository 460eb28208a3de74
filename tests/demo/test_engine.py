"""Generated stories are what the engine itself would have written: each is sent through it step by step, with every
rule of law in force, and compared event by event, clock by clock and message by message."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest
from django.test import TestCase

from lucheng.core.cases import engine, intake
from lucheng.core.cases.lifecycle import BY_ACTION
from lucheng.core.cases.models import Assist, Case, Text
from lucheng.core.clocks import sweep
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.clocks.models import Clock
from lucheng.core.copy import quiet
from lucheng.core.dispatch.models import Alarm
from lucheng.core.ledger.models import Event as LedgerEvent
from lucheng.core.ledger.models import Message
from lucheng.core.organisation.access import Scope, scope_of
from lucheng.core.organisation.models import Person
from lucheng.core.sheets import Progress
from lucheng.core.triage.classify import MatterProposal
from lucheng.demo import city
from lucheng.demo.cases import world
from lucheng.demo.cases.generate import lives
from lucheng.demo.cases.life import Life
from lucheng.demo.cases.records import Event

UNTIL = dt.datetime(2026, 3, 18, 15, 0, tzinfo=ZONE)
#: What follows in the engine by itself from another step.
FOLLOWS = {"follow", "release"}


@contextlib.contextmanager
def silent(name: str) -> Iterator[Progress]:
    yield quiet


def chosen(every: list[Life]) -> list[Life]:
    """The fewest lives that a greedy choice needs to show each action from each state, with their relations."""
    seen: set[tuple[str, str]] = set()
    taken: dict[int, Life] = {}
    by_number = {x.number: x for x in every}
    merged_into = {
        x.id: by_number[json.loads(e.body)["main"]] for x in every for e in x.events if e.action == "merge"
    }

    def take(life: Life) -> None:
        if life.id in taken:
            return
        taken[life.id] = life
        seen.update(key(event) for event in life.events)
        related = [merged_into.get(life.id), life.parent]
        related += [x for x in every if merged_into.get(x.id) is life or x.parent is life]
        for other in related:
            if other is not None:
                take(other)

    def key(event: Event) -> tuple[str, str]:
        return event.action, json.loads(event.body).get("from", "")

    for life in sorted(every, key=lambda x: -len({key(e) for e in x.events})):
        if life.state != "draft" and any(key(e) not in seen for e in life.events):
            take(life)
    return sorted(taken.values(), key=lambda x: x.id)


class Replay:
    """Sends lives through the engine in the order of time."""

    def __init__(self, every: list[Life]) -> None:
        self.every = every
        self.numbers: dict[str, str] = {}  # of the story → of the engine
        self.ids: dict[int, int] = {}
        self.people = {p.pk: p for p in Person.objects.all()}
        self.scopes: dict[int, Scope] = {}

    def run(self) -> None:
        steps = [(e.at, life.id, e.seq, life, e) for life in self.every for e in life.events]
        for at, _id, _seq, life, event in sorted(steps, key=lambda s: s[:3]):
            body = json.loads(event.body)
            if event.action == "create":
                if life.parent is None:
                    self.create(life, event)
            elif event.seq <= 3 and life.events[0].at == at and self._at_once(life, event):
                continue  # part of the create
            elif event.action.startswith("clock."):
                # Once for all clocks due by then: the others' events are there already when their turn comes.
                while sweep.sweep(at):
                    pass
            elif event.action == "split":
                self.split(life, event)
            elif event.action not in FOLLOWS:
                self.act(life, event, body)

    @staticmethod
    def _at_once(life: Life, event: Event) -> bool:
        return event.role == life.events[0].role and event.actor == life.events[0].actor

    def scope(self, person: int) -> Scope:
        if person not in self.scopes:
            self.scopes[person] = scope_of(self.people[person], UNTIL.date())
        return self.scopes[person]

    def create(self, life: Life, event: Event) -> None:
        at_once = len(life.events) > 1 and life.events[1].at == event.at and life.events[1].action == "accept"
        made = intake.create(
            intake.NewCase(
                kind=life.kind,
                nature=life.nature,
                content=life.content,
                channel=life.channel,
                title=life.title,
                matter=life.given,
                place=life.born,
                address=life.address,
                lon=life.lon,
                lat=life.lat,
                name=life.name,
                phone=life.phone,
                anonymous=life.anonymous,
                confidential=life.confidential,
                reply_wanted=life.reply_wanted,
                collective=life.collective,
                occurred_at=life.occurred_at,
                accused_unit=life.accused_unit,
                dispatch=at_once,
            ),
            actor=self.people[event.actor] if event.actor is not None else None,
            role=event.role,
            now=event.at,
        )
        self._known(life, Case.objects.get(pk=made.id))

    def _known(self, life: Life, case: Case) -> None:
        self.numbers[life.number], self.ids[life.id] = case.number, case.pk

    def act(self, life: Life, event: Event, body: dict[str, Any]) -> None:
        row = BY_ACTION[event.action, body["from"]]
        texts = {n: t for seq, n, t in life.texts if seq == event.seq}
        raw = {n: texts.get(n, body.get(n)) for n in (*row.needs, *row.takes) if n in texts or n in body}
        if "main" in raw:
            raw["main"] = self.numbers[raw["main"]]
        case = Case.objects.get(pk=self.ids[life.id])
        if event.actor is None:
            engine.act_as_requester(case.code, event.action, raw, now=event.at)
        else:
            actor = self.people[event.actor]
            engine.act(
                case.number,
                event.action,
                raw,
                actor=actor,
                scope=self.scope(event.actor),
                version=case.version,
                now=event.at,
            )

    def split(self, life: Life, event: Event) -> None:
        parts = [x for x in self.every if x.parent is life]
        case = Case.objects.get(pk=self.ids[life.id])
        assert event.actor is not None
        made = engine.split(
            case.number,
            [{"title": p.title, "content": p.content} for p in parts],
            actor=self.people[event.actor],
            scope=self.scope(event.actor),
            version=case.version,
            now=event.at,
        )
        for part, new in zip(parts, made, strict=True):
            self._known(part, new)


class GeneratedStoriesAreTheEngines(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        city.make(5, UNTIL, silent, scale=0.004, cases=0)
        here = world.load(5, UNTIL.date())
        every = [x for block in lives(here, 3000, 5, UNTIL, days=365, first_id=50_000_000) for x in block]
        cls.lives = chosen(every)
        cls.numbers_of_all = {e.action for x in every for e in x.events}
        cls.proposals = defaultdict(list)  # in the order of time; few texts are the same as another's
        for x in cls.lives:
            cls.proposals[f"{x.title} {x.content}"].append(x.proposed[:2])
        asked: Counter[str] = Counter()

        def proposed(text: str) -> MatterProposal:
            matter, probability = cls.proposals[text][asked[text]]
            asked[text] += 1
            return MatterProposal(matter, probability or 0.0, (), "demo")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(intake.classify, "propose_matter", proposed)
            cls.replay = Replay(cls.lives)
            cls.replay.run()

    def pairs(self) -> Iterator[tuple[Life, Case]]:
        for life in self.lives:
            yield life, Case.objects.get(pk=self.replay.ids[life.id])

    def test_every_action_of_the_stories_was_tried(self) -> None:
        tried = {e.action for x in self.lives for e in x.events}
        assert tried == self.numbers_of_all
        assert {
            "merge",
            "follow",
            "split",
            "suspend",
            "resume",
            "grant_extension",
            "redispatch",
            "reopen",
        } <= tried

    def test_events_are_the_same(self) -> None:
        names = self.replay.numbers
        for life, case in self.pairs():
            written = LedgerEvent.objects.filter(case=case).order_by("seq")
            theirs = [(e.seq, e.at, e.actor_id, e.actor_role, e.action, e.body) for e in written]
            ours = []
            for e in life.events:
                text = e.body.decode()
                for story, real in names.items():
                    text = text.replace(story, real)
                ours.append((e.seq, e.at, e.actor, e.role, e.action, json.loads(text)))
            assert theirs == ours, f"{life.number} {[e[4] for e in ours]}"

    def test_the_case_stands_where_the_story_left_it(self) -> None:
        for life, case in self.pairs():
            for ours, theirs in (
                ("state", "state"), ("matter", "matter"), ("place", "place"), ("urgency", "urgency"),
                ("lead_unit", "lead_unit_id"), ("handler", "handler_id"), ("rule", "rule_id"),
                ("named_after_study", "named_after_study"), ("supervision", "supervision"), ("reworks", "reworks"),
                ("returns", "returns"), ("public_reply", "public_reply"), ("contacted", "contacted"),
                ("solved", "solved"), ("satisfaction", "satisfaction"), ("appealed_at", "appealed_at"),
                ("due_at", "due_at"), ("dispatched_at", "dispatched_at"), ("closed_at", "closed_at"),
                ("created_at", "created_at"), ("intake_by", "intake_by_id"), ("anonymous", "anonymous"),
                ("title", "title"), ("content", "content"), ("address", "address"), ("lon", "lon"), ("lat", "lat"),
            ):  # fmt: skip
                assert getattr(life, ours) == getattr(case, theirs), (life.number, ours, life.state)
            assert sorted(life.units) == sorted(case.units)
            assert case.chain_length == case.version == len(life.events)

    def test_clocks_are_the_same(self) -> None:
        columns = (
            "kind", "state", "amount", "unit", "basis", "started_at", "warn_at", "due_at", "paused_at", "pause_cause",
            "ended_at", "stage", "next_at",
        )  # fmt: skip
        for life, case in self.pairs():
            theirs = list(Clock.objects.filter(case=case).order_by("id").values_list(*columns))
            ours = [tuple(getattr(c, name) for name in columns) for c in life.clocks]
            assert sorted(theirs, key=itemgetter(0, 5)) == sorted(ours, key=itemgetter(0, 5)), life.number

    def test_messages_are_the_same(self) -> None:
        names, messages = self.replay.numbers, Message.objects.all()
        for life, case in self.pairs():
            columns = ("created_at", "channel", "template", "to_unit_id", "params")
            theirs = [
                (at.astimezone(ZONE), *rest) for at, *rest in messages.filter(case=case).values_list(*columns)
            ]
            ours = [
                (m.at, m.channel, m.template, m.to_unit, {k: names.get(v, v) for k, v in m.params.items()})
                for m in life.told
            ]
            assert sorted(theirs, key=str) == sorted(ours, key=str), life.number

    def test_texts_helpers_alarms_and_advice_are_the_same(self) -> None:
        for life, case in self.pairs():
            assert set(Text.objects.filter(case=case).values_list("seq", "name", "text")) == set(life.texts)
            helpers = Assist.objects.filter(case=case).values_list(
                "unit_id", "asked_at", "replied_at", "reply"
            )
            assert set(helpers) == {(u, h.asked_at, h.replied_at, h.reply) for u, h in life.helpers.items()}
            alarms = list(Alarm.objects.filter(case=case).values_list("raised_at", "why", "settled_at"))
            assert alarms == ([life.alarm] if life.alarm is not None else []), life.number
            advice = case.advice
            assert (advice.matter, advice.matter_probability) in self.proposals[
                f"{life.title} {life.content}"
            ]
            decided = (advice.decided_matter, advice.decided_place, advice.decided_at)
            assert decided == life.decided, life.number
