"""Adding one link to a case's chain."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from lucheng.core.ledger import chain
from lucheng.core.ledger.models import Event

if TYPE_CHECKING:
    from lucheng.core.cases.models import Case
    from lucheng.core.organisation.models import Person

#: The roles that stand where no post is held.
REQUESTER = "requester"
SYSTEM = "system"


def append(
    case: Case,
    action: str,
    body: dict[str, Any],
    *,
    actor: Person | None,
    role: str,
    now: dt.datetime,
) -> Event:
    """Write the next event of ``case`` and move the case's chain head and version along.

    The caller holds the case row locked (``select_for_update``) in the transaction that also changes its state, and
    saves the instance afterwards: ``chain_length``, ``chain_head`` and ``version`` have changed on it. ``body`` holds
    no personal data and no text of the requester (use :func:`chain.text_digest`).
    """
    prev = bytes(case.chain_head)
    seq = case.chain_length + 1
    actor_id = actor.pk if actor is not None else None
    digest = chain.link(prev, case.pk, seq, now, actor_id, role, action, body)
    event = Event.objects.create(
        case=case,
        seq=seq,
        at=now,
        actor=actor,
        actor_role=role,
        action=action,
        body=body,
        prev=prev,
        hash=digest,
    )
    case.chain_length = seq
    case.chain_head = digest
    case.version += 1
    return event
