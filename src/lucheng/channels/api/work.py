"""Cases over the API: list, look, act. Every operation starts from what the caller's posts let them see."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Body, Header, Query, Router, Schema
from pydantic import Field, JsonValue

from lucheng.channels.api import schemas as out
from lucheng.channels.api.auth import Identity
from lucheng.channels.api.create import create
from lucheng.channels.api.problems import MediaType, TooLarge, VersionMissing
from lucheng.core.cases import attachments, codes, engine, kinds, queries
from lucheng.core.cases.lifecycle import FIELDS, Transition
from lucheng.core.cases.models import Attachment, Case, Channel, Nature, State, Supervision, Urgency
from lucheng.core.clocks.models import Clock
from lucheng.core.dispatch import catalogue, matters
from lucheng.core.errors import Forbidden, Invalid, NotFound
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.places import names
from lucheng.core.privacy import contacts, destruction
from lucheng.web.uploads import too_large

router = Router(tags=["cases"])

#: Cases on one page of a list.
PAGE, MOST = 50, 100


def person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # no operation here is open to nobody
    return request.user


def reader(request: HttpRequest) -> Scope:
    """The caller's scope. Raises Forbidden where none of their posts shows cases."""
    found = scope(request)
    if not found.sees_cases():
        raise Forbidden(_("None of your posts shows cases."))
    return found


# --- how things are said --------------------------------------------------------------------------------------------


def named(code: str, name: Any) -> out.Named:
    return out.Named(code=code, name=str(name))


def place(code: str) -> out.Named:
    return named(code, names.place_name(code))


def matter(code: str) -> out.Named | None:
    return named(code, matters.name(code)) if code else None


def state(case: Case) -> out.Named:
    return named(case.state, kinds.KINDS[case.kind].state_name(case.state))


def unit(found: Unit | None) -> out.UnitRef | None:
    return out.UnitRef(id=found.pk, name=found.name) if found is not None else None


def field(name: str) -> out.FieldOut:
    about = FIELDS[name]
    return out.FieldOut(
        name=name,
        label=str(about.label),
        kind=about.kind,
        choices=[named(code, label) for code, label in about.choices],
    )


def step(row: Transition) -> out.Step:
    return out.Step(
        action=row.action,
        name=str(row.name),
        needs=[field(n) for n in row.needs],
        takes=[field(n) for n in row.takes],
    )


def ruling(decision: catalogue.Decision) -> out.Ruling:
    helpers = zip(decision.assist_unit_ids, decision.assist_unit_names, strict=True)
    return out.Ruling(
        rule=decision.rule_id,
        edition=decision.version,
        matter=decision.matter_prefix,
        place=decision.place_prefix,
        lead_unit=out.UnitRef(id=decision.lead_unit_id, name=decision.lead_unit_name),
        assist_units=[out.UnitRef(id=pk, name=name) for pk, name in helpers],
        basis=decision.basis,
        reason=str(decision.reason()),
    )


def _row(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "version": case.version,
        "kind": named(case.kind, kinds.KINDS[case.kind].name),
        "nature": named(case.nature, Nature(case.nature).label),
        "state": state(case),
        "title": "" if case.confidential else case.title,
        "matter": matter(case.matter),
        "place": place(case.place),
        "urgency": named(case.urgency, Urgency(case.urgency).label),
        "channel": named(case.channel, Channel(case.channel).label),
        "lead_unit": unit(case.lead_unit),
        "handler": case.handler.name if case.handler is not None else "",
        "supervision": named(case.supervision, Supervision(case.supervision).label)
        if case.supervision
        else None,
        "collective": case.collective,
        "confidential": case.confidential,
        "created_at": case.created_at,
        "due_at": case.due_at,
        "open": case.open,
    }


def moved(case: Case) -> out.Moved:
    return out.Moved(number=case.number, version=case.version, state=state(case), due_at=case.due_at)


# --- lists ----------------------------------------------------------------------------------------------------------


class Wanted(Schema):
    """Which cases. Empty means any."""

    queue: queries.Queue | None = None
    state: State | None = None
    kind: Annotated[str, Field(pattern=r"^[a-z0-9_.]{0,40}$")] = ""
    place: out.Prefix = Field("", description="everything under this division or grid code")
    matter: out.Matter = Field("", description="everything under this matter code")
    unit: out.Id | None = Field(None, description="leading or assisting")
    handler: out.Id | None = None
    number: Annotated[str, Field(pattern=r"^[0-9]{0,20}$")] = ""
    urgency: Urgency | None = None
    happened: queries.Happened | None = Field(
        None, description="what the cases went through in the time given, open or not, the newest first"
    )
    since: dt.datetime | None = Field(
        None, description="with ``happened``: from this moment on; without an offset it is the city's time"
    )
    until: dt.datetime | None = Field(None, description="with ``happened``: before this moment")
    open: bool = Field(
        True, description="only open cases, the first due first; with false all, the newest first"
    )
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE
    after: str = Field("", max_length=200, description="``next`` of the page before")


def _mark(case: Case, by_deadline: bool) -> str:
    at = case.due_at if by_deadline else case.created_at
    return base64.urlsafe_b64encode(msgspec.json.encode([at, case.pk])).decode()


def _past(mark: str, by_deadline: bool) -> Q:
    """The condition of standing after the case that ``mark`` remembers, in the order of queries.listed."""
    try:
        at, pk = msgspec.json.decode(base64.urlsafe_b64decode(mark), type=tuple[dt.datetime | None, int])
        if (at is None and not by_deadline) or (at is not None and at.tzinfo is None) or not 0 <= pk < 2**63:
            raise ValueError
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise Invalid(
            {"after": _("This is not the mark of a page: send “next” as you received it.")}
        ) from None
    if not by_deadline:
        return Q(created_at__lte=at) & (Q(created_at__lt=at) | Q(pk__lt=pk))
    if at is None:
        return Q(due_at=None, pk__gt=pk)
    return Q(due_at=None) | Q(due_at__gt=at) | Q(due_at=at, pk__gt=pk)


def _aware(moment: dt.datetime | None) -> dt.datetime | None:
    return timezone.make_aware(moment) if moment is not None and moment.tzinfo is None else moment


@router.get("/cases", response=out.Rows, summary="List cases")
def list_cases(request: HttpRequest, wanted: Query[Wanted]) -> out.Rows:
    """The cases that the caller's posts show, a page at a time. No contact, no content, no address."""
    who = reader(request)
    open_only = wanted.open and wanted.happened is None
    by_deadline = open_only or wanted.queue is not None
    rows = queries.listed(
        who,
        queries.Filter(
            queue=wanted.queue,
            state=wanted.state or "",
            kind=wanted.kind,
            place=wanted.place,
            matter=wanted.matter,
            unit=wanted.unit,
            handler=wanted.handler,
            number=wanted.number,
            urgency=wanted.urgency or "",
            happened=wanted.happened,
            since=_aware(wanted.since),
            until=_aware(wanted.until),
            open_only=open_only,
        ),
        timezone.now(),
    )
    page = rows.filter(_past(wanted.after, by_deadline)) if wanted.after else rows
    found = list(
        page.select_related("lead_unit", "handler").defer("content", "public_reply", "fields", "address")[
            : wanted.limit + 1
        ]
    )
    shown = found[: wanted.limit]
    counted = queries.count(rows)
    return out.Rows(
        cases=[out.Row(**_row(case)) for case in shown],
        count=min(counted, queries.COUNT_LIMIT),
        more=counted > queries.COUNT_LIMIT,
        next=_mark(shown[-1], by_deadline) if len(found) > wanted.limit else None,
    )


@router.get("/queues", response=list[out.QueueOut], summary="Count what waits")
def list_queues(request: HttpRequest) -> list[out.QueueOut]:
    """How many of the caller's cases stand in each queue."""
    counts = queries.queue_counts(reader(request), timezone.now())
    return [
        out.QueueOut(queue=name.value, count=min(n, queries.COUNT_LIMIT), more=n > queries.COUNT_LIMIT)
        for name, n in counts.items()
    ]


# --- one case -------------------------------------------------------------------------------------------------------


def _visible(request: HttpRequest, number: str) -> tuple[Case, Scope]:
    who = reader(request)
    rows = queries.visible(who).select_related(
        "lead_unit",
        "handler",
        "main",
        "parent",
        "accused_unit",
        "contact",
        "alarm",
        "advice",
        "rule__lead",
        "rule__version",
    )
    return queries.find(rows, number), who


def _numbers(cases: QuerySet[Case]) -> list[str]:
    return list(cases.order_by("id").values_list("number", flat=True))


def _clock(c: Clock) -> out.ClockOut:
    return out.ClockOut(
        kind=named(c.kind, c.get_kind_display()),
        state=named(c.state, c.get_state_display()),
        amount=c.amount,
        unit=named(c.unit, c.get_unit_display()),
        basis=c.basis,
        started_at=c.started_at,
        warn_at=c.warn_at,
        due_at=c.due_at,
        paused_at=c.paused_at,
        pause_cause=c.pause_cause,
        ended_at=c.ended_at,
    )


def _attachment(a: Attachment) -> out.AttachmentOut:
    return out.AttachmentOut(
        sha256=a.sha256,
        media_type=a.media_type,
        size=a.size,
        width=a.width,
        height=a.height,
        added_at=a.added_at,
    )


def destroyed(case: Case) -> list[out.Destroyed]:
    return [
        out.Destroyed(what=s.what, at=s.at, edition=s.edition, months=s.months, basis=s.basis)
        for s in destruction.told(case)
    ]


#: What in the body of an event is the number of another order, or several.
_ORDERS = ("main", "parent", "parts", "request")
#: Events about the requester's contact: what was opened and why is for whoever may look at it too, as on the page.
_OF_CONTACT = ("contact_revealed", "contact_corrected", "exported")


def _linked(case: Case, events: Sequence[Event], seen: QuerySet[Case]) -> frozenset[str]:
    """The numbers of other orders that the case and its events name, of those in the caller's sight. One query."""
    named = {case.fields.get("same_as")}
    for e in events:
        for value in (e.body.get(name) for name in _ORDERS):
            named.update(value if isinstance(value, list) else [value])
    numbers = [n for n in named if isinstance(n, str)]
    return frozenset(seen.filter(number__in=numbers).values_list("number", flat=True))


def _event(e: Event, known: frozenset[str], of_contact: bool) -> out.EventOut:
    """One event; null stands for the number of an order that is not ``known`` to the caller, and, unless
    ``of_contact``, for what was opened of the contact and why."""
    body = dict(e.body)
    for name in _ORDERS:
        if isinstance(value := body.get(name), list):
            body[name] = [n if n in known else None for n in value]
        elif value not in known and name in body:
            body[name] = None
    if e.action in _OF_CONTACT and not of_contact:
        body |= {name: None for name in ("reason", "fields") if name in body}
    return out.EventOut(
        seq=e.seq,
        at=e.at,
        actor=e.actor.name if e.actor is not None else "",
        actor_id=e.actor_id,
        role=e.actor_role,
        action=e.action,
        body=body,
        withheld=sorted(name for name in body if body[name] != e.body[name]),
        prev=bytes(e.prev).hex(),
        hash=bytes(e.hash).hex(),
    )


def detail(case: Case, who: Scope) -> out.Detail:
    """Everything about a case that ``who`` may see, in a fixed number of queries."""
    seen = queries.visible(who)
    events = list(case.events.select_related("actor").order_by("seq"))
    known = _linked(case, events, seen)
    main, parent = (
        other.number if other is not None and who.allows("case.view", other) else None
        for other in (case.main, case.parent)
    )
    fields = dict(case.fields)
    if fields.get("same_as") not in known and "same_as" in fields:
        fields["same_as"] = None
    may_reveal = contacts.may_reveal(who, case)
    contact, advice, alarm = (getattr(case, name, None) for name in ("contact", "advice", "alarm"))
    row = _row(case) | {"title": case.title}
    return out.Detail(
        **row,
        id=case.pk,
        # Whoever has it acts as the requester: not for the unit, whose work the requester rates.
        code=codes.written(case.code) if who.allows("case.accept", case) else "",
        content=case.content,
        address=case.address,
        lon=case.lon,
        lat=case.lat,
        occurred_at=case.occurred_at,
        source_ref=case.source_ref,
        language=case.language,
        reply_wanted=case.reply_wanted,
        notice=case.notice,
        fields=fields,
        contact=out.Contact(
            anonymous=case.anonymous,
            phone_mask=contact.phone_mask
            if contact is not None and (not case.confidential or may_reveal)
            else "",
            has_name=contact is not None and contact.name is not None,
            has_address=contact is not None and contact.address is not None,
        ),
        accused_unit=unit(case.accused_unit),
        assists=[
            out.AssistOut(
                unit=out.UnitRef(id=a.unit.pk, name=a.unit.name),
                asked_at=a.asked_at,
                replied_at=a.replied_at,
                reply=a.reply,
            )
            for a in case.assists.select_related("unit").order_by("id")
        ],
        named_after_study=case.named_after_study,
        ruling=ruling(catalogue.recall(case.rule)) if case.rule is not None else None,
        alarm=alarm.why if alarm is not None and alarm.settled_at is None else "",
        advice=out.AdviceOut(
            model_version=advice.model_version,
            matter=matter(advice.matter),
            matter_probability=advice.matter_probability,
            place=place(advice.place) if advice.place else None,
            place_score=advice.place_score,
        )
        if advice is not None
        else None,
        clocks=[_clock(c) for c in case.clocks.order_by("id")],
        texts=[out.TextOut(seq=t.seq, name=t.name, text=t.text) for t in case.texts.order_by("seq", "id")],
        events=[_event(e, known, may_reveal) for e in events],
        # Linked orders lie in other people's reach as well: those out of the caller's are not named.
        main=main,
        merged=_numbers(seen.filter(main=case, state=State.MERGED)),
        parent=parent,
        parts=_numbers(seen.filter(parent=case)),
        withheld=[
            name
            for name, is_withheld in (
                ("main", case.main_id is not None and main is None),
                ("parent", case.parent_id is not None and parent is None),
                ("fields.same_as", fields != case.fields),
            )
            if is_withheld
        ],
        attachments=[_attachment(a) for a in case.attachments.order_by("id")],
        public_reply=case.public_reply,
        contacted=case.contacted,
        solved=case.solved,
        satisfaction=case.satisfaction,
        returns=case.returns,
        reworks=case.reworks,
        appealed_at=case.appealed_at,
        dispatched_at=case.dispatched_at,
        closed_at=case.closed_at,
        destroyed=destroyed(case),
        actions=[step(t) for t in engine.actions_for(case, who)],
    )


@router.get("/cases/{number}", response=out.Detail, summary="Look at a case")
def get_case(request: HttpRequest, response: HttpResponse, number: out.Number) -> out.Detail:
    """One case with its clocks, texts, history and what may be done next. The header ETag holds its version."""
    case, who = _visible(request, number)
    response["ETag"] = etag(case)
    return detail(case, who)


def etag(case: Case) -> str:
    return f'"{case.version}"'


_ETAG = re.compile(r'"([0-9]{1,9})"')

IfMatch = Annotated[
    str,
    Header(
        alias="If-Match", description="the ETag of the case as the caller has seen it, in quotation marks"
    ),
]
Key = Annotated[
    str, Header(alias="Idempotency-Key", max_length=80, description="the same on a retry: it is done once")
]


def version(if_match: str) -> int:
    """The version in an If-Match header. Raises VersionMissing, Invalid."""
    if not if_match:
        raise VersionMissing(
            _(
                "Send the header If-Match with the ETag of the order: a change is made to the version you have seen."
            )
        )
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Invalid({"If-Match": _("Write the version in quotation marks, as the header ETag gave it.")})
    return int(found[1])


@router.post("/cases/{number}/actions/{action}", response=out.Moved, summary="Take a step")
def take_step(
    request: HttpRequest,
    response: HttpResponse,
    number: out.Number,
    action: str,
    fields: Annotated[dict[str, JsonValue], Body(description="what the step needs and takes, by name")],
    if_match: IfMatch = "",
    idempotency_key: Key = "",
) -> out.Moved:
    """Carry out one step of the life cycle. GET /cases/{number} lists the steps open to the caller and their fields."""
    case = engine.act(
        number,
        action,
        fields,
        actor=person(request),
        scope=reader(request),
        version=version(if_match),
        now=timezone.now(),
        key=idempotency_key or None,
    )
    response["ETag"] = etag(case)
    return moved(case)


@router.post("/cases/{number}/split", response={201: list[out.Moved]}, summary="Split a case")
def split_case(
    request: HttpRequest,
    number: out.Number,
    matters: out.Split,
    if_match: IfMatch = "",
    idempotency_key: Key = "",
) -> list[out.Moved]:
    """Make one case of each of several matters in a message. Answers with the new cases."""
    made = engine.split(
        number,
        [part.dict() for part in matters.parts],
        actor=person(request),
        scope=reader(request),
        version=version(if_match),
        now=timezone.now(),
        key=idempotency_key or None,
    )
    return [moved(case) for case in made]


_PICTURE = {"responses": {200: {"description": "OK", "content": {"image/jpeg": {}}}}}
_MULTIPART = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photo"],
                    "properties": {"photo": {"type": "string", "contentMediaType": "image/*"}},
                }
            }
        },
    }
}


@router.post(
    "/cases/{number}/attachments",
    response={201: out.AttachmentOut},
    summary="Add a photograph",
    openapi_extra=_MULTIPART,
)
def add_photograph(request: HttpRequest, number: out.Number) -> out.AttachmentOut:
    """Add one photograph (JPEG, PNG or WebP, the part ``photo``). Position and device are taken out of it; the same
    one twice is added once."""
    case, who = _visible(request, number)
    role = who.role_for("case.handle", case) or who.role_for("case.accept", case)
    if role is None:
        raise Forbidden(_("Your posts do not let you add to this order."))
    if request.content_type != "multipart/form-data":
        raise MediaType(_("Send the photograph as “multipart/form-data”."))
    photo = request.FILES.get("photo")
    if "photo" in too_large(request):
        raise TooLarge(
            _("This photograph is larger than %(most)s MB.")
            % {"most": settings.ATTACHMENT_MAX_BYTES // 1024**2}
        )
    if photo is None:
        raise Invalid({"photo": _("Send a photograph as the part “photo”.")})
    return _attachment(
        attachments.store(case.pk, photo, person=person(request), role=role, now=timezone.now())
    )


@router.get("/cases/{number}/attachments/{sha256}", summary="Fetch a photograph", openapi_extra=_PICTURE)
def get_photograph(
    request: HttpRequest, number: out.Number, sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
) -> FileResponse:
    """The picture, as image/jpeg."""
    case, _who = _visible(request, number)
    found = case.attachments.filter(sha256=sha256).first()
    if found is None:
        raise NotFound(_("There is no such photograph."))
    return FileResponse(
        attachments.open_file(found),
        content_type=found.media_type,
        headers={"Cache-Control": "private, no-store"},
    )


@router.post("/cases/{number}/reveal", response=out.Revealed, summary="Look at the contact")
def reveal_contact(request: HttpRequest, number: out.Number, why: out.Reason) -> out.Revealed:
    """What is asked for of the requester's name, number and address, for a reason that stays in the history of the
    case. Without ``fields`` it is name and number."""
    case, who = _visible(request, number)
    if not hasattr(case, "contact"):
        raise NotFound(_("The requester left no contact."))
    shown = contacts.reveal_to(
        who, case, person=person(request), reason=why.reason, fields=why.fields, now=timezone.now()
    )
    return out.Revealed(name=shown.name, phone=shown.phone, address=shown.address, version=shown.version)


@router.post("/cases", summary="Make a case")
def post_case(request: HttpRequest, idempotency_key: Key = "") -> HttpResponse:
    """Make a case: the contact is sealed, the place located, a matter proposed, the clocks set; with ``dispatch`` it
    goes to its unit at once. 201 with the new case; 200 with the first answer where the key has been used before.
    """
    status, headers, body = create(
        request.body,
        request.headers.get("Content-Type", ""),
        idempotency_key or None,
        Identity(person(request), scope(request)),
        timezone.now(),
    )
    return HttpResponse(body, status=status, headers=headers)
