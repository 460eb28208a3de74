"""A person's data in a file that programs read: a zip with ``data.json``, its JSON Schema, and their photographs.

Whoever is named in a case may have a copy of what is held of them (Personal Information Protection Law, 个人信息保护法,
art. 45; Network Data Security Regulations, 网络数据安全管理条例, art. 25). The file holds what the requester said, gave
and was told; it holds nobody else's data: no names of staff, no notes that units wrote for each other, no photographs
that staff took, nothing of cases of others that were merged with theirs. What is left out is counted.
"""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import attachments, codes, following
from lucheng.core.cases.lifecycle import BY_REQUESTER, EVENT_NAMES, TRANSITIONS
from lucheng.core.cases.models import Case
from lucheng.core.dispatch import matters
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.ledger import acts, outbox
from lucheng.core.ledger.append import REQUESTER, append
from lucheng.core.ledger.models import Message
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.postgresql.context import everything

#: Of the file's form; it grows where a field is taken away or means something else.
VERSION = 1
#: The action of the event.
EXPORTED = "exported"


class Requester(msgspec.Struct, kw_only=True):
    """Who asked, as it lay under seal; empty where nothing was left or it was destroyed."""

    name: str
    phone: str
    address: str


class Happened(msgspec.Struct, kw_only=True):
    """A step that concerns the requester. ``by`` is requester or authority; ``texts`` what the requester wrote or was
    to read."""

    at: dt.datetime
    step: str
    name: str
    by: str
    texts: dict[str, str]


class Photograph(msgspec.Struct, kw_only=True):
    """A picture that the requester gave: its file in the zip."""

    file: str
    sha256: str
    added_at: dt.datetime


class Sent(msgspec.Struct, kw_only=True):
    """A message to the requester. ``state`` is waiting, sent or failed."""

    at: dt.datetime
    channel: str
    state: str
    text: str


class Look(msgspec.Struct, kw_only=True):
    """Somebody of staff looked at these fields of the contact, for this reason."""

    at: dt.datetime
    fields: list[str]
    reason: str


class Gone(msgspec.Struct, kw_only=True):
    """What was destroyed: contact, texts or photographs."""

    what: str
    at: dt.datetime
    basis: str


class LeftOut(msgspec.Struct, kw_only=True):
    """How many things of the case are not in the file, since they are not the requester's alone."""

    internal_texts: int
    photographs_of_staff: int


class Matter(msgspec.Struct, kw_only=True):
    """A code and its name."""

    code: str
    name: str


class ExportedCase(msgspec.Struct, kw_only=True):
    """One case of the person. Times are UTC, places division codes, coordinates degrees in WGS 84."""

    number: str
    code: str
    kind: str
    state: str
    channel: str
    nature: str
    anonymous: bool
    confidential: bool
    reply_wanted: bool
    language: str
    requester: Requester
    matter: Matter
    title: str
    content: str
    fields: dict[str, Any]
    place: Matter
    address: str
    lon: float | None
    lat: float | None
    occurred_at: dt.datetime | None
    created_at: dt.datetime
    closed_at: dt.datetime | None
    unit_in_charge: str
    public_reply: str
    solved: bool | None
    contacted: bool | None
    satisfaction: int | None
    history: list[Happened]
    photographs: list[Photograph]
    messages: list[Sent]
    looks: list[Look]
    destroyed: list[Gone]
    left_out: LeftOut


class Export(msgspec.Struct, kw_only=True):
    """The whole of ``data.json``."""

    version: int
    made_at: dt.datetime
    cases: list[ExportedCase]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``data.json``, as docs/export.schema.json keeps it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Export)}


# --- whose ----------------------------------------------------------------------------------------------------------


@everything("whoever brings a code, and the number left with it, is who asked")
def by_code(code: str, phone: str | None = None) -> list[Case]:
    """The one case under a tracking code. Where ``phone`` is given, it must be the number that was left with it: who
    knows both is who asked.

    Raises Invalid at ``code`` or ``phone``; where they do not fit together it does not say which of them is wrong.
    """
    stored = codes.read(code)
    rows = Case.objects.filter(code=stored or "")
    if phone is not None:
        indexes = contacts.phone_indexes(phone)
        rows = rows.filter(contact__phone_index__in=indexes) if phone.strip() else rows.none()
    found = list(rows)
    if not found and phone is None:
        raise Invalid({"code": _("No case has this code. Check it for a slip of the pen.")})
    if not found:
        raise Invalid({"phone": _("Code and number do not belong together.")})
    return found


@everything("what is held of whoever has a number, for answering them")
def by_phone(phone: str) -> list[Case]:
    """Every case with which this number was left, the oldest first. For answering a request of whoever has the number;
    no page lists them.

    Raises Invalid (field ``phone``) for what is no number, NotFound where no case has it.
    """
    if not contacts.normalise_phone(phone):
        raise Invalid({"phone": _("This is not a telephone number. Enter the digits of one number.")})
    held = Contact.objects.filter(phone_index__in=contacts.phone_indexes(phone)).values("case")
    found = list(Case.objects.filter(pk__in=held).order_by("id"))
    if not found:
        raise NotFound(_("No case is held with this number."))
    return found


# --- writing --------------------------------------------------------------------------------------------------------


@everything("a copy of what is held of a person, for that person")
def write(
    cases: Sequence[Case],
    file: IO[bytes],
    *,
    person: Person,
    role: str,
    reason: str,
    now: dt.datetime,
    request: str = "",
) -> int:
    """Write the zip; returns how many photographs are in it. That ``person`` had it made, and why, is committed as a
    look at every case before anything is read. Must not be called inside another transaction. ``request`` is the number
    of the request that asks for it, if one does.

    Raises Invalid (field ``reason``), SealError where a sealed value was changed.
    """
    reason = contacts.checked_reason(reason)
    with transaction.atomic(durable=True):
        for case in (
            Case.objects.select_for_update(of=("self",)).filter(pk__in=[c.pk for c in cases]).order_by("id")
        ):
            contact = Contact.objects.filter(case=case).first()
            if contact is not None and (left := contacts.left(contact)):
                Reveal.objects.create(
                    contact=contact,
                    number=case.number,
                    person=person,
                    role=role,
                    fields=left,
                    at=now,
                    reason=reason,
                )
            append(case, EXPORTED, {"reason": reason}, actor=person, role=role, now=now)
            case.save(update_fields=["chain_length", "chain_head", "version"])
        numbers = [case.number for case in cases]
        acts.wrote("copy_made", request or numbers[0], {"case": numbers})
    return _write(cases, file, now, covered=False)


@everything("a copy of one case, for whoever may see its page")
def write_covered(case: Case, file: IO[bytes], *, now: dt.datetime) -> int:
    """Write the zip of one case for whoever has opened its page: what the page shows and no more. The contact stays
    sealed but for the mask of its number, since a number may have gone to somebody else meanwhile; rooms and numbers of
    persons in what was written are covered. Must not be called inside another transaction.

    Raises SealError where a sealed value was changed.
    """
    with transaction.atomic(durable=True):
        locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
        append(locked, EXPORTED, {"covered": True}, actor=None, role=REQUESTER, now=now)
        locked.save(update_fields=["chain_length", "chain_head", "version"])
    return _write([case], file, now, covered=True)


def _write(cases: Sequence[Case], file: IO[bytes], now: dt.datetime, *, covered: bool) -> int:
    photographs = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        told = []
        for case in cases:
            said = _case(Case.objects.select_related("lead_unit").get(pk=case.pk), covered=covered)
            told.append(said)
            for row, shown in zip(
                case.attachments.filter(added_by=None).order_by("id"), said.photographs, strict=True
            ):
                with attachments.open_file(row) as picture:
                    out.writestr(shown.file, picture.read(), compress_type=zipfile.ZIP_STORED)
                photographs += 1
        data = Export(version=VERSION, made_at=now.astimezone(dt.UTC), cases=told)
        out.writestr("data.json", msgspec.json.format(msgspec.json.encode(data), indent=2))
        out.writestr("schema.json", msgspec.json.format(msgspec.json.encode(schema()), indent=2))
    return photographs


def write_file(path: Path, cases: Sequence[Case], **given: Any) -> int:
    """:func:`write` into a new file that its owner alone can read. Raises FileExistsError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        return write(cases, file, **given)


#: (action, field) of the texts that are the requester's own, or that the requester may read.
_THEIRS = {
    (t.action, name) for t in TRANSITIONS for name in (t.needs + t.takes if t.who == REQUESTER else t.shows)
}
#: Steps that the requester is told of.
_TOLD = {"create"} | {
    t.action
    for t in TRANSITIONS
    if t.who == REQUESTER or t.shows or any(whom == "requester" for _template, whom in t.tells)
}


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.astimezone(dt.UTC) if moment is not None else None


def _at(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)


def _case(case: Case, *, covered: bool) -> ExportedCase:
    contact = Contact.objects.filter(case=case).first()
    who = dict.fromkeys(contacts.FIELDS, "")
    if contact is not None:
        who = who | {"phone": contact.phone_mask} if covered else contacts.open_for_its_owner(contact)

    def shown(text: str, action: str = "create") -> str:
        return following.told(case, text, own=action in ("create", *BY_REQUESTER)) if covered else text

    written: dict[int, dict[str, str]] = {}
    internal = 0
    events = list(case.events.order_by("seq"))
    actions = {e.seq: e.action for e in events}
    for text in case.texts.order_by("id"):
        if (actions.get(text.seq, ""), text.name) in _THEIRS:
            written.setdefault(text.seq, {})[text.name] = shown(text.text, actions[text.seq])
        elif (text.name, text.text) != ("public_reply", case.public_reply):
            internal += 1
    pictures = list(case.attachments.filter(added_by=None).order_by("id"))
    letters = Message.objects.filter(case=case, to_unit=None).select_related("case__contact").order_by("id")
    looks = Reveal.objects.filter(contact__case=case).order_by("at", "id")
    return ExportedCase(
        number=case.number,
        code=codes.written(case.code),
        kind=case.kind,
        state=case.state,
        channel=case.channel,
        nature=case.nature,
        anonymous=case.anonymous,
        confidential=case.confidential,
        reply_wanted=case.reply_wanted,
        language=case.language,
        requester=Requester(**who),
        matter=Matter(code=case.matter, name=str(matters.name(case.matter)) if case.matter else ""),
        title=shown(case.title),
        content=shown(case.content),
        # The number of somebody else's case may stand here.
        fields={k: v for k, v in case.fields.items() if k != "same_as"},
        place=Matter(code=case.place, name=names.place_name(case.place)),
        address=shown(case.address),
        lon=case.lon,
        lat=case.lat,
        occurred_at=_utc(case.occurred_at),
        created_at=_at(case.created_at),
        closed_at=_utc(case.closed_at),
        unit_in_charge=case.lead_unit.name if case.lead_unit is not None else "",
        public_reply=shown(case.public_reply, "reply"),
        solved=case.solved,
        contacted=case.contacted,
        satisfaction=case.satisfaction,
        history=[
            Happened(
                at=_at(e.at),
                step=e.action,
                name=str(EVENT_NAMES.get(e.action, e.action)),
                by="requester" if e.actor_role == REQUESTER else "authority",
                texts=written.get(e.seq, {}),
            )
            for e in events
            if e.action in _TOLD
        ],
        photographs=[
            Photograph(file=f"photographs/{case.number}-{n}.jpg", sha256=a.sha256, added_at=_at(a.added_at))
            for n, a in enumerate(pictures, 1)
        ],
        messages=[
            Sent(at=_at(m.created_at), channel=m.channel, state=m.state, text=outbox.text_of(m))
            for m in letters
        ],
        looks=[Look(at=_at(look.at), fields=list(look.fields), reason=look.reason) for look in looks],
        destroyed=[Gone(what=s.what, at=_at(s.at), basis=s.basis) for s in case.tombstones.order_by("id")],
        left_out=LeftOut(
            internal_texts=internal,
            photographs_of_staff=case.attachments.exclude(added_by=None).count(),
        ),
    )
