"""Cases on their way into the database: rows for every table they touch, copied a batch at a time."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Model

from lucheng.core.cases import codes
from lucheng.core.cases.models import Assist, Case, Text
from lucheng.core.clocks.models import Clock
from lucheng.core.copy import copy, quiet, set_sequence, without_indexes, without_triggers
from lucheng.core.dispatch.models import Alarm
from lucheng.core.ledger.models import Event, Message
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact
from lucheng.core.sheets import Progress
from lucheng.core.triage.models import Advice
from lucheng.demo.cases import rhythm
from lucheng.demo.cases.generate import lives
from lucheng.demo.cases.life import Life
from lucheng.demo.cases.records import encode
from lucheng.demo.cases.world import World

#: What proposed the matters and places of generated cases: no trained model did.
MODEL = "demo"
_BATCH = 4

TABLES: tuple[type[Model], ...] = (Case, Event, Text, Clock, Assist, Contact, Message, Alarm, Advice)

_CASE = [
    "id", "number", "code", "kind", "state", "version", "channel", "source_ref", "language", "anonymous",
    "confidential", "reply_wanted", "intake_by_id", "nature", "matter", "title", "content", "urgency", "collective",
    "occurred_at", "fields", "place", "address", "lon", "lat", "lead_unit_id", "units", "handler_id", "rule_id",
    "named_after_study", "accused_unit_id", "main_id", "parent_id", "suspended_until", "supervision", "reworks",
    "returns", "public_reply", "contacted", "solved", "satisfaction", "appealed_at", "created_at", "due_at",
    "dispatched_at", "closed_at", "chain_length", "chain_head",
]  # fmt: skip
_CLOCK = [
    "case_id", "kind", "state", "amount", "unit", "basis", "started_at", "warn_at", "due_at", "paused_at",
    "pause_cause", "ended_at", "stage", "next_at", "failures",
]  # fmt: skip
_MESSAGE = [
    "case_id", "channel", "template", "params", "to_unit_id", "state", "created_at", "next_at", "attempts", "sent_at",
    "error",
]  # fmt: skip
_ADVICE = [
    "case_id", "model_version", "matter", "matter_probability", "place", "place_score", "decided_matter",
    "decided_place", "decided_at",
]  # fmt: skip


def generate_cases(
    world: World,
    count: int,
    seed: int,
    until: dt.datetime,
    *,
    days: int | None = None,
    report: Progress = quiet,
) -> int:
    """Make ``count`` cases of the ``days`` before ``until`` and write them, after those that are there already.

    Called in a transaction. Indexes are made anew at the end. Returns the number of events written.
    """
    days = days or rhythm.plan()["days"]
    since = until - dt.timedelta(days=rhythm.plan()["messages_days"])
    events = done = 0
    with without_triggers(), without_indexes(TABLES), _no_collector():
        batch: list[Life] = []
        for n, block in enumerate(
            lives(world, count, seed, until, days=days, first_id=_reserve(count)), start=1
        ):
            batch += block
            if n % _BATCH == 0:
                events += _write(batch, since, until)
                done += len(batch)
                batch = []
            report(done + len(batch), count)
        events += _write(batch, since, until)
    for model in TABLES:
        if model is not Case:
            set_sequence(model)
    return events


@contextmanager
def _no_collector() -> Iterator[None]:
    """Millions of objects without a cycle among them: looking for cycles would cost a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _reserve(count: int) -> int:
    """The first of ``count`` case numbers, taken in whole blocks as new cases take theirs (see codes.Numbers)."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('case_block')")
        first = int(cursor.fetchone()[0])
        blocks = max(1, -(-count // codes.BLOCK))
        cursor.execute("select setval('case_block', %s)", [first + (blocks - 1) * codes.BLOCK])
    return first


def _write(batch: Sequence[Life], since: dt.datetime, until: dt.datetime) -> int:
    copy(Case, _CASE, map(_case, batch))
    events = copy(
        Event,
        ["case_id", "seq", "at", "actor_id", "actor_role", "action", "body", "prev", "hash"],
        (
            (c.id, e.seq, e.stamp, e.actor, e.role, e.action, e.body.decode(), e.prev, e.hash)
            for c in batch
            for e in c.events
        ),
    )
    copy(Text, ["case_id", "seq", "name", "text"], ((c.id, *text) for c in batch for text in c.texts))
    copy(Clock, _CLOCK, _clocks(batch))
    copy(
        Assist,
        ["case_id", "unit_id", "asked_at", "replied_at", "reply"],
        ((c.id, unit, h.asked_at, h.replied_at, h.reply) for c in batch for unit, h in c.helpers.items()),
    )
    copy(Contact, ["case_id", "name", "phone", "phone_mask", "phone_index"], _contacts(batch))
    copy(Message, _MESSAGE, _messages(batch, since, until))
    copy(
        Alarm,
        ["case_id", "why", "raised_at", "settled_at"],
        ((c.id, c.alarm[1], c.alarm[0], c.alarm[2]) for c in batch if c.alarm is not None),
    )
    copy(Advice, _ADVICE, ((c.id, MODEL, *c.proposed, *c.decided) for c in batch))
    return events


def _case(c: Life) -> tuple[Any, ...]:
    return (
        c.id, c.number, c.code, c.kind, c.state, len(c.events), c.channel, "", "zh", c.anonymous,
        c.confidential, c.reply_wanted, c.intake_by, c.nature, c.matter, c.title, c.content, c.urgency, c.collective,
        c.occurred_at, "{}", c.place, c.address, c.lon, c.lat, c.lead_unit, _array(c.units), c.handler, c.rule,
        c.named_after_study, c.accused_unit, c.main.id if c.main is not None else None,
        c.parent.id if c.parent is not None else None, c.suspended_until, c.supervision, c.reworks, c.returns,
        c.public_reply, c.contacted, c.solved, c.satisfaction, c.appealed_at, c.created_at, c.due_at, c.dispatched_at,
        c.closed_at, len(c.events), c.head,
    )  # fmt: skip


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _clocks(batch: Iterable[Life]) -> Iterator[tuple[Any, ...]]:
    for c in batch:
        for k in c.clocks:
            yield (
                c.id, k.kind, str(k.state), k.amount, str(k.unit), k.basis, k.started_at, k.warn_at, k.due_at,
                k.paused_at, k.pause_cause, k.ended_at, k.stage, k.next_at, 0,
            )  # fmt: skip


def _contacts(batch: Iterable[Life]) -> Iterator[tuple[Any, ...]]:
    for c in batch:
        if c.phone or c.name:
            sealed = contacts.sealed(c.id, name=c.name, phone=c.phone)
            yield c.id, sealed.name, sealed.phone, sealed.phone_mask, sealed.phone_index


def _messages(batch: Iterable[Life], since: dt.datetime, until: dt.datetime) -> Iterator[tuple[Any, ...]]:
    for c in batch:
        for m in c.told:
            if m.at < since:
                continue
            params = encode(m.params).decode()
            sent = m.at + dt.timedelta(seconds=4)
            if sent < until:
                state: tuple[Any, ...] = ("sent", m.at, None, 1, sent)
            else:
                state = ("waiting", m.at, m.at, 0, None)
            yield c.id, m.channel, m.template, params, m.to_unit, *state, ""
