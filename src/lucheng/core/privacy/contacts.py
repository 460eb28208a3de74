"""Telephone numbers as people write them, their masks and blind index; and the one way to see a requester's
name.

Names and numbers are sealed for their case: a sealed value copied to another case's row does not open there.
Sources: Personal Information Protection Law (个人信息保护法) arts. 5, 6 and 51;
Jinan 12345 regulation arts. 16 and 24.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Case
from lucheng.core.errors import Forbidden, Invalid
from lucheng.core.ledger.append import append
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.core.privacy.sealing import blind_index, blind_indexes, seal, unseal

_NUMBER = re.compile(r"\+?[0-9]{3,15}(?:x[0-9]{1,6})?")
_EXTENSION = re.compile(r"(?:转|轉|分机|ext\.?|x|#|,)+", re.IGNORECASE)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_MOBILE_INSIDE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d\d))(\d{7,8})")

REASON_LENGTH = (4, 200)


def normalise_phone(text: str) -> str:
    """One spelling for each number: digits, a leading ``+`` for foreign ones, ``x`` before an extension.

    Full-width digits, spaces, dashes and brackets are understood, China's own prefix (+86, 0086) is dropped.
    A text of spaces only gives the empty string.

    Raises Invalid (field ``phone``) for what cannot be a telephone number.
    """
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"[\s\-‐-―()（）.·]", "", plain)
    if not plain:
        return ""
    plain = _EXTENSION.sub("x", plain)
    plain = re.sub(r"^00(?=[1-9])", "+", plain)
    plain = re.sub(r"^\+86(?!00)", "", plain)
    if re.fullmatch(r"86" + _MOBILE.pattern, plain):
        plain = plain[2:]
    if not _NUMBER.fullmatch(plain):
        raise Invalid({"phone": _("This is not a telephone number. Enter the digits of one number.")})
    return plain


def mask_phone(phone: str) -> str:
    """What lists show of a number: enough to recognise it, never enough to dial it.

    >>> mask_phone("13800132210"), mask_phone("010-65123456"), mask_phone("5123456"), mask_phone("12345")
    ('138****2210', '010****456', '****456', '****5')
    """
    return _mask(normalise_phone(phone))


def _mask(number: str) -> str:
    if not number:
        return ""
    base = number.split("x")[0]
    if _MOBILE.fullmatch(base):
        return f"{base[:3]}****{base[-4:]}"
    if landline := _LANDLINE.fullmatch(base):
        return f"{landline[1]}****{base[-3:]}"
    if base.startswith("+") and len(base) > 10:
        return f"{base[:3]}****{base[-3:]}"
    # A short number inside an office is a person's desk: one digit of it is all that is shown.
    return f"****{base[-3:]}" if len(base) >= 7 else f"****{base[-1]}"


def phone_index(phone: str) -> bytes:
    """The blind index that a number gets now: 32 bytes by which an exact number is found again and which reveal
    nothing alone."""
    return blind_index(normalise_phone(phone))


def phone_indexes(phone: str) -> list[bytes]:
    """Every blind index under which a number may lie, for a look-up (``phone_index__in``): rows that were written
    while ``LUCHENG_SEALING`` said otherwise are found too."""
    return blind_indexes(normalise_phone(phone))


@dataclass(frozen=True)
class Sealed:
    """The columns of :class:`lucheng.core.privacy.models.Contact`."""

    name: bytes | None
    phone: bytes | None
    phone_mask: str
    phone_index: bytes | None


def _purpose(field: str, case_id: int) -> str:
    return f"contact.{field}/{case_id}"


def sealed(case_id: int, *, name: str, phone: str) -> Sealed:
    """Seal a requester's name and number for one case. Empty ones stay empty: anonymous matters are allowed.

    Raises Invalid (field ``phone``) for what cannot be a telephone number.
    """
    name, number = name.strip(), normalise_phone(phone)
    return Sealed(
        name=seal(name, _purpose("name", case_id)) if name else None,
        phone=seal(number, _purpose("phone", case_id)) if number else None,
        phone_mask=_mask(number),
        phone_index=blind_index(number) if number else None,
    )


def open_phone(contact: Contact) -> str:
    """The number of a contact, for a machine that must dial it and shows it to nobody; "" where none was left.

    People look through :func:`reveal` only. Raises SealError where the stored value was changed.
    """
    return unseal(contact.phone, _purpose("phone", contact.case_id)) if contact.phone else ""


def resealed(contact: Contact) -> Sealed:
    """The same name and number, sealed as new ones are now; what they say is not judged again, and shown to nobody.

    Raises SealError where a stored value does not open.
    """
    name = unseal(contact.name, _purpose("name", contact.case_id)) if contact.name is not None else None
    number = unseal(contact.phone, _purpose("phone", contact.case_id)) if contact.phone is not None else None
    return Sealed(
        name=seal(name, _purpose("name", contact.case_id)) if name is not None else None,
        phone=seal(number, _purpose("phone", contact.case_id)) if number is not None else None,
        phone_mask=contact.phone_mask,
        phone_index=blind_index(number) if number is not None else None,
    )


def copy(source_case_id: int, target_case_id: int) -> None:
    """Give a case that was split from another the same requester, sealed anew for it. Nothing is shown to anybody."""
    contact = Contact.objects.filter(case_id=source_case_id).first()
    if contact is None:
        return
    name = unseal(contact.name, _purpose("name", source_case_id)) if contact.name else ""
    again = sealed(target_case_id, name=name, phone=open_phone(contact))
    Contact.objects.create(
        case_id=target_case_id,
        name=again.name,
        phone=again.phone,
        phone_mask=again.phone_mask,
        phone_index=again.phone_index,
    )


@dataclass(frozen=True)
class Revealed:
    """What was under seal, and the version that the case has now that the look stands in its chain."""

    name: str
    phone: str
    version: int

    def __repr__(self) -> str:  # a log or a traceback must not hold it
        return "Revealed(…)"


def reveal(contact: Contact, *, person: Person, role: str, reason: str, now: dt.datetime) -> Revealed:
    """Open a contact for a person of staff. Who looked, when and why is committed before anything is shown.

    The caller has checked that ``person`` may do this on this case, as ``role``. Commits by itself: it must
    not be called inside another transaction, whose rollback would forget the look.

    Raises Invalid (field ``reason``) where the reason is shorter than 4 characters, longer than 200, or holds
    a mobile number: the chain keeps it for good. Raises SealError where the stored value was changed.
    """
    reason = " ".join(reason.split())
    shortest, longest = REASON_LENGTH
    if len(reason) < shortest:
        raise Invalid({"reason": _("Say why you need to see it, in at least 4 characters.")})
    if len(reason) > longest:
        raise Invalid({"reason": _("The reason may have 200 characters at most.")})
    if _MOBILE_INSIDE.search(reason):
        raise Invalid({"reason": _("Leave telephone numbers out of the reason: it is kept for good.")})
    with transaction.atomic(durable=True):
        case = Case.objects.select_for_update().get(pk=contact.case_id)
        name = unseal(contact.name, _purpose("name", case.pk)) if contact.name else ""
        phone = open_phone(contact)
        Reveal.objects.create(contact=contact, person=person, at=now, reason=reason)
        append(case, "contact_revealed", {"reason": reason}, actor=person, role=role, now=now)
        case.save(update_fields=["chain_length", "chain_head", "version"])
    return Revealed(name=name, phone=phone, version=case.version)


def reveal_to(scope: Scope, case: Case, *, person: Person, reason: str, now: dt.datetime) -> Revealed:
    """:func:`reveal` for whoever asks, if their posts let them. Raises Forbidden too."""
    contact = Contact.objects.filter(case=case).first()
    role = scope.role_for("contact.reveal", case)
    if contact is None or role is None or not may_reveal(scope, case):
        raise Forbidden(_("You may not look at this requester's contact."))
    return reveal(contact, person=person, role=role, reason=reason, now=now)


def may_reveal(scope: Scope, case: Case) -> bool:
    """Whether the person may look at the requester's contact at all; :func:`reveal` still asks for a reason.

    Where the requester asked that who they are be kept secret, the hotline alone may look: the handling unit gets the
    matter, not the person (Jinan regulation arts 16, 24 and 32; Weifang art. 11).
    """
    return scope.allows("contact.reveal", case) and (
        not case.confidential or scope.allows("case.accept", case)
    )
