"""The rows that peers insert: as real creates wrote them, with a fresh id, number, code and key each time."""

from __future__ import annotations

import itertools
import os
import secrets
from pathlib import Path
from typing import Any

import msgspec


class Given(msgspec.Struct):
    """The statement of a create, its parameters by name, and the values that some creates had."""

    statement: str
    parameters: list[str]
    rows: list[dict[str, Any]]


GIVEN = msgspec.msgpack.decode(Path(os.environ["BENCH_ROWS"]).read_bytes(), type=Given)
_turn = itertools.cycle(GIVEN.rows)
#: Ids in sequence, as a database gives them, apart from those of every other process.
_ids = itertools.count((1 << 60) + (secrets.randbits(22) << 32))


def fresh(content: str) -> dict[str, Any]:
    """The values of one create, to be inserted once."""
    case_id = next(_ids)
    name = f"B{case_id:019}"
    return {
        **next(_turn),
        "id": case_id,
        "number": name[-20:],
        "code": secrets.token_hex(8),
        "idempotency_key": name,
        "content": content,
    }
