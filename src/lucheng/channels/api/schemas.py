"""What the operations of the API take and give, as the document describes it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.utils import timezone
from ninja import Schema
from pydantic import ConfigDict, Field

from lucheng.core.privacy.contacts import TO_CALL

#: A place as a prefix: a division or grid code, or the beginning of one.
Prefix = Annotated[str, Field(pattern=r"^[0-9]{0,15}$")]
Matter = Annotated[str, Field(pattern=r"^[0-9]{0,12}$")]
Number = Annotated[str, Field(pattern=r"^[0-9]{8,20}$", description="order number")]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class Body(Schema):
    """A request body: a field that is not known is a mistake, not a wish to be ignored."""

    model_config = ConfigDict(extra="forbid")


class Stretch(Body):
    """What is asked of a list that is read from its newest row on."""

    since: dt.datetime | None = Field(default=None, description="without it: of the last 30 days")
    until: dt.datetime | None = None
    before: Id | None = Field(default=None, description="``next`` of the page before")
    limit: int = Field(default=50, ge=1, le=200)


def moment(given: dt.datetime | None) -> dt.datetime | None:
    """A moment that a caller names; in the city's time where it names no other."""
    return timezone.make_aware(given) if given is not None and given.tzinfo is None else given


class Problem(Schema):
    """Problem details (RFC 9457)."""

    class Fault(Schema):
        field: str = Field(description="name of the field or header; empty for the whole request")
        detail: str = Field(description="what to do")

    type: str = Field(description="address of a page that explains this kind of problem")
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field(default=[], description="one for each wrong field")


class Named(Schema):
    """A code and what it is called in the caller's language."""

    code: str
    name: str


class UnitRef(Schema):
    id: int
    name: str


class Row(Schema):
    """A case as lists show it. Of a confidential one the title is left out."""

    number: str
    version: int
    kind: Named
    nature: Named
    state: Named
    title: str
    matter: Named | None = Field(description="as decided by a person")
    place: Named
    urgency: Named
    channel: Named
    lead_unit: UnitRef | None
    handler: str = Field(description="name of the member of staff who signed for it")
    supervision: Named | None
    collective: bool
    confidential: bool
    created_at: dt.datetime
    due_at: dt.datetime | None
    open: bool


class Rows(Schema):
    cases: list[Row]
    count: int = Field(description="how many fit, counted no further than 1000")
    more: bool = Field(description="there are more than ``count``")
    next: str | None = Field(description="``after`` of the next page; none on the last")


class FieldOut(Schema):
    """A field that a step asks for."""

    name: str
    label: str
    kind: str = Field(
        description="line, text, flag, choice, unit, units, person, matter, place, case, date or days"
    )
    choices: list[Named] = []


class Step(Schema):
    """A step that may be taken now, with what it must and may be given."""

    action: str
    name: str
    needs: list[FieldOut]
    takes: list[FieldOut]


class Contact(Schema):
    """What may be seen of the requester without a reason."""

    anonymous: bool
    phone_mask: str
    has_name: bool
    has_address: bool = Field(description="the requester's own address, not the place of the matter")


class ClockOut(Schema):
    kind: Named
    state: Named
    amount: int
    unit: Named
    basis: str
    started_at: dt.datetime
    warn_at: dt.datetime
    due_at: dt.datetime
    paused_at: dt.datetime | None
    pause_cause: str
    ended_at: dt.datetime | None


class EventOut(Schema):
    """One link of the chain. ``hash`` is SHA-256 over ``prev`` and the canonical event, in hexadecimal: where nothing
    is withheld, what stands here is enough to verify it (docs/api.md)."""

    seq: int
    at: dt.datetime
    actor: str
    actor_id: int | None
    role: str
    action: str
    body: dict[str, Any]
    withheld: list[str] = Field(
        description="names in ``body`` of which something is null because the caller may not know it"
    )
    prev: str
    hash: str


class TextOut(Schema):
    seq: int = Field(description="number of the event in which it was written")
    name: str
    text: str


class AssistOut(Schema):
    unit: UnitRef
    asked_at: dt.datetime
    replied_at: dt.datetime | None
    reply: str


class Ruling(Schema):
    """The row of the dispatch catalogue that decided."""

    rule: int
    edition: int
    matter: str = Field(description="matter prefix of the row; empty means any matter")
    place: str = Field(description="place prefix of the row")
    lead_unit: UnitRef
    assist_units: list[UnitRef]
    basis: str
    reason: str


class AdviceOut(Schema):
    """What was proposed when the case came in. Advice, never a verdict."""

    model_version: str
    matter: Named | None
    matter_probability: float | None
    place: Named | None
    place_score: float | None


class AttachmentOut(Schema):
    sha256: str
    media_type: str
    size: int = Field(description="bytes")
    width: int
    height: int
    added_at: dt.datetime


class Destroyed(Schema):
    """What was destroyed of a case by the retention rules, or on request."""

    what: str = Field(description="contact, texts or photographs")
    at: dt.datetime
    edition: int | None = Field(description="of the retention rules")
    months: int | None = Field(description="after closing")
    basis: str


class Detail(Row):
    """A case with everything that belongs to it, save the sealed contact."""

    id: int
    code: str = Field(description="tracking code of the requester")
    content: str
    address: str
    lon: float | None
    lat: float | None
    occurred_at: dt.datetime | None
    source_ref: str
    language: str
    reply_wanted: bool
    notice: int | None = Field(description="edition of the privacy notice that the requester was shown")
    fields: dict[str, Any]
    contact: Contact
    accused_unit: UnitRef | None
    assists: list[AssistOut]
    named_after_study: bool
    ruling: Ruling | None
    alarm: str = Field(description="why no unit was found; empty where one was, or a person has named one")
    advice: AdviceOut | None
    clocks: list[ClockOut]
    texts: list[TextOut]
    events: list[EventOut]
    main: str | None = Field(description="number of the order it is merged into, if the caller may see that")
    merged: list[str] = Field(description="numbers of the orders merged into it, of those the caller sees")
    parent: str | None = Field(
        description="number of the order it was split from, if the caller may see that"
    )
    parts: list[str] = Field(description="numbers of the orders split from it, of those the caller sees")
    withheld: list[str] = Field(
        description="what is null here because it names an order that the caller may not see: main, parent, "
        "fields.same_as"
    )
    attachments: list[AttachmentOut]
    public_reply: str
    contacted: bool | None
    solved: bool | None
    satisfaction: int | None
    returns: int
    reworks: int
    appealed_at: dt.datetime | None
    dispatched_at: dt.datetime | None
    closed_at: dt.datetime | None
    destroyed: list[Destroyed] = Field(description="what is no longer held, and by which rule")
    actions: list[Step] = Field(description="what the caller may do now")


class Moved(Schema):
    """Where a case stands after a step."""

    number: str
    version: int
    state: Named
    due_at: dt.datetime | None


class Part(Body):
    title: str = ""
    content: str


class Split(Body):
    """The matters to take out of an order; what is left stays."""

    parts: Annotated[list[Part], Field(min_length=1, max_length=20)]


class Reason(Body):
    reason: str = Field(description="why the contact is needed, 4 to 200 characters; it is kept")
    fields: list[str] = Field(
        default=list(TO_CALL), description="what is needed: name, phone, address; no more than that is opened"
    )


class Revealed(Schema):
    """A field that was not asked for is null; one that the requester left empty is an empty text."""

    name: str | None
    phone: str | None
    address: str | None
    version: int


class QueueOut(Schema):
    queue: str
    count: int = Field(description="counted no further than 1000")
    more: bool


# --- reference ------------------------------------------------------------------------------------------------------


class KindOut(Named):
    natures: list[Named]
    has_requester: bool
    states: list[Named]
    without: list[str] = Field(description="actions of the common table that it does not have")


class TransitionOut(Schema):
    action: str
    name: str
    sources: list[str]
    to: str | None = Field(description="none where the case stays where it is")
    who: str = Field(description="capability asked of staff, or requester, or system")
    needs: list[str]
    takes: list[str]
    clocks: list[str]
    rules: list[str]


class Lifecycle(Schema):
    states: list[Named]
    fields: list[FieldOut]
    transitions: list[TransitionOut]


class MatterOut(Named):
    grassroots: bool = Field(description="on the list of duties of sub-districts and townships")
    urgency: str = Field(description="urgency proposed for it; empty means ordinary")


class UnitOut(Schema):
    id: int
    code: str
    name: str
    kind: Named
    parent: int | None
    place: str
    domains: list[str]
    phone: str


class DivisionOut(Named):
    level: int = Field(description="digits in the code: 4 city, 6 county, 9 township, 12 community, 15 grid")
    kind: Named
    aliases: list[str]
    households: int | None
    residents: int | None
    valid_from: dt.date
    valid_to: dt.date | None = Field(description="the first day on which it no longer holds")


class Successor(Schema):
    code: str
    name: str
    at: dt.date
    how: Named
    certain: bool = Field(description="known, not merely likely")


class DivisionDetail(DivisionOut):
    before: list[Successor]
    after: list[Successor]


class Candidate(Schema):
    place: str
    name: str
    score: float = Field(description="0 to 1")
    lon: float | None
    lat: float | None
    words: list[str] = Field(description="the words that matched, each with its sort: ``road:钢铁大街``")


class Located(Schema):
    candidates: list[Candidate] = Field(description="the best first; empty where nothing was found")


class Question(Body):
    """A text to advise on."""

    text: Annotated[str, Field(max_length=100_000)]
    place: Prefix = ""
    lon: Longitude | None = None
    lat: Latitude | None = None


class Word(Schema):
    word: str
    weight: float


class Alternative(Schema):
    matter: Named
    probability: float


class Alike(Schema):
    number: str
    title: str
    similarity: float = Field(description="0 to 1")
    distance_m: float | None = Field(description="metres, where both have a point")


class Proposal(Schema):
    """Advice on a text: never a verdict. ``matter`` is none where the model is not sure."""

    model_version: str
    matter: Named | None
    probability: float
    words: list[Word]
    alternatives: list[Alternative]
    urgent: list[str] = Field(description="words that call for a look at once")
    place: Candidate | None
    alike: list[Alike] = Field(
        description="open orders that may be about the same thing, among those the caller sees"
    )


class Decided(Schema):
    ruling: Ruling | None
    why_none: str = Field(description="why the catalogue has no answer; empty where it has one")


# --- for the data-protection officer --------------------------------------------------------------------------------


class LookOut(Schema):
    """One look at sealed data."""

    id: int
    at: dt.datetime
    person: str
    username: str
    unit: UnitRef | None = Field(description="none where it was not recorded at the time")
    role: str
    number: str = Field(description="order number")
    fields: list[str] = Field(description="what was opened: name, phone, address")
    reason: str


class LooksOut(Schema):
    looks: list[LookOut]
    next: int | None = Field(description="``before`` of the next page; none on the last")


class RegisterVersion(Schema):
    """One version of an entry of a register."""

    code: str
    version: int
    title: str
    fields: dict[str, str | bool | list[str]] = Field(description="days as 2026-03-02")
    ended_on: dt.date | None = Field(description="the first day on which it is over")
    made_at: dt.datetime
    made_by: str = Field(description="name; empty where it came with the national pack")
    note: str = Field(description="why it changed")


class RegisterEntryOut(RegisterVersion):
    """An entry of a register by its last version."""

    state: Named
    waits: Named | None = Field(description="why it waits for somebody")


class ProcessingOut(Schema):
    entries: list[RegisterEntryOut]
    next: str | None = Field(description="``after`` of the next page; none on the last")


class ProcessingHistory(RegisterEntryOut):
    versions: list[RegisterVersion] = Field(description="those that are kept, the newest first, 100 at most")


# --- for the audit administrator ------------------------------------------------------------------------------------


class PersonRef(Schema):
    name: str
    username: str


class ActOut(Schema):
    """One act, as link ``seq`` of the chain of acts."""

    seq: int
    at: dt.datetime
    person: PersonRef | None = Field(description="none: the operator of the system, by a command")
    person_id: int | None
    role: str
    unit: UnitRef | None
    action: str
    kind: str = Field(description="what it was done to")
    name: str = Field(description="the name or number of that")
    details: dict[str, Any]
    words: str = Field(description="what was done, in the caller's language")
    prev: str
    hash: str


class ActsOut(Schema):
    acts: list[ActOut]
    next: int | None = Field(description="``before`` of the next page; none on the last")


class SignInOut(Schema):
    """One try to sign in and what came of it, or the end of a session."""

    id: int
    at: dt.datetime
    person: PersonRef | None = Field(description="whose account it is; none where there is no such account")
    outcome: str = Field(description="in, half (the second factor is asked for), refused, out, ended")
    reason: str = Field(description="of a refusal: wrong, locked, closed, old, failed")
    by: str = Field(description="what was shown last: password, passkey, app, recovery, city")
    address: str


class SignInsOut(Schema):
    sign_ins: list[SignInOut]
    next: int | None = Field(description="``before`` of the next page; none on the last")


class VerificationWanted(Body):
    files: bool = Field(default=False, description="read every photograph as well")


class FoundOut(Schema):
    """One thing that is wrong. ``case`` is an order number, ``seq`` the number of the event or act, if one."""

    kind: str
    case: str
    seq: int | None
    text: str


class VerificationOut(Schema):
    """One verification. ``found`` holds the first of its ``findings``."""

    id: int
    asked_at: dt.datetime
    asked_by: PersonRef | None = Field(description="none: by a command")
    files: bool
    state: str = Field(description="waiting, running, done, failed")
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    events_in_all: int
    cases: int
    events: int
    acts: int
    anchors: int
    not_anchored: int
    findings: int
    found: list[FoundOut]
    error: str


class VerificationsOut(Schema):
    verifications: list[VerificationOut]
    next: int | None = Field(description="``before`` of the next page; none on the last")


# --- for residents --------------------------------------------------------------------------------------------------


class Told(Schema):
    """Something that happened, as the requester may know it."""

    at: dt.datetime
    action: str
    name: str
    text: str


class Tracked(Schema):
    """A case as whoever holds its code may see it. Where ``digits_needed``, only state, unit and due date are told."""

    state: Named
    due_at: dt.datetime | None
    lead_unit: str
    digits_needed: bool = Field(
        default=False, description="the rest opens with the last four digits of the requester's number"
    )
    number: str = ""
    created_at: dt.datetime | None = None
    public_reply: str = ""
    history: list[Told] = []
    destroyed: list[Destroyed] = Field(default=[], description="what is no longer held, and by which rule")
    actions: list[Step] = []


class Reported(Schema):
    number: str
    code: str = Field(
        description="tracking code: it follows the case, and opens it with the last digits of the number"
    )
    state: Named
    place: Named
    due_at: dt.datetime | None


# --- the overview ---------------------------------------------------------------------------------------------------


class FigureOut(Schema):
    """One figure of today. The list at ``rows`` has as many cases as ``count`` says."""

    figure: str
    count: int
    usual: float | None = Field(
        description="median of the same weekday up to the same time; null where no past is known, and for what is open"
    )
    weeks: int = Field(description="of how many weeks the median is")
    rows: str = Field(description="address of its cases")


class HourOut(Schema):
    """What came in within one hour of today."""

    hour: int
    count: int | None = Field(description="null for an hour that has not begun")
    usual: float | None
    rows: str


class StandingOut(Schema):
    """What stands open at one division."""

    place: Named
    open: int
    overdue: int
    rows: str
    overdue_rows: str


class NeedOut(Schema):
    """One matter that waits for a decision: of those under its rule, the one that has waited longest."""

    rule: str
    number: str
    place: Named
    matter: Named | None
    since: dt.datetime
    action: str = Field(description="the step that decides it; empty where the caller may only look")
    count: int = Field(description="how many wait under this rule, counted no further than 1001")
    rows: str


class HotOut(Schema):
    """A class of matter that came in well above its usual."""

    matter: Named
    count: int
    of: int = Field(description="of how many cases in the same hours")
    usual: float
    hours: int
    rows: str


class HappenedOut(Schema):
    """One event, without anybody in it."""

    at: dt.datetime
    action: str
    number: str
    place: Named
    matter: Named | None


class OverviewOut(Schema):
    """Today, within what the caller's posts show."""

    as_of: dt.datetime
    figures: list[FigureOut]
    hours: list[HourOut]
    counties: list[StandingOut]
    townships: list[StandingOut]
    needs: list[NeedOut]
    hot: list[HotOut]
    events: list[HappenedOut]


# --- registers --------------------------------------------------------------------------------------------------------


class RegisterField(Schema):
    name: str
    label: str
    kind: str = Field(description="text, words, number, day, yes, choice, choices, place, unit or entry")
    required: bool
    choices: list[Named]
    help: str


class RegisterOut(Schema):
    slug: str
    name: str
    writable: bool = Field(description="whether the caller may write at any place")
    fields: list[RegisterField]


class EntryOut(Schema):
    code: str
    version: int
    fields: dict[str, Any]


class Entries(Schema):
    entries: list[EntryOut]
    next: str | None = Field(description="``after`` of the next page")


class EntryVersion(Schema):
    version: int
    at: dt.datetime
    by: str | None = Field(description="user name; null: the operator of the system")
    how: Named
    fields: dict[str, Any]


class EntryDetail(EntryOut):
    history: list[EntryVersion]
