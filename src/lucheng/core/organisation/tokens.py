"""Keys by which a program acts as a person. The key is shown once; only its SHA-256 is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid, NotFound
from lucheng.core.ledger import acts
from lucheng.core.organisation.models import ApiToken, Person

#: So that a leaked key can be told from other text, by people and by secret scanners.
PREFIX = "lck_"


def _digest(token: str) -> bytes:
    # A key has 256 random bits: nothing can be guessed, so a plain hash needs no salt and no stretching.
    return hashlib.sha256(token.encode()).digest()


def issue(person: Person, label: str, now: dt.datetime, expires: dt.datetime | None = None) -> str:
    """A new key of ``person``, to be shown once. ``expires`` is the moment from which it no longer works.

    Raises Invalid at ``label`` where it is empty, at ``expires`` where that moment has passed.
    """
    label = label.strip()
    if not label or len(label) > 60:
        raise Invalid({"label": _("Say in at most 60 characters what uses this key.")})
    if expires is not None and expires <= now:
        raise Invalid({"expires": _("This moment has passed.")})
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        ApiToken.objects.create(
            person=person, label=label, digest=_digest(token), created_at=now, expires_at=expires
        )
        until = expires.isoformat(timespec="seconds") if expires is not None else ""
        acts.wrote("key_issued", person.username, {"until": until})
    return token


def person_for(token: str, now: dt.datetime) -> Person | None:
    """The active person whose key this is, or None: unknown, expired, of somebody who has left. One query."""
    valid = Q(tokens__expires_at=None) | Q(tokens__expires_at__gt=now)
    return Person.objects.filter(valid, tokens__digest=_digest(token), is_active=True).first()


def revoke(person: Person, label: str) -> None:
    """Delete the keys of ``person`` with this label. Raises NotFound where there is none."""
    with transaction.atomic():
        gone, _by_model = ApiToken.objects.filter(person=person, label=label.strip()).delete()
        if not gone:
            raise NotFound(_("This person has no key with this label."))
        acts.wrote("key_revoked", person.username, {"count": gone})
