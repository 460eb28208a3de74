"""A verification is asked for once, carried out by the worker, told while it goes on, and kept with what it found."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, connection
from django.utils import timezone, translation

from lucheng.core.ledger import acts, anchors, verifications
from lucheng.core.ledger import verify as verification
from lucheng.core.ledger.models import SweepRun, Verification
from lucheng.core.ledger.verify import Finding, Tally
from lucheng.core.organisation import people
from lucheng.core.organisation.models import Person
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp
from tests.core.ledger.test_verify import tamper

pytestmark = pytest.mark.django_db

State = Verification.State
LATER = NOW + dt.timedelta(minutes=1)


@pytest.fixture
def auditor() -> Person:
    return people.add_person("auditor", "审计员")


def row(asked: Verification) -> Verification:
    return Verification.objects.get(pk=asked.pk)


def test_what_was_asked_for_is_carried_out_and_counted(auditor: Person) -> None:
    case_of_a_broken_lamp(events=3)
    with acts.by(auditor, "auditor"):
        asked = verifications.ask(auditor, files=True, now=NOW)
    anchors.anchor(NOW)
    assert row(asked).state == State.WAITING
    assert verifications.carry_out(LATER) == 1
    done = row(asked)
    assert (done.state, done.asked_by, done.files, done.began_at) == (State.DONE, auditor, True, LATER)
    assert (done.cases, done.events, done.acts, done.anchors, done.findings) == (1, 3, 2, 1, 0)
    assert verifications.carry_out(LATER) == 0


def test_asking_is_an_act(auditor: Person) -> None:
    with acts.by(auditor, "auditor"):
        asked = verifications.ask(auditor, files=False, now=NOW)
    act = acts.last()
    assert act is not None
    assert (act.action, act.name, act.person) == ("verification_asked", str(asked.pk), auditor)


def test_whoever_asks_again_meanwhile_is_given_the_same(auditor: Person) -> None:
    asked = verifications.ask(auditor, files=False, now=NOW)
    assert verifications.ask(auditor, files=True, now=LATER) == asked
    Verification.objects.update(state=State.RUNNING, seen_at=NOW)
    assert verifications.ask(auditor, files=False, now=LATER) == asked
    Verification.objects.update(state=State.DONE)
    assert verifications.ask(auditor, files=False, now=LATER) != asked


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_the_same_moment_both_are_given_the_same() -> None:
    auditor, ready, given = people.add_person("auditor", "审计员"), threading.Barrier(2), list[int]()

    def run() -> None:
        try:
            ready.wait(10)
            given.append(verifications.ask(auditor, files=False, now=NOW).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(given) == 2 and len(set(given)) == Verification.objects.count() == 1


def test_what_is_wrong_is_kept_in_both_languages_and_the_first_of_it_only(
    auditor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifications, "KEPT", 2)
    case = case_of_a_broken_lamp(events=4)
    tamper("update ledger_event set action = 'x' where case_id = %s", case.pk)
    asked = verifications.ask(auditor, files=False, now=NOW)
    verifications.carry_out(LATER)
    done = row(asked)
    assert (done.state, done.findings, len(done.found)) == (State.DONE, 4, 2)
    for language, words in (("zh-hans", "第 1 条记录写入后被改动"), ("en", "event 1 was changed")):
        with translation.override(language):
            first = verifications.found_in(done)[0]
        assert (first["kind"], first["case"], first["seq"]) == ("changed", case.number, 1)
        assert words in first["text"]


def test_what_a_dead_worker_left_is_taken_up_by_another_after_a_while(auditor: Person) -> None:
    asked = verifications.ask(auditor, files=False, now=NOW)
    Verification.objects.update(state=State.RUNNING, began_at=NOW, seen_at=NOW)
    assert verifications.carry_out(NOW + verifications.LEASE) == 0
    after = NOW + verifications.LEASE + dt.timedelta(seconds=1)
    assert verifications.carry_out(after) == 1
    assert (row(asked).state, row(asked).began_at) == (State.DONE, after)


def test_what_breaks_off_says_so_and_can_be_asked_for_again(
    auditor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tally: Tally, **_options: object) -> Iterator[Finding]:
        raise MemoryError("words that may quote a row")

    asked = verifications.ask(auditor, files=False, now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(verifications, "verify", broken)
        with pytest.raises(MemoryError):
            verifications.carry_out(LATER)
    assert (row(asked).state, row(asked).error) == (State.FAILED, "MemoryError")
    again = verifications.ask(auditor, files=False, now=LATER)
    assert again != asked and verifications.carry_out(LATER) == 1
    assert row(again).state == State.DONE


def test_one_that_the_database_left_in_the_middle_is_taken_up_again(
    auditor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(tally: Tally, **_options: object) -> Iterator[Finding]:
        raise OperationalError

    asked = verifications.ask(auditor, files=False, now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(verifications, "verify", away)
        with pytest.raises(OperationalError):
            verifications.carry_out(LATER)
    assert row(asked).state == State.RUNNING
    assert verifications.carry_out(LATER + verifications.LEASE * 2) == 1
    assert row(asked).state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_while_it_goes_on_everybody_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker runs it: its own transaction only reads."""
    monkeypatch.setattr(verifications, "PULSE", 0.0)
    monkeypatch.setattr(verification, "BATCH", 1)
    auditor = people.add_person("auditor", "审计员")
    for _n in range(3):
        case_of_a_broken_lamp(events=2)
    SweepRun.objects.create(name=verifications.SWEEP, at=NOW)
    asked = verifications.ask(auditor, files=False, now=NOW)
    seen: list[tuple[str, int, int]] = []
    plain = verification._chain

    def chain(*given: object) -> object:
        with psycopg.connect(**connection.get_connection_params()) as other:
            select = "select state, events, events_in_all from ledger_verification where id = %s"
            found = other.execute(select, [asked.pk]).fetchone()
        assert found is not None
        seen.append(found)
        return plain(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(verification, "_chain", chain)
    assert verifications.carry_out(timezone.now()) == 1
    assert seen == [("running", 0, 0), ("running", 2, 6), ("running", 4, 6)]
    assert row(asked).state == State.DONE
    # A long one is no silence of the worker.
    assert SweepRun.objects.get(pk=verifications.SWEEP).at > NOW


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_carry_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = verifications.ask(people.add_person("auditor", "审计员"), files=False, now=NOW)
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("select from ledger_verification where id = %s for update", [asked.pk])
        assert verifications.carry_out(LATER) == 0
    assert verifications.carry_out(LATER) == 1
