"""The commands of the ledger, as an operator meets them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from lucheng.core.ledger import anchors, cli
from lucheng.core.ledger.models import Message, Verification
from lucheng.core.ledger.outbox import enqueue
from lucheng.core.organisation import people
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp
from tests.core.ledger.test_verify import tamper

pytestmark = pytest.mark.django_db

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(cli, "ensure_database", lambda: None)  # the tests' own database runs already
    app = typer.Typer()
    cli.register(app)
    return lambda *words: CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_a_proved_ledger_ends_with_code_0_and_counts(run: Run) -> None:
    case_of_a_broken_lamp(events=3)
    result = run("ledger", "verify")
    assert result.exit_code == 0
    assert "3 events of 1 cases" in result.output.replace("\n", " ")
    assert "nothing is wrong" in result.output


def test_a_finding_is_printed_with_case_and_event_and_ends_with_code_1(run: Run) -> None:
    case = case_of_a_broken_lamp(events=3)
    tamper("delete from ledger_event where case_id = %s and seq = 2", case.pk)
    result = run("ledger", "verify", "--case", case.number)
    assert result.exit_code == 1
    assert case.number in result.output
    assert "1 findings" in result.output


def test_the_whole_ledger_verified_by_command_is_kept_for_the_page_and_a_part_of_it_is_not(run: Run) -> None:
    case = case_of_a_broken_lamp(events=3)
    tamper("delete from ledger_event where case_id = %s and seq = 2", case.pk)
    run("ledger", "verify", "--case", case.number)
    run("ledger", "verify", "--since", "2026-03-01")
    assert not Verification.objects.exists()
    run("ledger", "verify", "--files")
    kept = Verification.objects.get()
    assert (kept.state, kept.asked_by, kept.files) == ("done", None, True)
    assert (kept.cases, kept.events, kept.findings) == (1, 2, 1)
    assert kept.found[0]["case"] == case.number


def test_acts_are_listed_and_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucheng.core.console.console._width", 200)
    for name in ("li", "wang"):
        people.add_person(name, name)
    listed = run("ledger", "acts")
    assert listed.exit_code == 0
    assert all(word in listed.output for word in ("person_added", "console", "wang", "li"))
    assert "wang" not in run("ledger", "acts", "--object", "li").output
    assert "li" not in run("ledger", "acts", "--until", "2020-01-01").output.split("details")[1]
    assert run("ledger", "acts", "--since", "yesterday").exit_code == 2


def test_many_findings_are_counted_and_not_all_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "SHOWN", 3)
    case = case_of_a_broken_lamp(events=10)
    tamper("update ledger_event set action = 'x' where case_id = %s", case.pk)
    result = run("ledger", "verify")
    assert result.output.count(case.number) == 3
    assert "7 more" in result.output


def test_what_cannot_be_asked_is_refused_in_words(run: Run) -> None:
    assert run("ledger", "verify", "--case", "nonsense").exit_code == 1
    assert run("ledger", "verify", "--witness", "nonsense").exit_code == 2
    assert run("ledger", "verify", "--since", "yesterday").exit_code == 2


def test_the_last_anchor_is_printed_for_noting_and_proves_the_ledger_later(run: Run) -> None:
    assert run("ledger", "head").exit_code == 1
    case_of_a_broken_lamp()
    anchors.anchor(NOW)
    word = run("ledger", "head").output.strip()
    assert run("ledger", "verify", "--witness", word).exit_code == 0
    wrong = word[:-1] + ("0" if word[-1] != "0" else "1")
    assert run("ledger", "verify", "--witness", wrong).exit_code == 1


def test_messages_that_were_given_up_are_tried_again(run: Run) -> None:
    message = enqueue(case_of_a_broken_lamp(), "received", {}, NOW)
    assert message is not None
    Message.objects.update(state="failed", next_at=None, attempts=8)
    assert "1 messages" in run("messages", "retry").output
    assert Message.objects.get().state == "waiting"


def test_the_worker_does_what_is_due_once(run: Run) -> None:
    enqueue(
        case_of_a_broken_lamp(), "received", {}, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )  # due by any real clock
    result = run("worker", "--once")
    assert result.exit_code == 0, result.output
    assert Message.objects.get().state == "sent"
