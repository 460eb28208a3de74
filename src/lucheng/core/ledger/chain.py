"""The hash chain of a case's events, as pure functions.

Each link's hash covers its own content and the link before it, so that a changed, missing or reordered event breaks
the chain at a place that can be named. The hash is SHA-256 over canonical JSON.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

GENESIS = bytes(32)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces. Only str, int, bool, None, lists and string-keyed dicts may occur:
    a float would not survive PostgreSQL's jsonb to the last digit.

    Raises TypeError for anything else.
    """
    _check(value)
    return _ENCODER.encode(value).encode()


def _check(value: Any) -> None:
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} of an event's field is not a text")
            _check(item)
    else:
        raise TypeError(f"{type(value).__name__} cannot be part of an event")


def link(
    prev: bytes,
    case_id: int,
    seq: int,
    at: dt.datetime,
    actor_id: int | None,
    actor_role: str,
    action: str,
    body: dict[str, Any],
) -> bytes:
    """The 32-byte hash of one event. ``at`` is taken in UTC to the microsecond, as PostgreSQL keeps it."""
    stamp = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    content = canonical([case_id, seq, stamp, actor_id, actor_role, action, body])
    return hashlib.sha256(prev + content).digest()


def text_digest(text: str) -> str:
    """How an event refers to a text that may one day be destroyed: by its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()
