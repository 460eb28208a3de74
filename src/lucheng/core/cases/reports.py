"""A report that a resident makes without an account, through whichever door."""

from __future__ import annotations

import datetime as dt

from lucheng.core.cases import intake
from lucheng.core.errors import Invalid, Refused
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.limits import counting
from lucheng.core.limits.counting import Try
from lucheng.core.privacy.contacts import normalise_phone


def make(new: intake.NewCase, *, address: str, now: dt.datetime, idempotency_key: str) -> intake.Created:
    """Make a case for somebody at the network address ``address``; what is refused or repeated counts for nothing.

    Raises Limited where too many came from there or with the same number, and what :func:`intake.create` raises.
    """
    tries = [counting.by_address("report.address", address)]
    try:
        number = normalise_phone(new.phone)
    except Invalid:
        number = ""  # the create says so, together with whatever else is wrong
    if number:
        tries.append(Try("report.number", number))
    counting.counted(now, *tries)
    try:
        made = intake.create(new, actor=None, role=REQUESTER, now=now, idempotency_key=idempotency_key)
    except Refused:
        counting.give_back(*tries)
        raise
    if made.repeated:
        counting.give_back(*tries)
    return made
