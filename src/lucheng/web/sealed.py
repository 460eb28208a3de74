"""Looking at what is sealed, alike on every page: which fields are offered, and which the reader ticked."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise

from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact


@dataclass(frozen=True)
class Offered:
    """A field that can be opened, and whether it is ticked beforehand."""

    name: str
    label: str | Promise
    ticked: bool


def offered(contact: Contact | None) -> list[Offered]:
    """The fields that the requester left, those ticked that are needed to call them."""
    left = contacts.left(contact) if contact is not None else []
    return [Offered(f, contacts.FIELDS[f], f in contacts.TO_CALL or len(left) == 1) for f in left]


def asked(sent: QueryDict) -> tuple[str, ...]:
    """The fields that a form of ``web/sealed_fields.html`` asks for; without its fields, what is needed to call."""
    return tuple(sent.getlist("fields")) if "choose" in sent else contacts.TO_CALL
