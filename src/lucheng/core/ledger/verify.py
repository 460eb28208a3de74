"""Proving the ledger: every chain link by link, what the chains speak of, the acts of administrators, and the anchors
over all.

One transaction sees one moment of the database, so that work may go on meanwhile. Cases are read in batches by id, with
their events from the index on (case, number): memory stays the same for a thousand events and for ten million.

What can be told: an event that was changed, is missing, was put in or exchanged with another, inside a chain or at its
end; a case's row that disagrees with its chain; a text, the requester's words or a photograph that is not what it was;
an act that was changed, is missing or was put in; and, from the anchors, that events are missing with their whole case,
or acts at the end of theirs. What cannot be told from inside: whoever rules the database may rewrite everything,
anchors included. Against that, note the last anchor elsewhere (``lucheng ledger head``) and give it as ``witness``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from django.db import connection, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import attachments
from lucheng.core.cases.models import Attachment, Case, State, Text
from lucheng.core.errors import NotFound
from lucheng.core.errors import Text as Words
from lucheng.core.ledger import acts, anchors, chain
from lucheng.core.ledger.models import Act, Anchor, Event

BATCH = 500  # cases read at once
_LAST = 2**63 - 1


class Kind(StrEnum):
    """What is wrong, for programs."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    FORGED = "forged"
    OUT_OF_STEP = "out_of_step"
    CASE_MISSING = "case_missing"
    CONTENT = "content"
    ACT = "act"
    ANCHOR = "anchor"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. ``case`` is the order number ("" for acts and anchors), ``seq`` the number of the event
    or act, if one."""

    kind: Kind
    text: Words
    case: str = ""
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.case}: {self.text}" if self.case else str(self.text)


@dataclass
class Tally:
    """How far a verification has come."""

    events_in_all: int | None = None
    cases: int = 0
    events: int = 0
    acts: int = 0
    anchors: int = 0
    #: Events newer than the last anchor: a case that is missing whole is not noticed among them.
    not_anchored: int = 0
    findings: int = 0


class _Event(NamedTuple):
    case_id: int
    seq: int
    at: dt.datetime
    actor_id: int | None
    actor_role: str
    action: str
    body: Any
    prev: bytes
    hash: bytes

    def is_link(self, seq: int) -> bool:
        """Whether the stored hash is the one of this content as number ``seq``."""
        try:
            return self.hash == chain.link(
                self.prev, self.case_id, seq, self.at, self.actor_id, self.actor_role, self.action, self.body
            )
        except (TypeError, AttributeError):  # a body that no event can have
            return False


class _Row(NamedTuple):
    id: int
    number: str
    state: str
    content: str
    chain_length: int
    chain_head: bytes


@dataclass
class _Batch:
    """Some cases and all that their chains speak of."""

    rows: list[_Row]
    events: dict[int, list[_Event]]
    texts: dict[tuple[int, int, str], str] = field(default_factory=dict)
    photographs: dict[tuple[int, str], Attachment] = field(default_factory=dict)


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees one moment of the database; inside somebody's transaction, that one."""
    nested = connection.in_atomic_block
    with connection.cursor():
        pass  # inside walls the database is told for whom, which would be a statement too many below
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
        yield


def _batch(condition: str, params: Sequence[Any]) -> _Batch:
    """Read the cases whose id meets ``condition``, a piece of SQL over the column ``{id}``."""
    events: dict[int, list[_Event]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, number, state, content, chain_length, chain_head from cases_case "
            f"where {condition.format(id='id')} order by id",
            params,
        )
        rows = [_Row(r[0], r[1], r[2], r[3], r[4], bytes(r[5])) for r in cursor.fetchall()]
        cursor.execute(
            "select case_id, seq, at, actor_id, actor_role, action, body, prev, hash from ledger_event "
            f"where {condition.format(id='case_id')} order by case_id, seq",
            params,
        )
        for r in cursor.fetchall():
            body = msgspec.json.decode(r[6]) if isinstance(r[6], str) else r[6]
            events[r[0]].append(_Event(r[0], r[1], r[2], r[3], r[4], r[5], body, bytes(r[7]), bytes(r[8])))
    batch = _Batch(rows, events)
    ids = list(events)
    for text in Text.objects.filter(case_id__in=ids):
        batch.texts[text.case_id, text.seq, text.name] = text.text
    for photograph in Attachment.objects.filter(case_id__in=ids):
        batch.photographs[photograph.case_id, photograph.sha256] = photograph
    return batch


def _batches(ids: Sequence[int] | None) -> Iterator[_Batch]:
    """All cases, or those with the ``ids``. Events whose case has no row come with the batch around them."""
    if ids is not None:
        for start in range(0, len(ids), BATCH):
            yield _batch("{id} = any(%s)", [list(ids[start : start + BATCH])])
        return
    after = -1
    while after < _LAST:
        upto = list(Case.objects.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:BATCH])
        last = upto[-1] if len(upto) == BATCH else _LAST
        yield _batch("{id} > %s and {id} <= %s", [after, last])
        after = last


# --- one chain ------------------------------------------------------------------------------------------------------


def _chain(name: str, row: _Row | None, events: list[_Event]) -> Iterator[Finding]:
    """What is wrong with the links of one chain and with the end that the case's row knows."""
    longest = max(events[-1].seq if events else 0, row.chain_length if row is not None else 0)
    #: The number that each event was written as; none where its content is not what it was.
    written = [_written_as(e, longest) for e in events]
    numbers = {w or e.seq for e, w in zip(events, written, strict=True)}
    yield from _gaps(name, numbers, max(max(numbers, default=0), row.chain_length if row is not None else 0))
    continued = {e.prev for e in events} | ({row.chain_head} if row is not None else set())
    head: bytes | None = chain.GENESIS  # none where the event before is missing or is not what it was
    before = 0
    for position, (event, was) in enumerate(zip(events, written, strict=True)):
        if event.seq != before + 1:
            head = None
        before = event.seq
        if was is None:
            text = format_lazy(_("event {seq} was changed after it was written"), seq=event.seq)
            yield Finding(Kind.CHANGED, text, name, event.seq)
            head = event.hash
            continue
        if was != event.seq:
            text = format_lazy(
                _("event {seq} stands in the wrong order: it was written as number {was}"),
                seq=event.seq,
                was=was,
            )
            yield Finding(Kind.REORDERED, text, name, event.seq)
            head = None
            continue
        if event.hash not in continued and _next_is_genuine(events, written, position):
            text = format_lazy(
                _("event {seq} was replaced or put in: no event continues from it"), seq=event.seq
            )
            yield Finding(Kind.FORGED, text, name, event.seq)
            head = None
            continue
        if head is not None and event.prev != head:
            text = format_lazy(_("event {seq} does not continue from the event before it"), seq=event.seq)
            yield Finding(Kind.FORGED, text, name, event.seq)
        head = event.hash
    if row is None:
        yield Finding(Kind.CASE_MISSING, _("the events are here, but the case's row is missing"), name)
    elif before > row.chain_length:
        text = format_lazy(
            _("the case's row ends at event {row}, the chain at event {chain}"),
            row=row.chain_length,
            chain=before,
        )
        yield Finding(Kind.OUT_OF_STEP, text, name, before)
    elif before == row.chain_length and head is not None and head != row.chain_head:
        text = format_lazy(_("event {seq} is not the one that the case's row ends with"), seq=before)
        yield Finding(Kind.OUT_OF_STEP, text, name, before)


def _written_as(event: _Event, longest: int) -> int | None:
    if event.is_link(event.seq):
        return event.seq
    return next((n for n in range(1, longest + 1) if event.is_link(n)), None)


def _next_is_genuine(events: list[_Event], written: list[int | None], position: int) -> bool:
    """Whether an unchanged event stands right after this one that would continue from it, were it genuine."""
    if position + 1 == len(events) or events[position + 1].seq != events[position].seq + 1:
        return False
    was = written[position + 1]
    return was is not None and was <= events[position].seq + 1


def _gaps(name: str, numbers: set[int], last: int) -> Iterator[Finding]:
    missing = [n for n in range(1, last + 1) if n not in numbers]
    while missing:
        run = next((i for i, n in enumerate(missing) if n != missing[0] + i), len(missing))
        first, final = missing[0], missing[run - 1]
        if first == final:
            yield Finding(Kind.MISSING, format_lazy(_("event {seq} is missing"), seq=first), name, first)
        else:
            text = format_lazy(_("events {first} to {last} are missing"), first=first, last=final)
            yield Finding(Kind.MISSING, text, name, first)
        missing = missing[run:]


# --- what a chain speaks of -----------------------------------------------------------------------------------------


def _contents(name: str, row: _Row, events: list[_Event], batch: _Batch, files: bool) -> Iterator[Finding]:
    """Whether the case and what hangs on it are what its events say. What is gone must have been destroyed by rule: a
    later event says so."""
    state = None
    destroyed = {
        str(e.body.get("destroyed")): e.seq
        for e in events
        if e.action == "destroyed" and isinstance(e.body, dict)
    }
    for event in events:
        body = event.body
        if not isinstance(body, dict):
            continue
        state = body.get("to", state)
        words = body.get("content") if event.action == "create" else None
        if words is not None and not row.content and event.seq > destroyed.get("texts", 0):
            text = format_lazy(
                _(
                    "the requester's words of event {seq} are missing, and no event says that they were destroyed"
                ),
                seq=event.seq,
            )
            yield Finding(Kind.CONTENT, text, name, event.seq)
        elif words is not None and row.content and words != chain.text_digest(row.content):
            text = format_lazy(_("the requester's words are not those of event {seq}"), seq=event.seq)
            yield Finding(Kind.CONTENT, text, name, event.seq)
        texts = body.get("texts")
        for field_name, digest in (texts if isinstance(texts, dict) else {}).items():
            held = batch.texts.get((row.id, event.seq, field_name))
            if held is None and event.seq > destroyed.get("texts", 0):
                text = format_lazy(
                    _("the text “{name}” of event {seq} is missing, and no event says that it was destroyed"),
                    name=field_name,
                    seq=event.seq,
                )
                yield Finding(Kind.CONTENT, text, name, event.seq)
            elif held is not None and chain.text_digest(held) != digest:
                text = format_lazy(
                    _("the text “{name}” of event {seq} is not the one that was written"),
                    name=field_name,
                    seq=event.seq,
                )
                yield Finding(Kind.CONTENT, text, name, event.seq)
        if event.action == "attached":
            photograph = batch.photographs.get((row.id, str(body.get("sha256"))))
            if photograph is None and event.seq > destroyed.get("photographs", 0):
                text = format_lazy(_("the photograph of event {seq} is missing"), seq=event.seq)
                yield Finding(Kind.CONTENT, text, name, event.seq)
            elif photograph is not None and files and not _file_is(photograph):
                text = format_lazy(
                    _("the file of the photograph of event {seq} is missing or was changed"), seq=event.seq
                )
                yield Finding(Kind.CONTENT, text, name, event.seq)
    if state is not None and state != row.state:
        text = format_lazy(
            _("the case's row says “{row}”, its chain says “{chain}”"), row=row.state, chain=state
        )
        yield Finding(Kind.OUT_OF_STEP, text, name)


def _name(state: Any) -> Words:
    return State(state).label if state in State.values else str(state)


def _file_is(photograph: Attachment) -> bool:
    try:
        with attachments.open_file(photograph) as f:
            return hashlib.sha256(f.read()).hexdigest() == photograph.sha256
    except NotFound:
        return False


# --- acts -----------------------------------------------------------------------------------------------------------


def _acts(tally: Tally) -> Iterator[Finding]:
    """What is wrong with the one chain of acts."""
    expected, head = 1, chain.GENESIS
    for act in Act.objects.order_by("seq").iterator(2000):
        if act.seq == expected + 1:
            yield Finding(Kind.ACT, format_lazy(_("act {seq} is missing"), seq=expected), seq=expected)
        elif act.seq != expected:
            text = format_lazy(_("acts {first} to {last} are missing"), first=expected, last=act.seq - 1)
            yield Finding(Kind.ACT, text, seq=expected)
        elif bytes(act.prev) != head:
            text = format_lazy(_("act {seq} does not continue from the act before it"), seq=act.seq)
            yield Finding(Kind.ACT, text, seq=act.seq)
        if not _is_link(act):
            text = format_lazy(_("act {seq} was changed after it was written"), seq=act.seq)
            yield Finding(Kind.ACT, text, seq=act.seq)
        expected, head = act.seq + 1, bytes(act.hash)
        tally.acts += 1


def _is_link(act: Act) -> bool:
    try:
        return bytes(act.hash) == acts.link(act)
    except TypeError:  # details that no act can have
        return False


def _act_of(anchor: Anchor, seq: int) -> Iterator[Finding]:
    """Whether the act that an anchor ends with is the one that it was."""
    found = Act.objects.filter(seq=seq).values_list("hash", flat=True).first()
    where = {"seq": seq, "at": anchor.at.isoformat(timespec="seconds")}
    if found is None:
        yield Finding(Kind.ANCHOR, format_lazy(_("act {seq} is missing, anchored at {at}"), **where))
    elif bytes(found) != bytes(anchor.act_hash or b""):
        yield Finding(
            Kind.ANCHOR, format_lazy(_("act {seq} is not the one that was anchored at {at}"), **where)
        )


# --- anchors --------------------------------------------------------------------------------------------------------


def _anchors(
    after: Anchor | None,
    witness: tuple[int, str] | None,
    tally: Tally,
    progress: Callable[[Tally], None],
) -> Iterator[Finding]:
    """Whether each anchor newer than ``after`` covers the events and acts that it covered when it was written."""
    first, last, prev = (
        (after.pk, after.upto, bytes(after.hash)) if after is not None else (0, 0, chain.GENESIS)
    )
    for anchor in Anchor.objects.filter(id__gt=first).order_by("id").iterator(2000):
        where = {"first": last + 1, "last": anchor.upto, "at": anchor.at.isoformat(timespec="seconds")}
        if bytes(anchor.prev) != prev:
            text = format_lazy(
                _(
                    "the anchor at event id {last} does not continue the one before: one was changed or is missing"
                ),
                last=anchor.upto,
            )
            yield Finding(Kind.ANCHOR, text)
        rows = Event.objects.filter(id__gt=last, id__lte=anchor.upto).order_by("id").values_list("id", "hash")
        found, sealed = anchors.digest(
            bytes(anchor.prev),
            ((i, bytes(h)) for i, h in rows.iterator(5000)),
            anchor.at,
            (anchor.acts, bytes(anchor.act_hash or b"")) if anchor.acts is not None else None,
        )
        if found < anchor.events:
            text = format_lazy(
                _("{n} events are missing between the ids {first} and {last}, anchored at {at}"),
                n=anchor.events - found,
                **where,
            )
            yield Finding(Kind.ANCHOR, text)
        elif found > anchor.events:
            text = format_lazy(
                _("{n} events were put in between the ids {first} and {last}, anchored at {at}"),
                n=found - anchor.events,
                **where,
            )
            yield Finding(Kind.ANCHOR, text)
        elif sealed != bytes(anchor.hash):
            text = format_lazy(
                _("between the ids {first} and {last} are not the events that were anchored at {at}"), **where
            )
            yield Finding(Kind.ANCHOR, text)
        if anchor.acts is not None:
            yield from _act_of(anchor, anchor.acts)
        tally.anchors += 1
        progress(tally)
        last, prev = anchor.upto, bytes(anchor.hash)
    tally.not_anchored = Event.objects.filter(id__gt=last).count()
    if witness is not None:
        known = Anchor.objects.filter(upto=witness[0]).values_list("hash", flat=True)
        if witness[1] not in {bytes(h).hex() for h in known}:
            text = format_lazy(
                _("the anchor at event id {last} that was noted is missing or was changed"), last=witness[0]
            )
            yield Finding(Kind.ANCHOR, text)


def head() -> str:
    """The last anchor as one word to note elsewhere, ``upto:hash``; "" where there is none."""
    last = anchors.newest()
    return f"{last.upto}:{bytes(last.hash).hex()}" if last is not None else ""


def read_witness(word: str) -> tuple[int, str]:
    """What :func:`head` gave. Raises ValueError for anything else."""
    upto, _colon, digest = word.strip().partition(":")
    if not upto.isdecimal() or len(bytes.fromhex(digest)) != 32:
        raise ValueError("a noted anchor looks like 1234:0123abcd…")
    return int(upto), digest.lower()


# --- all together ---------------------------------------------------------------------------------------------------


def verify(
    tally: Tally,
    *,
    number: str | None = None,
    since: dt.datetime | None = None,
    files: bool = False,
    witness: tuple[int, str] | None = None,
    progress: Callable[[Tally], None] = lambda tally: None,
) -> Iterator[Finding]:
    """Verify everything, one case by its ``number``, or what was anchored or came after ``since``; yield what is wrong.

    ``since`` takes every case that an event has been added to since then, from its first event on. ``files`` also
    reads every photograph. Acts and anchors are left out where ``number`` is given; otherwise all acts are looked at.
    ``tally`` is kept up to date.

    Raises NotFound where no case has the number.
    """
    with _one_moment():
        after: Anchor | None = None
        ids: list[int] | None = None
        if number is not None:
            ids = list(Case.objects.filter(number=number).values_list("id", flat=True))
            if not ids:
                raise NotFound(format_lazy(_("There is no order with the number “{number}”."), number=number))
        elif since is not None:
            after = Anchor.objects.filter(at__lt=since).order_by("-id").first()
            newer = Event.objects.filter(id__gt=after.upto if after is not None else 0)
            ids = sorted(newer.order_by().values_list("case_id", flat=True).distinct())
        else:
            tally.events_in_all = Event.objects.count()
        for batch in _batches(ids):
            by_id = {row.id: row for row in batch.rows}
            for case_id in sorted(by_id.keys() | batch.events.keys()):
                row, events = by_id.get(case_id), batch.events.get(case_id, [])
                name = row.number if row is not None else f"#{case_id}"
                for finding in _chain(name, row, events):
                    tally.findings += 1
                    yield finding
                if row is not None:
                    for finding in _contents(name, row, events, batch, files):
                        tally.findings += 1
                        yield finding
                tally.cases += 1
                tally.events += len(events)
            progress(tally)
        if number is None:
            for part in (_acts(tally), _anchors(after, witness, tally, progress)):
                for finding in part:
                    tally.findings += 1
                    yield finding
