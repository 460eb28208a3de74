"""Destroying what is kept of a case, so that its chain and every figure stay what they were.

The row of the case stays with its number, states, times, place, matter and answers in numbers, and so do its events,
which hold digests. What goes is what somebody wrote, showed, or is reached by. A tombstone and an event of the case say
what went, when and by which rule.

Files and the record outside the database cannot go in the same transaction. They are settled after it: until then the
tombstone stays open, and whoever comes next goes on with it (:func:`settle`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lucheng import files
from lucheng.core.cases import attachments
from lucheng.core.cases.models import Assist, Attachment, Case, Request, Text
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Invalid
from lucheng.core.ledger.append import SYSTEM, append
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.models import Person
from lucheng.core.privacy.models import Contact, Tombstone, What

#: The action of the event.
DESTROYED = "destroyed"


@dataclass(frozen=True)
class Cause:
    """Why something is destroyed, and who said so. ``edition`` and ``months`` are of the retention rule, if it was
    one."""

    basis: str
    approved_by: Person | None
    edition: int | None = None
    months: int | None = None
    #: What else the event says: codes and numbers alone.
    says: dict[str, Any] = field(default_factory=dict)


def _sealed_fields() -> list[models.Field[Any, Any]]:
    """Every column of a contact but whose it is: what a later version adds is destroyed as well."""
    return [f for f in Contact._meta.concrete_fields if not f.primary_key and f.name != "case"]


def held(what: str) -> Q:
    """The condition on cases that there is something of this sort to destroy."""
    case = {"case": OuterRef("pk")}
    match what:
        case What.CONTACT:
            left = Q()
            for f in _sealed_fields():
                left |= Q(**{f"{f.name}__isnull": False}) if f.null else ~Q(**{f.name: ""})
            return Q(Exists(Contact.objects.filter(left, **case)))
        case What.PHOTOGRAPHS:
            return Q(Exists(Attachment.objects.filter(**case)))
    return ~Q(content="") | Q(Exists(Text.objects.filter(**case)))


def _contact(case: Case) -> None:
    emptied = {f.name: None if f.null else "" for f in _sealed_fields()}
    Contact.objects.filter(case=case).update(**emptied)
    # A digest over words that are still held and a number could be tried for every number.
    case.request_digest = None


def _texts(case: Case) -> None:
    case.title = case.content = case.address = case.public_reply = ""
    case.lon = case.lat = case.request_digest = None
    case.fields = {}
    Text.objects.filter(case=case).delete()
    Assist.objects.filter(case=case).exclude(reply="").update(reply="")
    Clock.objects.filter(case=case).exclude(pause_cause="").update(pause_cause="")
    Request.objects.filter(case=case).delete()


def _photographs(case: Case) -> None:
    Attachment.objects.filter(case=case).delete()


_DO: dict[str, Callable[[Case], None]] = {
    What.CONTACT: _contact,
    What.TEXTS: _texts,
    What.PHOTOGRAPHS: _photographs,
}
_CHANGED = [
    *("title", "content", "address", "public_reply", "lon", "lat", "fields", "request_digest"),
    *("chain_length", "chain_head", "version"),
]


def destroy(case: Case, what: str, cause: Cause, now: dt.datetime) -> Tombstone | None:
    """Destroy one sort of thing of a case, which the caller has locked, in the caller's transaction.

    The caller has seen to it that this may be done. None where nothing of this sort is left: then nothing is written.
    After the transaction, :func:`settle` the tombstone.
    """
    if not Case.objects.filter(held(what), pk=case.pk).exists():
        return None
    _DO[what](case)
    said = {
        "destroyed": what,
        "edition": cause.edition,
        "months": cause.months,
        "approved_by": cause.approved_by.pk if cause.approved_by is not None else None,
        **cause.says,
    }
    event = append(case, DESTROYED, said, actor=None, role=SYSTEM, now=now)
    case.save(update_fields=_CHANGED)
    return Tombstone.objects.create(
        case=case,
        what=what,
        at=now,
        seq=event.seq,
        edition=cause.edition,
        months=cause.months,
        basis=cause.basis,
        approved_by=cause.approved_by,
    )


# --- after the transaction ------------------------------------------------------------------------------------------


def record() -> Path:
    """The record outside the database: after a restored backup it alone knows what had been destroyed."""
    return Path(settings.DESTROYED)


def _write(stone: Tombstone) -> None:
    line = {
        "number": stone.case.number,
        "destroyed": stone.what,
        "at": stone.at.astimezone(dt.UTC).isoformat(),
        "edition": stone.edition,
        "months": stone.months,
        "basis": stone.basis,
        "approved_by": stone.approved_by.username if stone.approved_by is not None else "",
    }
    file = record()
    file.parent.mkdir(parents=True, exist_ok=True)
    made = not file.exists()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as f:
        f.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        f.flush()
        os.fsync(f.fileno())
    if made:
        files.sync(file.parent)


def settle(stone: Tombstone, now: dt.datetime) -> None:
    """Take the files off the disk and note the destruction outside the database. May be done twice."""
    if stone.what == What.PHOTOGRAPHS:
        attached = Event.objects.filter(case_id=stone.case_id, action="attached", seq__lt=stone.seq)
        for body in attached.values_list("body", flat=True):
            attachments.erase(str(body["sha256"]))
    _write(stone)
    Tombstone.objects.filter(pk=stone.pk).update(settled_at=now)


def settle_all(now: dt.datetime, limit: int = 200) -> int:
    """Go on with what a crash left between the database and the disk; returns how many there were."""
    rows = Tombstone.objects.filter(settled_at=None).select_related("case", "approved_by").order_by("id")
    stones = list(rows[:limit])
    for stone in stones:
        settle(stone, now)
    return len(stones)


# --- after a restored backup ----------------------------------------------------------------------------------------


@dataclass
class Again:
    """What :func:`again` did: numbers of cases, by how it went."""

    destroyed: int = 0
    #: Was destroyed in this database too, or there was nothing of it.
    already: int = 0
    #: Orders that are open, or that a hold stands on, in what was restored: a person decides.
    left: list[str] = field(default_factory=list)
    #: Not in what was restored: it is older than they are.
    unknown: int = 0


def again(lines: Iterable[str], now: dt.datetime, progress: Callable[[int], None] = lambda n: None) -> Again:
    """Destroy again what the record says was destroyed: a restored backup has brought it back.

    Raises Invalid (field ``record``) where a line is not one of the record's; nothing is done then.
    """
    outcome = Again()
    read = [_read(n, line) for n, line in enumerate(lines, 1) if line.strip()]
    people = Person.objects.in_bulk({r["approved_by"] for r in read}, field_name="username")
    for n, said in enumerate(read, 1):
        with transaction.atomic():
            case = Case.objects.select_for_update(of=("self",)).filter(number=said["number"]).first()
            stone = None
            if case is None:
                outcome.unknown += 1
            elif case.open or case.retention_holds.filter(lifted_at=None).exists():
                if Case.objects.filter(held(said["destroyed"]), pk=case.pk).exists():
                    outcome.left.append(case.number)
                else:
                    outcome.already += 1
            else:
                by = people.get(said["approved_by"])
                cause = Cause(
                    said["basis"], by, said["edition"], said["months"], {"first": said["at"], "again": True}
                )
                stone = destroy(case, said["destroyed"], cause, now)
                outcome.destroyed += stone is not None
                outcome.already += stone is None
        if stone is not None:
            settle(stone, now)
        progress(n)
    return outcome


def _read(number: int, line: str) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(line)
        fits = (
            said["destroyed"] in What.values
            and isinstance(said["number"], str)
            and isinstance(said["basis"], str)
            and isinstance(said["approved_by"], str)
            and isinstance(said["edition"], int | None)
            and isinstance(said["months"], int | None)
            and parse_datetime(said["at"]) is not None
        )
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise Invalid({"record": format_lazy(gettext_lazy("line {n} is no line of the record"), n=number)})
    return said


# --- telling --------------------------------------------------------------------------------------------------------


def told(case: Case) -> list[Tombstone]:
    """What was destroyed of a case, the oldest first. One query, none while the case is open."""
    return [] if case.open else list(case.tombstones.order_by("id"))


def sentence(stone: Tombstone) -> str:
    """What stands on a page in the place of what was destroyed."""
    values = {
        "what": What(stone.what).label,
        "day": date_format(timezone.localtime(stone.at), _("F j, Y")),
        "basis": stone.basis,
        "edition": stone.edition,
        "months": stone.months,
    }
    if stone.edition is None:
        return _("Destroyed on %(day)s: %(what)s. Ground: %(basis)s") % values
    return (
        _(
            "Destroyed on %(day)s: %(what)s, %(months)s months after closing, under edition %(edition)s of the "
            "retention rules. Ground: %(basis)s"
        )
        % values
    )
