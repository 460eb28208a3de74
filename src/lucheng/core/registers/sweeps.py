"""Imports of sheets: checked, taken over and taken back by the worker, so that no page waits for 100,000 rows."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.core.organisation.access import NOBODY, scope_of
from lucheng.core.registers import imports
from lucheng.core.registers.models import Import

#: The first of the two numbers of the lock on one import.
_LOCK = 7201


def work(now: dt.datetime) -> int:
    """Do what waits for the worker, the oldest import first; how many were done.

    A lock of the session, not of a transaction, keeps two workers apart: progress is written while it lasts, and where
    a worker dies the lock goes with its connection, so that the next begins again.
    """
    done = 0
    for pk in (
        Import.objects.filter(state__in=Import.FOR_WORKER).order_by("pk").values_list("pk", flat=True)[:20]
    ):
        if not _lock("try", pk):
            continue
        try:
            found = Import.objects.select_related("by").filter(pk=pk, state__in=Import.FOR_WORKER).first()
            if found is not None:
                _one(found, now)
                done += 1
        finally:
            _lock("un", pk)
    return done


def _lock(how: str, pk: int) -> bool:
    name = {"try": "pg_try_advisory_lock", "un": "pg_advisory_unlock"}[how]
    with connection.cursor() as cursor:
        cursor.execute(f"select {name}(%s, %s)", [_LOCK, pk % 2**31])
        return bool(cursor.fetchone()[0])


def _one(found: Import, now: dt.datetime) -> None:
    scope = scope_of(found.by) if found.by is not None else NOBODY
    if found.state == Import.State.WAITING:
        imports.examine(found, scope)
    elif found.state == Import.State.APPROVED:
        imports.carry_out(found, scope, now)
    else:
        imports.undo(found, scope, now)


SWEEPS = [Sweep("imports", 2.0, work, pgettext_lazy("sweep", "check and take over sheets that were brought"))]
