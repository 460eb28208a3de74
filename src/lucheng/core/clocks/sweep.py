"""What happens by itself when a limit comes near, is over, and is long over.

Three stages, each said once: a warning, an urging (催办) when the limit is over, and, after a further share of it,
escalation: daily supervision (日常督办) and word to the hotline centre (Weifang regulation arts 23 and 26, Jinan
arts 29 and 30). Nothing is closed, returned or decided here.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import translation

from lucheng.core.cases.models import Case, Supervision
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.clocks.service import escalate_at
from lucheng.core.ledger import acts, outbox
from lucheng.core.ledger.append import SYSTEM, append
from lucheng.core.organisation.models import Unit
from lucheng.postgresql.context import everything

log = logging.getLogger(__name__)

#: After so many sweeps that failed on it in a row, a clock is left alone until somebody has seen to it.
MAX_FAILURES = 5
_FIRST_PAUSE = dt.timedelta(minutes=1)  # doubles with every failure

_ACTIONS = {
    Clock.Stage.WARNED: "clock.warned",
    Clock.Stage.URGED: "clock.urged",
    Clock.Stage.ESCALATED: "clock.escalated",
}

#: What the hotline centre itself owes; every other limit binds the lead unit.
_OF_THE_CENTRE = (ClockKind.DISPATCH, ClockKind.CALLBACK)


def sweep(now: dt.datetime, limit: int = 20) -> int:
    """Say what is due on up to ``limit`` clocks, one stage on each; returns how many were dealt with.

    Rows are claimed together with their case by SKIP LOCKED, so that any number of sweepers share the work, nobody
    waits for a case that a person is acting on, and a case never changes between claim and event. Event, message, stage
    and flag are written in one transaction. A row that fails is rolled back alone and tried again later and later.
    """
    with transaction.atomic():
        clocks = list(
            Clock.objects.select_for_update(skip_locked=True, of=("self", "case"))
            .select_related("case")
            .filter(state=Clock.State.RUNNING, next_at__lte=now)
            .order_by("next_at", "id")[:limit]
        )
        touched: set[int] = set()
        for clock in clocks:
            if clock.case_id in touched:
                clock.case.refresh_from_db()
            touched.add(clock.case_id)
            try:
                with transaction.atomic():
                    _say(clock, now)
            except Exception:
                _push_back(clock, now)
    return len(clocks)


@everything("clocks that were left alone, whatever case they are of")
def retry(now: dt.datetime) -> int:
    """Let the sweeper try the clocks that it had left alone; returns how many there were."""
    with transaction.atomic():
        parked = Clock.objects.filter(state=Clock.State.RUNNING, next_at=None, failures__gte=MAX_FAILURES)
        count = parked.update(failures=0, next_at=now)
        if count:
            acts.wrote("clocks_retried", details={"count": count})
    return count


def _say(clock: Clock, now: dt.datetime) -> None:
    case = clock.case
    if not case.open:
        # Whoever ended the case should have ended its clocks. Nobody owes anything: be silent.
        Clock.objects.filter(pk=clock.pk).update(next_at=None)
        return
    stage = Clock.Stage(clock.stage + 1)
    body: dict[str, Any] = {
        "clock": clock.kind,
        "due_at": clock.due_at.astimezone(dt.UTC).isoformat(),
        "amount": clock.amount,
        "unit": clock.unit,
    }
    if stage == Clock.Stage.WARNED:
        clock.next_at = clock.due_at
    elif stage == Clock.Stage.URGED:
        clock.next_at = escalate_at(case, clock, clock.due_at)
    else:
        clock.next_at = None
        if case.supervision == Supervision.NONE:
            case.supervision = Supervision.DAILY
            body |= {"supervision": str(Supervision.DAILY), "ground": "overdue"}
    append(case, _ACTIONS[stage], body, actor=None, role=SYSTEM, now=now)
    case.save(update_fields=["chain_length", "chain_head", "version", "supervision"])
    clock.stage, clock.failures = stage, 0
    clock.save(update_fields=["stage", "next_at", "failures"])
    _tell(case, clock, stage, now)


def _tell(case: Case, clock: Clock, stage: Clock.Stage, now: dt.datetime) -> None:
    """The lead unit is warned and urged, the centre hears of what is escalated and of what it owes itself. What has a
    keeper is no unit's business: it stands first in the keeper's list."""
    if case.kept_by:
        return
    if stage == Clock.Stage.ESCALATED or clock.kind in _OF_THE_CENTRE or case.lead_unit_id is None:
        unit = _centre(case.place)
    else:
        unit = case.lead_unit_id
    if unit is None:
        log.warning("case %s: no hotline centre answers for %s, nobody is told", case.number, case.place)
        return
    with translation.override(settings.LANGUAGE_CODE):
        params = {
            "clock": str(ClockKind(clock.kind).label),
            "due": clock.due_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M"),
        }
    template = _ACTIONS[stage].replace(".", "_")
    outbox.enqueue(case, template, params, now, channel="in_app", to_unit=unit)


def _centre(place: str) -> int | None:
    """The hotline centre nearest above ``place``."""
    centres = Unit.objects.filter(kind=Unit.Kind.HOTLINE, active=True).values_list("place", "pk")
    above = [(len(p), -pk) for p, pk in centres if place.startswith(p)]
    return -max(above)[1] if above else None


def _push_back(clock: Clock, now: dt.datetime) -> None:
    """After a failure: try again later, and after too many leave the row to a person. Called with the error at hand."""
    failures = clock.failures + 1
    parked = failures >= MAX_FAILURES
    next_at = None if parked else now + _FIRST_PAUSE * 2 ** (failures - 1)
    Clock.objects.filter(pk=clock.pk).update(failures=F("failures") + 1, next_at=next_at)
    if parked:
        log.exception(
            "clock %s of case %s failed %d times and is left alone: see to the cause, then run `lucheng clocks retry`",
            clock.pk,
            clock.case_id,
            failures,
        )
    else:
        log.warning(
            "clock %s of case %s failed, next try at %s", clock.pk, clock.case_id, next_at, exc_info=True
        )
