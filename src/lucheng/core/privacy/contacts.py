"""Telephone numbers as people write them, their masks and blind index; and the one way to see who a requester is.

Name, number and address are sealed one by one for their case: a sealed value copied to another case's row does not open
there. The address is the requester's own, where a letter reaches them; the place of the matter stands on the case.
Sources: Personal Information Protection Law (个人信息保护法) arts. 5, 6 and 51;
Jinan 12345 regulation arts. 16 and 24.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.cases.models import Case
from lucheng.core.cases.text import clean
from lucheng.core.errors import Forbidden, Invalid, NotFound
from lucheng.core.ledger.append import append
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.core.privacy.sealing import SealError, blind_index, blind_indexes, seal, unseal
from lucheng.postgresql.context import everything

_NUMBER = re.compile(r"\+?[0-9]{3,15}(?:x[0-9]{1,6})?")
_EXTENSION = re.compile(r"(?:转|轉|分机|ext\.?|x|#|,)+", re.IGNORECASE)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_MOBILE_INSIDE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d\d))(\d{7,8})")

REASON_LENGTH = (4, 200)

#: What is sealed of a requester, and how each is called.
FIELDS: Mapping[str, str | Promise] = {
    "name": pgettext_lazy("sealed field", "name"),
    "phone": pgettext_lazy("sealed field", "telephone number"),
    "address": pgettext_lazy("sealed field", "address"),
}
#: What is opened where nobody says otherwise: enough to call somebody.
TO_CALL = ("name", "phone")


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
    address: bytes | None = None


def _purpose(field: str, case_id: int) -> str:
    return f"contact.{field}/{case_id}"


def sealed(case_id: int, *, name: str, phone: str, address: str = "") -> Sealed:
    """Seal a requester's name, number and address for one case. Empty ones stay empty: anonymous matters are allowed.

    Raises Invalid (field ``phone``) for what cannot be a telephone number.
    """
    number = normalise_phone(phone)
    return Sealed(
        name=_seal("name", case_id, name.strip()),
        phone=_seal("phone", case_id, number),
        phone_mask=_mask(number),
        phone_index=blind_index(number) if number else None,
        address=_seal("address", case_id, address.strip()),
    )


def _seal(field: str, case_id: int, plain: str) -> bytes | None:
    return seal(plain, _purpose(field, case_id)) if plain else None


def _open(contact: Contact, field: str) -> str:
    """One field in clear; "" where it was left empty. Raises SealError where the stored value was changed."""
    value = getattr(contact, field)
    return unseal(value, _purpose(field, contact.case_id)) if value is not None else ""


def open_phone(contact: Contact) -> str:
    """The number of a contact, for a machine that must dial it and shows it to nobody; "" where none was left.

    People look through :func:`reveal` only. Raises SealError where the stored value was changed.
    """
    return _open(contact, "phone")


#: So many last digits of their number show that it was a requester who asks.
LAST_DIGITS = 4


def ends_in(contact: Contact, digits: str) -> bool:
    """Whether the last digits of a contact's number are these: four of them, or all where it has fewer. The number is
    shown to nobody.

    Raises SealError where the stored value was changed.
    """
    base = open_phone(contact).partition("x")[0]
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", digits))
    return bool(base) and hmac.compare_digest(base[-LAST_DIGITS:].encode(), plain.encode())


def same_number(one: Contact, other: Contact) -> bool | None:
    """Whether both have one telephone number, which is shown to nobody; None where either has none.

    Raises SealError where a stored value was changed.
    """
    numbers = open_phone(one).encode(), open_phone(other).encode()
    return hmac.compare_digest(*numbers) if all(numbers) else None


def open_here() -> bool:
    """Whether the keys of this installation open what is sealed: the oldest and the newest contact are tried."""
    numbered = Contact.objects.exclude(phone=None)
    try:
        for contact in filter(None, (numbered.order_by("pk").first(), numbered.order_by("-pk").first())):
            open_phone(contact)
    except SealError:
        return False
    return True


def open_for_its_owner(contact: Contact) -> dict[str, str]:
    """All fields in clear, by their names in :data:`FIELDS`, for a file that the requester asked for; "" where none was
    left. The caller has written that it was made. Raises SealError where a stored value was changed."""
    return {field: _open(contact, field) for field in FIELDS}


def resealed(contact: Contact) -> Sealed:
    """The same fields, sealed as new ones are now; what they say is not judged again, and shown to nobody.

    Raises SealError where a stored value does not open.
    """
    case_id, number = contact.case_id, _open(contact, "phone")
    return Sealed(
        name=_seal("name", case_id, _open(contact, "name")),
        phone=_seal("phone", case_id, number),
        phone_mask=contact.phone_mask,
        phone_index=blind_index(number) if number else None,
        address=_seal("address", case_id, _open(contact, "address")),
    )


def copy(source_case_id: int, target_case_id: int) -> None:
    """Give a case that was split from another the same requester, sealed anew for it. Nothing is shown to anybody."""
    contact = Contact.objects.filter(case_id=source_case_id).first()
    if contact is None:
        return
    plain = {field: _open(contact, field) for field in FIELDS}
    Contact.objects.create(case_id=target_case_id, **asdict(sealed(target_case_id, **plain)))


def correct(case: Case, contact: Contact | None, changed: Mapping[str, str]) -> None:
    """Put what is right in the place of fields of a contact; the others stay as they are. Nothing is shown to anybody,
    and the caller writes that it was done.

    Raises Invalid at the field, SealError where a stored value was changed.
    """
    kept = (
        {field: _open(contact, field) for field in FIELDS}
        if contact is not None
        else dict.fromkeys(FIELDS, "")
    )
    right = {
        "name": clean(changed.get("name", ""), "name", 60),
        "phone": changed.get("phone", ""),
        "address": " ".join(clean(changed.get("address", ""), "address", 200).split()),
    }
    new = sealed(case.pk, **{field: right[field] or kept[field] for field in FIELDS})
    Contact.objects.update_or_create(case=case, defaults=asdict(new))


@dataclass(frozen=True)
class Revealed:
    """What was under seal, and the version that the case has now that the look stands in its chain.

    A field that was not opened is None; one that the requester left empty is "".
    """

    version: int
    name: str | None = None
    phone: str | None = None
    address: str | None = None

    def __repr__(self) -> str:  # a log or a traceback must not hold it
        return "Revealed(…)"


def checked_reason(text: str) -> str:
    """A reason that is kept for good, on one line.

    Raises Invalid (field ``reason``) where it is shorter than 4 characters, longer than 200, or holds a mobile number.
    """
    reason = " ".join(text.split())
    shortest, longest = REASON_LENGTH
    if len(reason) < shortest:
        raise Invalid({"reason": _("Say why you need to see it, in at least 4 characters.")})
    if len(reason) > longest:
        raise Invalid({"reason": _("The reason may have 200 characters at most.")})
    if _MOBILE_INSIDE.search(reason):
        raise Invalid({"reason": _("Leave telephone numbers out of the reason: it is kept for good.")})
    return reason


def left(contact: Contact) -> list[str]:
    """Which fields the requester left, by their names in :data:`FIELDS`. Nothing is opened."""
    return [field for field in FIELDS if getattr(contact, field) is not None]


@everything("a look is written into a case that its door has found")
def reveal(
    contact: Contact,
    *,
    person: Person,
    role: str,
    reason: str,
    now: dt.datetime,
    fields: Iterable[str] = TO_CALL,
    unit_id: int | None = None,
) -> Revealed:
    """Open ``fields`` of a contact for a person of staff. Who looked, at what, when and why is committed before
    anything is shown.

    The caller has checked that ``person`` may do this on this case, as ``role`` of the unit ``unit_id``. Commits by
    itself: it must not be called inside another transaction, whose rollback would forget the look.

    Raises Invalid: field ``reason`` where the reason is shorter than 4 characters, longer than 200, or holds a mobile
    number (the chain keeps it for good); field ``fields`` where there is no such field, or none is named. Raises
    NotFound where the requester left none of them, SealError where a stored value was changed.
    """
    reason, asked = checked_reason(reason), set(fields)
    if not asked or not asked <= FIELDS.keys():
        raise Invalid({"fields": _("Say what you need to see: name, phone or address.")})
    opened = [field for field in left(contact) if field in asked]
    if not opened:
        raise NotFound(_("The requester did not leave this."))
    with transaction.atomic(durable=True):
        case = Case.objects.select_for_update().get(pk=contact.case_id)
        plain = {field: _open(contact, field) for field in FIELDS if field in asked}
        Reveal.objects.create(
            contact=contact,
            number=case.number,
            person=person,
            unit_id=unit_id,
            role=role,
            fields=opened,
            at=now,
            reason=reason,
        )
        body = {"reason": reason, "fields": opened}
        append(case, "contact_revealed", body, actor=person, role=role, now=now)
        case.save(update_fields=["chain_length", "chain_head", "version"])
    return Revealed(version=case.version, **plain)


def reveal_to(
    scope: Scope,
    case: Case,
    *,
    person: Person,
    reason: str,
    now: dt.datetime,
    fields: Iterable[str] = TO_CALL,
) -> Revealed:
    """:func:`reveal` for whoever asks, if their posts let them. Raises Forbidden too."""
    contact = Contact.objects.filter(case=case).first()
    grant = scope.grant_for("contact.reveal", case)
    if contact is None or grant is None or not may_reveal(scope, case):
        raise Forbidden(_("You may not look at this requester's contact."))
    return reveal(
        contact, person=person, role=grant.role, unit_id=grant.unit, reason=reason, now=now, fields=fields
    )


def may_reveal(scope: Scope, case: Case) -> bool:
    """Whether the person may look at the requester's contact at all; :func:`reveal` still asks for a reason.

    Where the requester asked that who they are be kept secret, the hotline alone may look: the handling unit gets the
    matter, not the person (Jinan regulation arts 16, 24 and 32; Weifang art. 11).
    """
    return scope.allows("contact.reveal", case) and (
        not case.confidential or scope.allows("case.accept", case)
    )
