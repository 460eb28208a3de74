"""A suspended order goes on by itself when its planned date comes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.cases import engine
from lucheng.core.cases.models import Case, State
from lucheng.core.cases.suspended import resume_due
from lucheng.core.clocks.models import Clock
from lucheng.core.ledger.models import Event, Message
from tests.factories import City, case_in, step

#: As ``case_in(State.SUSPENDED, …)`` plans it.
PLANNED = dt.datetime(2026, 5, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def test_on_its_date_it_is_signed_for_again_its_clocks_run_and_the_unit_is_told(city: City) -> None:
    case = case_in(State.SUSPENDED, city)
    assert resume_due(PLANNED - dt.timedelta(days=1)) == 0
    assert resume_due(PLANNED) == 1
    case.refresh_from_db()
    assert (case.state, case.suspended_until) == (State.SIGNED, None)
    assert case.due_at is not None and case.due_at > PLANNED
    assert not Clock.objects.filter(case=case, state=Clock.State.PAUSED).exists()
    last = Event.objects.filter(case=case).order_by("-seq")[0]
    assert (last.action, last.actor_role) == ("resume_as_planned", "system")
    assert Message.objects.filter(case=case, template="resumed", to_unit=case.lead_unit_id).count() == 1


def test_it_is_resumed_once_and_not_after_the_unit_resumed_it(city: City) -> None:
    case_in(State.SUSPENDED, city)
    early = step(case_in(State.SUSPENDED, city), "resume", "handler", city)
    assert early.suspended_until is None
    assert resume_due(PLANNED) == 1
    assert resume_due(PLANNED) == 0


def test_one_that_cannot_be_resumed_does_not_hold_up_the_others(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = case_in(State.SUSPENDED, city), case_in(State.SUSPENDED, city)
    act = engine.act_as_system

    def fail_on_the_first(case: Case, *args: Any) -> None:
        act(case, *args)
        if case.pk == bad.pk:
            raise RuntimeError

    monkeypatch.setattr(engine, "act_as_system", fail_on_the_first)
    assert resume_due(PLANNED) == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, good.state) == (State.SUSPENDED, State.SIGNED)
