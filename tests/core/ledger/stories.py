"""Cases with a chain of a few events: all that the ledger's own tests need of a case."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case, Text
from lucheng.core.ledger import chain
from lucheng.core.ledger.append import REQUESTER, SYSTEM, append
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact

NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
PHONE = "13800132210"
LAMP = "鹿苑小区门口的路灯不亮，已经三天了。"


def case_of_a_broken_lamp(
    events: int = 1, *, phone: str = PHONE, name: str = "测试人", address: str = "", **given: Any
) -> Case:
    """A case with ``events`` events: the create, then steps that leave it where it is."""
    case_id = codes.NUMBERS.take()
    values: dict[str, Any] = {
        "id": case_id,
        "number": codes.number(case_id, NOW),
        "code": codes.new_code(),
        "kind": "command_centre.order",
        "state": "received",
        "channel": "phone",
        "nature": "help",
        "title": "路灯不亮",
        "content": LAMP,
        "place": "990101001001001",
        "created_at": NOW,
        "version": 0,
        "chain_length": 0,
        "chain_head": chain.GENESIS,
    }
    case = Case.objects.create(**{**values, **given})
    if phone or name or address:
        sealed = contacts.sealed(case.pk, name=name, phone=phone, address=address)
        Contact.objects.create(case=case, **dataclasses.asdict(sealed))
    body = {"from": "", "to": case.state, "content": chain.text_digest(case.content)}
    append(case, "create", body, actor=None, role=REQUESTER, now=NOW)
    case.save()
    for n in range(1, events):
        more(case, NOW + dt.timedelta(minutes=n))
    return case


def more(case: Case, now: dt.datetime, text: str = "") -> None:
    """One more event, with a text where one is given."""
    body: dict[str, Any] = {"from": case.state, "to": case.state}
    if text:
        body["texts"] = {"note": chain.text_digest(text)}
    event = append(case, "note", body, actor=None, role=SYSTEM, now=now)
    if text:
        Text.objects.create(case=case, seq=event.seq, name="note", text=text)
    case.save()
