"""Answering what people ask about their own data (个人信息权利请求).

The request itself is a case (:mod:`lucheng.core.privacy.cases`). It names orders by number; whoever answers sees what
is held of them and whether the request came with the same telephone number, but not what they say: no administrator
reads cases. What is done is done here, order by order, and stands in the chain of each with the number of the request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import intake, queries, reports
from lucheng.core.cases.models import Case, Channel, Nature
from lucheng.core.cases.text import clean, one_line
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.ledger import acts
from lucheng.core.ledger.append import append
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy import contacts, destruction, export
from lucheng.core.privacy.cases import KEEPER, REQUEST, Right, Shown
from lucheng.core.privacy.models import Contact, What
from lucheng.postgresql.context import everything

#: The action of the event.
CORRECTED = "contact_corrected"
#: Asked for without words, the right speaks for itself; these need to be told what.
NEEDS_WORDS = (Right.CORRECT, Right.EXPLAIN)


# --- asking -----------------------------------------------------------------------------------------------------------


def _words(right: str, words: str) -> str:
    said = clean(words, "words", 2000)
    if not said and right in NEEDS_WORDS:
        raise Invalid({"words": _("Say what is to be corrected or explained.")})
    return said or str(Right(right).label)


@everything("a request about cases that whoever asks has opened")
def ask(
    cases: Sequence[Case], right: str, words: str, *, address: str, language: str, now: dt.datetime, key: str
) -> intake.Created:
    """Make the request of a requester about their own ``cases``, which their page has opened for them. It has the
    contact of the first of them that has one; ``address`` is their network address, ``key`` makes it once.

    Raises Invalid (``right``, ``cases``, ``words``), Limited, Conflict.
    """
    if right not in Right.values:
        raise Invalid({"right": _("Choose what you ask for.")})
    if not cases:
        raise Invalid({"cases": _("Choose at least one case.")})
    content = _words(right, words)
    with transaction.atomic():
        made = reports.make(
            intake.NewCase(
                kind=REQUEST.code,
                nature=Nature.OTHER.value,
                content=content,
                channel=Channel.WEB.value,
                anonymous=True,  # the contact is copied sealed, not entered again
                language=language,
                fields={"right": right, "about": [c.number for c in cases], "shown": Shown.CODE.value},
            ),
            address=address,
            now=now,
            idempotency_key=key,
        )
        with_contact = next((c for c in cases if getattr(c, "contact", None) is not None), None)
        if with_contact is not None and not made.repeated:
            intake.of_the_same(with_contact, made.id, now)
    return made


def enter(
    entered: Mapping[str, str],
    about: Iterable[str],
    *,
    person: Person,
    scope: Scope,
    now: dt.datetime,
    key: str,
) -> intake.Created:
    """Make a request for somebody who called, wrote or came. ``entered`` holds ``right``, ``words``, ``channel``,
    ``name``, ``phone`` and ``contact_address``; ``about`` the numbers of the orders.

    Raises Forbidden, Invalid (fields, ``about`` for a number that no order has), Conflict.
    """
    role = scope.role_for(KEEPER) if scope.covers(KEEPER, names.root()) else None
    if role is None:
        raise Forbidden(_("None of your posts lets you do this."))
    numbers = list(dict.fromkeys(about))
    with everything("whether the orders exist that somebody asks about"):
        known = set(Case.objects.filter(number__in=numbers).values_list("number", flat=True))
    missing = [n for n in numbers if n not in known]
    if missing:
        raise Invalid(
            {
                "about": _("There is no order with the number “%(number)s”.")
                % {"number": one_line(missing[0], 30)}
            }
        )
    right = entered.get("right", "")
    if right not in Right.values:
        raise Invalid({"right": _("Choose what you ask for.")})
    with transaction.atomic():
        made = intake.create(
            intake.NewCase(
                kind=REQUEST.code,
                nature=Nature.OTHER.value,
                content=_words(right, entered.get("words", "")),
                channel=entered.get("channel", ""),
                name=entered.get("name", ""),
                phone=entered.get("phone", ""),
                contact_address=entered.get("contact_address", ""),
                anonymous=not any(entered.get(f) for f in ("name", "phone", "contact_address")),
                fields={"right": right, "about": numbers},
            ),
            actor=person,
            role=role,
            now=now,
            idempotency_key=f"{person.pk}:right:{key}",
        )
        if not made.repeated:
            acts.wrote("request_taken_down", made.number, {"what": right})
    return made


# --- looking ----------------------------------------------------------------------------------------------------------


def listed(scope: Scope, *, open_only: bool) -> QuerySet[Case]:
    """The requests that the reader keeps: open ones with the first due first, or all with the newest first."""
    rows = queries.visible(scope, KEEPER).filter(kind=REQUEST.code)
    return (
        rows.filter(open=True).order_by("due_at", "id") if open_only else rows.order_by("-created_at", "-id")
    )


def find(scope: Scope, number: str) -> Case:
    """One request that the reader keeps, with its contact. Raises NotFound."""
    rows = queries.visible(scope, KEEPER).filter(kind=REQUEST.code).select_related("contact")
    return queries.find(rows, number)


@dataclass(frozen=True)
class About:
    """What is held of one order that a request is about: nothing of what it says."""

    number: str
    kind: str
    state: str
    open: bool
    received: dt.datetime
    closed: dt.datetime | None
    #: The fields of the contact that are held, by their names.
    contact: tuple[str, ...]
    texts: bool
    photographs: int
    #: The request came with the telephone number of this order; None where either has none.
    same_number: bool | None
    #: Somebody has asked that nothing of it be destroyed for now.
    held: bool
    destroyed: tuple[str, ...]


@everything("what is held of the orders that a request is about, without what they say")
def about(request: Case) -> list[About]:
    """The orders of a request that are still there, in a fixed number of queries. ``request`` is one that the reader
    keeps."""
    rows = (
        Case.objects.filter(number__in=request.fields.get("about", []))
        .select_related("contact")
        .prefetch_related("attachments", "tombstones", "retention_holds")
        .order_by("id")
    )
    written = set(rows.filter(destruction.held(What.TEXTS)).order_by().values_list("pk", flat=True))
    mine = getattr(request, "contact", None)
    found = []
    for case in rows:
        contact = getattr(case, "contact", None)
        found.append(
            About(
                number=case.number,
                kind=case.kind,
                state=case.state,
                open=case.open,
                received=case.created_at,
                closed=case.closed_at,
                contact=tuple(contacts.left(contact)) if contact is not None else (),
                texts=case.pk in written,
                photographs=len(case.attachments.all()),
                same_number=contacts.same_number(mine, contact) if mine and contact else None,
                held=any(h.lifted_at is None for h in case.retention_holds.all()),
                destroyed=tuple(destruction.sentence(s) for s in case.tombstones.all()),
            )
        )
    return found


# --- doing ------------------------------------------------------------------------------------------------------------


def _may(scope: Scope, request: Case) -> str:
    """The role in which the person answers. Raises Forbidden, Conflict where the request has been answered."""
    role = scope.role_for(KEEPER, request)
    if role is None:
        raise Forbidden(_("None of your posts lets you do this."))
    if not request.open:
        raise Conflict(_("This request has been answered: take it up again first."))
    return role


def _order(request: Case, number: str) -> Case:
    """One of the request's orders, locked."""
    case = None
    if number in request.fields.get("about", []):
        case = Case.objects.select_for_update(of=("self",)).filter(number=number).first()
    if case is None:
        raise NotFound(_("This request is not about an order with that number."))
    return case


def copy(request: Case, file: IO[bytes], *, person: Person, scope: Scope, now: dt.datetime) -> int:
    """Write a copy of everything that is held of the request's orders (see :mod:`lucheng.core.privacy.export`); returns
    the number of photographs.

    Raises Forbidden, Conflict, NotFound where none of the orders is there, SealError.
    """
    role = _may(scope, request)
    with everything("the orders of a request, for a copy to whoever asked"):
        cases = list(Case.objects.filter(number__in=request.fields.get("about", [])).order_by("id"))
    if not cases:
        raise NotFound(_("This request is about no order that is here."))
    reason = gettext("request %(number)s of the person concerned") % {"number": request.number}
    return export.write(cases, file, person=person, role=role, reason=reason, now=now, request=request.number)


@everything("what a request asks to be deleted")
def delete(
    request: Case, number: str, whats: Iterable[str], *, person: Person, scope: Scope, now: dt.datetime
) -> int:
    """Destroy ``whats`` (see privacy.models.What) of one of the request's orders; returns of how many there was
    something.

    Raises Forbidden, NotFound, Invalid (``what``), Conflict where the order is still open or a hold stands on it: what
    is needed to deal with it, or as proof, is not deleted (Personal Information Protection Law art. 47).
    """
    asked = list(dict.fromkeys(whats))
    if not asked or not set(asked) <= set(What.values):
        raise Invalid({"what": _("Choose what is to be destroyed.")})
    with transaction.atomic():
        _may(scope, request)
        case = _order(request, number)
        if case.open:
            raise Conflict(_("Order %(number)s is still being dealt with.") % {"number": number})
        if case.retention_holds.filter(lifted_at=None).exists():
            raise Conflict(_("A hold stands on order %(number)s.") % {"number": number})
        with translation.override(settings.LANGUAGE_CODE):
            basis = gettext("Personal Information Protection Law, art. 47: the person concerned asked for it")
        cause = destruction.Cause(basis, person, says={"request": request.number})
        stones = [s for what in asked if (s := destruction.destroy(case, what, cause, now)) is not None]
        if stones:
            details = {"case": number, "what": [stone.what for stone in stones]}
            acts.wrote("request_erased", request.number, details)
    for stone in stones:
        destruction.settle(stone, now)
    return len(stones)


@everything("what a request asks to be corrected")
def correct(
    request: Case, number: str, changed: Mapping[str, str], *, person: Person, scope: Scope, now: dt.datetime
) -> list[str]:
    """Replace fields of the contact (contacts.FIELDS) of one of the request's orders by what is right; an empty value
    changes nothing. Returns the names of the fields.

    Raises Forbidden, Conflict, NotFound, Invalid (``changed`` where nothing is entered, or the field).
    """
    given = {name: value.strip() for name, value in changed.items() if value.strip()}
    if not given or not given.keys() <= contacts.FIELDS.keys():
        raise Invalid({"changed": _("Enter what is right.")})
    with transaction.atomic():
        role = _may(scope, request)
        case = _order(request, number)
        if (
            destruction.told(case)
            and not Case.objects.filter(destruction.held(What.CONTACT), pk=case.pk).exists()
        ):
            raise Conflict(_("The contact of order %(number)s has been destroyed.") % {"number": number})
        contact = Contact.objects.filter(case=case).first()
        contacts.correct(case, contact, given)
        body = {"fields": sorted(given), "request": request.number}
        append(case, CORRECTED, body, actor=person, role=role, now=now)
        case.save(update_fields=["chain_length", "chain_head", "version"])
        acts.wrote("request_corrected", request.number, {"case": number, "what": sorted(given)})
    return sorted(given)
