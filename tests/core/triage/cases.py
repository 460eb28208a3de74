"""Cases laid straight into the table: for advice it matters what they say and where, not how they came."""

from __future__ import annotations

import itertools
from typing import Any

from lucheng.core.cases.models import Case, Channel, Nature, State
from tests.factories import GRID, NOW

_ids = itertools.count(1_000_000)


def unsaved(**changes: Any) -> Case:
    n = next(_ids)
    given: dict[str, Any] = {
        "id": n,
        "number": f"T{n}",
        "code": f"C{n}",
        "kind": "command_centre.order",
        "state": State.RECEIVED,
        "channel": Channel.PHONE,
        "nature": Nature.HELP,
        "title": "",
        "content": "小区门口的路灯不亮，晚上看不见路",
        "place": GRID,
        "created_at": NOW,
        "chain_length": 1,
        "chain_head": b"",
    }
    return Case(**{**given, **changes})


def case(**changes: Any) -> Case:
    made = unsaved(**changes)
    made.save(force_insert=True)
    return made
