"""Orders that an operator is still writing, kept sealed on the server so that no browser's death loses a word.

A draft belongs to one operator and one call: its key is that of the form, and so the key under which the order is made
once. What is kept holds a caller's number and words: it is sealed as the contact of a case is, opens for its operator
alone, goes when the order is made, and after a day in any case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from lucheng.core.organisation.models import Person
from lucheng.core.privacy.sealing import SealError, seal, unseal
from lucheng.projects.command_centre.models import CallDraft

KEPT = dt.timedelta(days=1)
#: Drafts of one operator that are offered again, the newest first.
OFFERED = 5
#: Drafts of one operator that are kept; one who leaves more behind loses the oldest.
MOST = 20
KEY_LENGTH = 60


@dataclass(frozen=True)
class Draft:
    """A draft, opened."""

    key: str
    saved_at: dt.datetime
    fields: dict[str, str]


def _purpose(person: Person, key: str) -> str:
    return f"call-draft/{person.pk}/{key}"


def save(person: Person, key: str, fields: Mapping[str, str], now: dt.datetime) -> None:
    """Keep ``fields`` under ``key``, in place of what was kept before. An empty key keeps nothing."""
    key = key[:KEY_LENGTH]
    if not key:
        return
    sealed = seal(msgspec.json.encode(dict(fields)).decode(), _purpose(person, key))
    _draft, made = CallDraft.objects.update_or_create(
        operator=person, key=key, defaults={"sealed": sealed, "saved_at": now}
    )
    if made:
        kept = CallDraft.objects.filter(operator=person).order_by("-saved_at").values_list("pk", flat=True)
        CallDraft.objects.filter(pk__in=list(kept[MOST:])).delete()


def _opened(person: Person, draft: CallDraft) -> Draft | None:
    try:
        plain = unseal(draft.sealed, _purpose(person, draft.key))
        return Draft(draft.key, draft.saved_at, msgspec.json.decode(plain, type=dict[str, str]))
    except (SealError, msgspec.DecodeError):
        return None


def load(person: Person, key: str, now: dt.datetime) -> Draft | None:
    """The person's own draft under ``key``; None where there is none, or it is older than a day."""
    draft = CallDraft.objects.filter(operator=person, key=key, saved_at__gt=now - KEPT).first()
    return _opened(person, draft) if draft is not None else None


def listed(person: Person, now: dt.datetime) -> list[Draft]:
    """The person's own drafts of the last day, the newest first."""
    rows = CallDraft.objects.filter(operator=person, saved_at__gt=now - KEPT).order_by("-saved_at")[:OFFERED]
    return [draft for row in rows if (draft := _opened(person, row)) is not None]


def forget(person: Person, key: str) -> None:
    """Let a draft go: the order is made, or the operator throws it away."""
    CallDraft.objects.filter(operator=person, key=key[:KEY_LENGTH]).delete()


def forget_old(now: dt.datetime) -> int:
    """Delete every draft that is older than a day; returns how many there were."""
    return CallDraft.objects.filter(saved_at__lte=now - KEPT).delete()[0]
