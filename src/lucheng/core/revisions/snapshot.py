"""Reference data held in memory (catalogue, calendar, gazetteer, outlines) that is never older than a second.

Whoever changes such data calls :func:`bump` in the same transaction. Readers call :meth:`Snapshot.get`, which asks the
database for the revision numbers at most once a second and loads again what has changed.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection

T = TypeVar("T")

MAX_AGE = 1.0  # seconds

_lock = threading.Lock()
_numbers: dict[str, int] = {}
_asked_at = float("-inf")
_all: weakref.WeakSet[Snapshot[Any]] = weakref.WeakSet()


def bump(name: str) -> None:
    """Say that the data called ``name`` has changed. Call it in the transaction of the change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into revisions_revision as r (name, number) values (%s, 1) "
            "on conflict (name) do update set number = r.number + 1",
            [name],
        )


def forget() -> None:
    """Drop every copy and ask the database again: for the process that made a change, and between tests."""
    global _asked_at
    with _lock:
        _asked_at = float("-inf")
        _numbers.clear()
    for snapshot in _all:
        snapshot._held = None


def _number(name: str) -> int:
    global _asked_at, _numbers
    now = time.monotonic()
    if now - _asked_at > MAX_AGE:
        with connection.cursor() as cursor:
            cursor.execute("select name, number from revisions_revision")
            fresh = dict(cursor.fetchall())
        with _lock:
            _numbers, _asked_at = fresh, now
    return _numbers.get(name, 0)


class Snapshot(Generic[T]):
    """One body of reference data in memory. ``load`` reads it whole from the database."""

    def __init__(self, name: str, load: Callable[[], T]) -> None:
        self.name = name
        self._load = load
        self._held: tuple[int, T] | None = None
        self._loading = threading.Lock()
        _all.add(self)

    def get(self) -> T:
        number = _number(self.name)
        held = self._held
        if held is not None and held[0] == number:
            return held[1]
        with self._loading:
            held = self._held
            if held is None or held[0] != number:
                held = (number, self._load())
                self._held = held
            return held[1]
