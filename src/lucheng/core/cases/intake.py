"""The one way in. Every door, from the resident's page to a replayed call, makes a case here.

A create seals the contact, locates the place, proposes a matter, asks the catalogue, sets the clocks, writes the first
events and the first message. All rows go to the database in one statement: one round trip, one transaction. Either the
whole case is there or nothing is, and the same idempotency key finds the first answer again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
from django.db import connection
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from lucheng.core.cases import codes, kinds
from lucheng.core.cases.lifecycle import BY_ACTION
from lucheng.core.cases.models import Case, Channel, State, Urgency
from lucheng.core.cases.text import MAX_TITLE, clean, one_line
from lucheng.core.clocks import service as clocks
from lucheng.core.clocks.models import ClockKind
from lucheng.core.dispatch import alarms, catalogue, matters
from lucheng.core.errors import Conflict, Invalid
from lucheng.core.ledger import chain, outbox
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.places import locate, names
from lucheng.core.privacy import contacts, notices
from lucheng.core.triage import classify
from lucheng.postgresql.base import DatabaseWrapper
from lucheng.postgresql.context import everything

#: A place found in words is taken as the case's place from this score on; below, a person decides.
SURE_OF_PLACE = 0.8


class NewCase(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a door hands over. Only ``kind``, ``nature`` and ``content`` are always needed."""

    kind: str
    nature: str
    content: str
    channel: str = Channel.WEB.value
    title: str = ""
    matter: str = ""
    place: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    name: str = ""
    phone: str = ""
    #: The requester's own address, where a letter reaches them. It is sealed, and is not the place of the matter.
    contact_address: str = ""
    anonymous: bool = False
    confidential: bool = False
    reply_wanted: bool = True
    language: str = "zh"
    urgency: str = ""
    collective: bool = False
    occurred_at: dt.datetime | None = None
    accused_unit: int | None = None
    source_ref: str = ""
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    #: Edition of the privacy notice that the requester was shown (lucheng.core.privacy.notices).
    notice: int | None = None
    #: Accept and dispatch at once as the catalogue says: a member of staff has looked at matter and place.
    dispatch: bool = False


class Created(msgspec.Struct, kw_only=True):
    """The answer to a create."""

    id: int
    number: str
    code: str
    state: str
    version: int
    place: str
    #: The matter decided by a person, or else the one proposed; empty when the proposal abstained.
    matter: str
    proposed_matter: str
    matter_probability: float | None
    proposed_place: str
    place_score: float | None
    #: The catalogue's answer for matter and place, decided or proposed.
    lead_unit: str
    rule: int | None
    due_at: dt.datetime | None
    #: True where an earlier request with the same key made it.
    repeated: bool = False


_COLUMNS = [
    "id",
    "number",
    "code",
    "kind",
    "state",
    "version",
    "kept_by",
    "channel",
    "source_ref",
    "language",
    "anonymous",
    "confidential",
    "reply_wanted",
    "intake_by_id",
    "notice",
    "nature",
    "matter",
    "title",
    "content",
    "urgency",
    "collective",
    "occurred_at",
    "fields",
    "place",
    "address",
    "lon",
    "lat",
    "lead_unit_id",
    "units",
    "rule_id",
    "named_after_study",
    "accused_unit_id",
    "parent_id",
    "supervision",
    "reworks",
    "returns",
    "public_reply",
    "created_at",
    "due_at",
    "dispatched_at",
    "chain_length",
    "chain_head",
    "idempotency_key",
    "request_digest",
]

_STATEMENT = f"""
with made as (
    insert into cases_case ({", ".join(_COLUMNS)})
    values ({", ".join(f":{c}:" for c in _COLUMNS)})
    on conflict (idempotency_key) do nothing
    returning id
), sealed as (
    insert into privacy_contact (case_id, name, phone, phone_mask, phone_index, address)
    select id, :c_name:, :c_phone:, :c_mask:, :c_index:, :c_address: from made where :has_contact:
), events as (
    insert into ledger_event (case_id, seq, at, actor_id, actor_role, action, body, prev, hash)
    select id, e.seq, :created_at:, :intake_by_id:, :role:, e.action, e.body, decode(e.prev, 'hex'),
        decode(e.hash, 'hex')
    from made, jsonb_to_recordset(:events:) as e(seq int, action text, body jsonb, prev text, hash text)
), ticking as (
    insert into clocks_clock (case_id, kind, state, amount, unit, basis, started_at, warn_at, due_at, pause_cause,
        ended_at, stage, next_at, failures)
    select id, k.kind, k.state, k.amount, k.unit, k.basis, :created_at:, k.warn_at, k.due_at, '',
        k.ended_at, 0, k.next_at, 0
    from made, jsonb_to_recordset(:clocks:) as k(kind text, state text, amount int, unit text, basis text,
        warn_at timestamptz, due_at timestamptz, ended_at timestamptz, next_at timestamptz)
), helping as (
    insert into cases_assist (case_id, unit_id, asked_at, reply)
    select id, u, :created_at:, '' from made, unnest(:assists:::bigint[]) as u
), leaving as (
    insert into ledger_message (case_id, channel, template, params, to_unit_id, state, created_at, next_at, attempts,
        error)
    select id, m.channel, m.template, m.params, m.to_unit, 'waiting', :created_at:, :created_at:, 0, ''
    from made, jsonb_to_recordset(:messages:) as m(channel text, template text, params jsonb, to_unit bigint)
), advised as (
    insert into triage_advice (case_id, model_version, matter, matter_probability, place, place_score, decided_matter,
        decided_place, decided_at)
    select id, :a_model:, :a_matter:, :a_probability:, :a_place:, :a_score:, :a_decided_matter:, :a_decided_place:,
        :a_decided_at: from made
), alarmed as (
    insert into dispatch_alarm (case_id, why, raised_at)
    select id, :alarm:, :created_at: from made where :has_alarm:
)
select id from made
"""
# The statement's text never changes, so PostgreSQL parses and plans it once for each connection. Placeholders are put
# into PostgreSQL's own form here, once: for a statement of this length the driver would do it at every call.
_PARAMETERS = tuple(dict.fromkeys(re.findall(r":(\w+):", _STATEMENT)))
_CREATE = re.sub(r":(\w+):", lambda m: f"${_PARAMETERS.index(m[1]) + 1}", _STATEMENT).encode()


#: A language tag of up to 8 characters, such as zh, mn or zh-Hant.
_LANGUAGE = re.compile(r"(?=.{2,8}\Z)[A-Za-z]{2,3}(-[A-Za-z0-9]+)*")
#: Nothing that still concerns anybody happened before; and clocks of other systems may run a little ahead.
_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_AHEAD = dt.timedelta(days=1)
_CHANNELS = frozenset(Channel.values)


def _check(new: NewCase, role: str, now: dt.datetime) -> kinds.CaseKind:
    """Whether the request makes sense. Looks at the database only where a unit is complained of.

    Raises Invalid naming each wrong field.
    """
    errors: dict[str, Any] = {}
    kind = kinds.KINDS.get(new.kind)
    if kind is None:
        raise Invalid({"kind": _("There is no kind of case “%(kind)s”.") % {"kind": one_line(new.kind, 40)}})
    if new.nature not in kind.natures:
        errors["nature"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(kind.natures)}
    if new.channel not in _CHANNELS:
        errors["channel"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Channel.values)}
    if new.urgency and new.urgency not in Urgency.values:
        errors["urgency"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Urgency.values)}
    if not new.content:
        errors["content"] = _("Say in a few words what is the matter.")
    # Time, matter and contact stand on every order (Beijing regulation art. 10), unless the requester stays anonymous.
    if kind.has_requester and not new.anonymous and not new.phone and new.channel == Channel.PHONE:
        errors["phone"] = _("Enter the caller's number, or mark the call as anonymous.")
    if (new.lon is None) != (new.lat is None):
        errors["lon"] = _("A point has both a longitude and a latitude.")
    if new.lon is not None and new.lat is not None and not (-180 <= new.lon <= 180 and -90 <= new.lat <= 90):
        errors["lon"] = _("Longitude goes from -180 to 180, latitude from -90 to 90.")
    if new.place and not names.exists(new.place):
        errors["place"] = _("There is no place with the code “%(code)s”.") % {"code": one_line(new.place, 20)}
    if new.matter and not matters.exists(new.matter):
        errors["matter"] = _("There is no matter with the code “%(code)s”.") % {
            "code": one_line(new.matter, 20)
        }
    if not _LANGUAGE.fullmatch(new.language):
        errors["language"] = _("Write a language as zh, mn or en.")
    if new.occurred_at is not None and (
        new.occurred_at.tzinfo is None or not _EARLIEST <= new.occurred_at <= now + _AHEAD
    ):
        errors["occurred_at"] = _("Give the date and time at which it happened: it cannot lie ahead.")
    if new.accused_unit is not None and not (
        0 < new.accused_unit < 2**63 and Unit.objects.filter(pk=new.accused_unit).exists()
    ):
        errors["accused_unit"] = _("There is no unit with the number %(id)s.") % {"id": new.accused_unit}
    if new.notice is not None and not notices.exists(new.notice):
        errors["notice"] = _("There is no edition %(number)s of the privacy notice.") % {"number": new.notice}
    if kind.kept_by and new.dispatch:
        errors["dispatch"] = _("What only its keeper sees goes to no unit.")
    if errors:
        raise Invalid(errors)
    kind.check(new.fields, role)
    return kind


def _tidy(value: Any) -> Any:
    """Every text in a JSON value made safe."""
    if isinstance(value, str):
        return clean(value, "fields")
    if isinstance(value, dict):
        return {clean(k, "fields"): _tidy(v) for k, v in value.items()}
    return [_tidy(v) for v in value] if isinstance(value, list) else value


def _cleaned(new: NewCase) -> NewCase:
    """The request with every text made safe. Raises Invalid where one is too long."""
    return msgspec.structs.replace(
        new,
        content=clean(new.content, "content"),
        title=one_line(clean(new.title, "title"), MAX_TITLE),
        address=clean(new.address, "address", 200),
        name=clean(new.name, "name", 60),
        phone=contacts.normalise_phone(new.phone) if new.phone.strip() else "",
        contact_address=" ".join(clean(new.contact_address, "contact_address", 200).split()),
        source_ref=clean(new.source_ref, "source_ref", 80),
        fields=_tidy(new.fields),
    )


def _digest(asked: NewCase) -> bytes:
    """What tells one request from another under the same key. A field that came later counts only where it is filled,
    so that a request sent before an upgrade and again after it is the same; which notice was shown never does."""
    said = msgspec.structs.asdict(asked)
    if not asked.contact_address:
        del said["contact_address"]
    del said["notice"]
    return hashlib.sha256(msgspec.msgpack.encode(said)).digest()


def _chain(
    case_id: int,
    steps: Sequence[tuple[str, dict[str, Any]]],
    actor_id: int | None,
    role: str,
    now: dt.datetime,
) -> tuple[list[dict[str, Any]], bytes]:
    """The first links of a case's chain as rows, and its head."""
    rows: list[dict[str, Any]] = []
    prev = chain.GENESIS
    for seq, (action, body) in enumerate(steps, 1):
        head = chain.link(prev, case_id, seq, now, actor_id, role, action, body)
        rows.append({"seq": seq, "action": action, "body": body, "prev": prev.hex(), "hash": head.hex()})
        prev = head
    return rows, prev


def create(
    new: NewCase,
    *,
    actor: Person | None,
    role: str,
    now: dt.datetime,
    idempotency_key: str | None = None,
    parent: Case | None = None,
) -> Created:
    """Make a case. ``role`` is the role acted in, ``requester`` for the public doors; the door has checked that it may.

    ``idempotency_key`` is the door's, already scoped to whoever sends it: the same key with the same request returns
    the first answer with ``repeated``. What is proposed for matter and place is kept as advice and never taken as
    decided; a place found in the words is used when it is sure, since a case must lie somewhere.

    Raises Invalid naming each wrong field; Conflict where the key was used for a different request.
    """
    asked, new = new, _cleaned(new)
    kind = _check(new, role, now)
    request_digest = _digest(asked)

    # Place: the code given, or the point, or the words; the whole city where nothing is known.
    place, lon, lat, score = new.place, new.lon, new.lat, None
    proposed_place = ""
    if not place and lon is not None and lat is not None:
        found = locate.locate_point(lon, lat)
        if not found:
            raise Invalid({"lon": _("This point lies outside the city: choose a place inside it.")})
        place = found
    if not place and not kind.kept_by:
        candidates = locate.locate_text(f"{new.address} {new.title} {new.content}"[:2000], limit=1)
        if candidates:
            proposed_place, score = candidates[0].place, candidates[0].score
            if score >= SURE_OF_PLACE:
                place = proposed_place
                lon, lat = candidates[0].lon, candidates[0].lat
    place = place or names.root()

    # Matter: proposed, kept as advice; decided only where a person has.
    proposal = classify.propose_matter("" if kind.kept_by else f"{new.title} {new.content}")
    matter = new.matter or proposal.matter
    decision = catalogue.decide(matter, place) if matter else None
    urgency = new.urgency or matters.urgency(matter)

    # The first steps of its life, as the table has them.
    state = State.RECEIVED
    steps: list[tuple[str, dict[str, Any]]] = [
        (
            "create",
            {
                "from": "",
                "to": state.value,
                "kind": kind.code,
                "channel": new.channel,
                "nature": new.nature,
                "place": place,
                "content": chain.text_digest(new.content),
                **({"parent": parent.number} if parent is not None else {}),
            },
        )
    ]
    clock_operations = [f"start:{kind.clock}"]
    units: list[int] = []
    alarm = ""
    tells: list[tuple[str, str, int | None]] = []
    if kind.has_requester and new.phone and not new.anonymous and new.reply_wanted:
        tells.append(("sms", "received", None))
    if new.dispatch:
        if not new.matter:
            raise Invalid({"matter": _("Choose the matter before you dispatch.")})
        accept = BY_ACTION["accept", state.value]
        assert accept.to is not None
        steps.append(
            ("accept", {"from": state.value, "to": accept.to.value, "matter": matter, "place": place})
        )
        state = accept.to
        if decision is None:
            alarm = alarms.words(catalogue.why_none(matter, place))
        elif new.accused_unit is None:
            # Orders that complain of a unit are dispatched by hand, where every rule is checked.
            row = BY_ACTION["dispatch", state.value]
            assert row.to is not None
            units = list(dict.fromkeys([decision.lead_unit_id, *decision.assist_unit_ids]))
            steps.append(
                (
                    "dispatch",
                    {
                        "from": state.value,
                        "to": row.to.value,
                        "by": "catalogue",
                        "rule": decision.rule_id,
                        "version": decision.version,
                        "lead": units[0],
                        "assists": units[1:],
                    },
                )
            )
            state = row.to
            reachable = kind.has_requester and not new.anonymous and new.reply_wanted
            clock_operations += row.clock_operations(contact=reachable)
            tells.append(("in_app", "dispatched_unit", units[0]))
            tells += [("in_app", "assist_unit", u) for u in units[1:]]
            if decision.copy_unit_id is not None:
                tells.append(("in_app", "dispatched_copy", decision.copy_unit_id))
    dispatched = state == State.DISPATCHED

    running = [op.partition(":")[2] for op in clock_operations if not op.startswith("stop:")]
    planned = clocks.plan(
        [ClockKind(k) for k in running],
        case_kind=kind.code,
        nature=new.nature,
        urgency=urgency,
        matter=matter,
        now=now,
    )
    ended = {"dispatch"} if dispatched else set()
    due_at = min((k.due_at.astimezone(dt.UTC) for k in planned if k.kind not in ended), default=None)

    case_id = codes.NUMBERS.take()
    number, code = codes.number(case_id, now), codes.new_code()
    contact = contacts.sealed(case_id, name=new.name, phone=new.phone, address=new.contact_address)
    actor_id = actor.pk if actor is not None else None
    events, head = _chain(case_id, steps, actor_id, role, now)

    values: dict[str, Any] = {
        "id": case_id,
        "number": number,
        "code": code,
        "kind": kind.code,
        "state": state.value,
        "version": len(steps),
        "kept_by": kind.kept_by,
        "channel": new.channel,
        "source_ref": new.source_ref,
        "language": new.language,
        "anonymous": new.anonymous,
        "confidential": new.confidential,
        "reply_wanted": new.reply_wanted,
        "intake_by_id": actor_id,
        "notice": new.notice,
        "nature": new.nature,
        "matter": new.matter,
        "title": new.title or one_line(new.content, 40),
        "content": new.content,
        "urgency": urgency,
        "collective": new.collective,
        "occurred_at": new.occurred_at,
        "fields": Jsonb(new.fields),
        "place": place,
        "address": new.address,
        "lon": lon,
        "lat": lat,
        "lead_unit_id": units[0] if units else None,
        "units": units,
        "rule_id": decision.rule_id if dispatched and decision is not None else None,
        "named_after_study": False,
        "accused_unit_id": new.accused_unit,
        "parent_id": parent.pk if parent is not None else None,
        "supervision": "",
        "reworks": 0,
        "returns": 0,
        "public_reply": "",
        "created_at": now,
        "due_at": due_at,
        "dispatched_at": now if dispatched else None,
        "chain_length": len(steps),
        "chain_head": head,
        "idempotency_key": idempotency_key,
        "request_digest": request_digest if idempotency_key else None,
        "has_contact": bool(new.phone or new.name or new.contact_address),
        "c_name": contact.name,
        "c_phone": contact.phone,
        "c_mask": contact.phone_mask,
        "c_index": contact.phone_index,
        "c_address": contact.address,
        "role": role,
        "events": _json(events),
        "clocks": _json(
            [
                {
                    "kind": k.kind,
                    "state": "met" if k.kind in ended else "running",
                    "amount": k.amount,
                    "unit": k.unit,
                    "basis": k.basis,
                    "warn_at": k.warn_at,
                    "due_at": k.due_at,
                    "ended_at": now if k.kind in ended else None,
                    "next_at": None if k.kind in ended else k.next_at,
                }
                for k in planned
            ]
        ),
        "assists": units[1:],
        "messages": _json(
            [
                {"channel": channel, "template": template, "params": {"number": number}, "to_unit": unit}
                for channel, template, unit in tells
            ]
        ),
        "a_model": proposal.model_version,
        "a_matter": proposal.matter,
        "a_probability": proposal.probability,
        "a_place": proposed_place,
        "a_score": score,
        "a_decided_matter": new.matter,
        "a_decided_place": new.place,
        "a_decided_at": now if new.matter else None,
        "alarm": alarm,
        "has_alarm": bool(alarm),
    }
    if _insert(values) is None:
        return _repeated(idempotency_key, request_digest)
    return Created(
        id=case_id,
        number=number,
        code=codes.written(code),
        state=state.value,
        version=len(steps),
        place=place,
        matter=matter,
        proposed_matter=proposal.matter,
        matter_probability=proposal.probability,
        proposed_place=proposed_place,
        place_score=score,
        lead_unit=decision.lead_unit_name if decision is not None else "",
        rule=decision.rule_id if decision is not None else None,
        due_at=due_at,
    )


def _json(rows: list[dict[str, Any]]) -> Jsonb:
    return Jsonb(rows, dumps=msgspec.json.encode)


def _insert(values: Mapping[str, Any]) -> int | None:
    """Run the statement; None where the idempotency key was taken.

    Outside a transaction the statement is its own: one round trip makes it durable. psycopg's raw cursor binds on the
    server, so that the plan is kept.
    """
    with everything("a create writes what its sender may not read"):
        row = cast(DatabaseWrapper, connection).one_trip(_CREATE, [values[p] for p in _PARAMETERS])
    return None if row is None else int(row[0])


def _repeated(key: str | None, digest: bytes) -> Created:
    with everything("whoever sends a create again gets its answer again"):
        case = Case.objects.select_related("lead_unit", "advice").get(idempotency_key=key)
    if bytes(case.request_digest or b"") != digest:
        raise Conflict(_("This idempotency key has been used for a different request."))
    advice = case.advice
    return Created(
        id=case.pk,
        number=case.number,
        code=codes.written(case.code),
        state=case.state,
        version=case.version,
        place=case.place,
        matter=case.matter or advice.matter,
        proposed_matter=advice.matter,
        matter_probability=advice.matter_probability,
        proposed_place=advice.place,
        place_score=advice.place_score,
        lead_unit=case.lead_unit.name if case.lead_unit is not None else "",
        rule=case.rule_id,
        due_at=case.due_at,
        repeated=True,
    )


def part_of(case: Case, part: Mapping[str, str], *, actor: Person, role: str, now: dt.datetime) -> Case:
    """A new case split from ``case``, with its requester, channel and place. Called inside the split's transaction."""
    made = create(
        NewCase(
            kind=case.kind,
            nature=case.nature,
            content=str(part.get("content") or ""),
            title=str(part.get("title") or ""),
            channel=Channel(case.channel).value,
            place=case.place,
            address=case.address,
            anonymous=True,  # the contact is copied sealed, not entered again
            confidential=case.confidential,
            reply_wanted=case.reply_wanted,
            language=case.language,
            accused_unit=case.accused_unit_id,
            notice=case.notice,
        ),
        actor=actor,
        role=role,
        now=now,
        parent=case,
    )
    return of_the_same(case, made.id, now)


def of_the_same(case: Case, made: int, now: dt.datetime) -> Case:
    """The case with the id ``made``, which came in without a contact, with the requester of ``case``. Called in the
    transaction that made it."""
    new = Case.objects.get(pk=made)
    contacts.copy(case.pk, new.pk)
    if not case.anonymous:
        Case.objects.filter(pk=new.pk).update(anonymous=False)
        new.anonymous = False
    if new.has_requester and new.reply_wanted and not new.anonymous:
        # Its code is the requester's only way to follow it (Jinan regulation art. 15).
        outbox.enqueue(new, "received", {"number": new.number}, now)
    return new
