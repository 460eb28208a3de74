"""The table itself: it says what the field's rules say, and every name in it means something."""

from __future__ import annotations

import pytest

from lucheng.core.cases import effects, law, lifecycle
from lucheng.core.cases.lifecycle import TRANSITIONS
from lucheng.core.cases.models import ENDED, State
from lucheng.core.clocks.models import ClockKind
from lucheng.core.ledger import wording
from lucheng.core.ledger.append import REQUESTER, SYSTEM
from lucheng.core.organisation.capabilities import CAPABILITIES

S = State

#: Where each state may lead by the platform's life cycle; supervision is a flag and so not here.
MAY_GO_TO = {
    S.DRAFT: {S.RECEIVED},
    S.RECEIVED: {S.ACCEPTED, S.REJECTED, S.TRANSFERRED, S.ANSWERED, S.MERGED},
    S.REJECTED: {S.CLOSED},
    S.ANSWERED: {S.CALLBACK, S.CLOSED},
    S.TRANSFERRED: {S.CLOSED},
    S.ACCEPTED: {S.DISPATCHED},
    S.DISPATCHED: {S.SIGNED, S.RETURN_REQ},
    S.RETURN_REQ: {S.DISPATCHED},
    S.SIGNED: {S.EXTEND_REQ, S.SUSPENDED, S.REPLIED},
    S.EXTEND_REQ: {S.SIGNED},
    S.SUSPENDED: {S.SIGNED},
    S.REPLIED: {S.CALLBACK, S.REWORK},
    S.REWORK: {S.SIGNED},
    S.CALLBACK: {S.CLOSED, S.REWORK},
    S.CLOSED: {S.ARCHIVED, S.REOPENED},
    S.WITHDRAWN: {S.ARCHIVED},
}


def steps(who: tuple[str, ...] | None = None) -> set[tuple[State, State]]:
    return {
        (s, t.to)
        for t in TRANSITIONS
        for s in t.sources
        if t.to is not None and (who is None or t.who in who)
    }


@pytest.mark.parametrize("source", MAY_GO_TO)
def test_every_step_of_the_life_cycle_is_in_the_table(source: State) -> None:
    assert {(source, to) for to in MAY_GO_TO[source]} <= steps()


def test_every_state_can_be_reached_and_every_state_but_the_archive_can_be_left() -> None:
    reached = {to for _s, to in steps()} | {S.DRAFT}
    left = {s for s, _to in steps()}
    assert reached == set(State)
    assert left == set(State) - {S.ARCHIVED}


def test_every_open_state_has_a_way_to_an_end() -> None:
    ways = steps()
    ends = set(ENDED)
    while more := {s for s, to in ways if to in ends} - ends:
        ends |= more
    assert ends == set(State)


def test_one_action_from_one_state_is_one_row() -> None:
    pairs = [(t.action, s) for t in TRANSITIONS for s in t.sources]
    assert len(pairs) == len(set(pairs))


def test_no_row_closes_a_case_without_a_person() -> None:
    for t in TRANSITIONS:
        if t.to in (S.CLOSED, S.REJECTED, S.ACCEPTED, S.TRANSFERRED) and t.action != "release":
            assert t.who not in (SYSTEM,), t.action


def test_the_handler_cannot_close_without_feedback() -> None:
    assert not {t.action for t in TRANSITIONS if t.who in ("case.handle", "case.sign") and t.to == S.CLOSED}


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda t: f"{t.action}-{t.sources[0]}")
def test_every_name_in_a_row_is_known(row: lifecycle.Transition) -> None:
    assert row.who in CAPABILITIES or row.who in (REQUESTER, SYSTEM)
    assert set(row.needs) | set(row.takes) <= set(lifecycle.FIELDS)
    assert set(row.shows) <= set(row.needs) | set(row.takes)
    assert set(row.rules) <= set(law.RULES)
    assert row.effect in effects.EFFECTS
    pack = wording.read(wording.PACK)
    for template, whom in row.tells:
        assert template in pack
        assert whom in ("requester", "lead", "assists", "county")
    for operation in row.clocks:
        verb, _sep, clock = operation.partition(":")
        assert verb in ("start", "stop", "restart", "cancel", "pause", "resume")
        assert clock == "*" or clock in ClockKind.values


def test_every_rule_names_its_source() -> None:
    for rule in law.RULES.values():
        assert rule.__doc__, rule.__name__
