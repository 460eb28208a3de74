"""What was suspended with a dated plan goes on by itself when its date comes (Jinan art. 24, Weifang art. 20)."""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone

from lucheng.core.cases import engine
from lucheng.core.cases.models import Case, State

log = logging.getLogger(__name__)


def resume_due(now: dt.datetime, limit: int = 100) -> int:
    """Resume up to ``limit`` suspended cases whose planned date has come; returns how many were resumed.

    Rows are claimed by SKIP LOCKED: sweepers share the work, and none waits for a case that a person is acting on. One
    that fails is rolled back alone, noted in the log, and does not hold up the others.
    """
    resumed = 0
    with transaction.atomic():
        due = list(
            Case.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(suspended_until__lte=timezone.localdate(now), state=State.SUSPENDED)
            .order_by("suspended_until", "id")[:limit]
        )
        for case in due:
            try:
                with transaction.atomic():
                    engine.act_as_system(case, "resume_as_planned", now)
                resumed += 1
            except Exception:
                log.exception("case %s: its planned date has come, and it cannot be resumed", case.number)
    return resumed
