"""Contacts come under a new key while everything goes on, and nothing that somebody wrote meanwhile is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from django.db import connections
from typer.testing import CliRunner

from lucheng.core.errors import Conflict
from lucheng.core.privacy import cli, contacts, rotation, sealing
from lucheng.core.privacy.contacts import open_phone, phone_indexes
from lucheng.core.privacy.models import Contact
from lucheng.core.privacy.sealing import unseal
from tests.core.ledger.stories import PHONE, case_of_a_broken_lamp

pytestmark = pytest.mark.django_db
HOME = "钢铁大街 18 号街坊 3 号楼 2 单元 501"
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("lucheng.cli.ensure_database", lambda: None)  # the tests' own database runs already
    monkeypatch.setattr(cli, "ensure_database", lambda: None)
    app = typer.Typer()
    cli.register(app)
    return lambda *words: CliRunner().invoke(app, ["privacy", *words], catch_exceptions=False)


def key_of(contact: Contact) -> set[int]:
    contact.refresh_from_db()
    return {bytes(v)[1] for v in (contact.name, contact.phone, contact.address) if v is not None}


def test_rotate_makes_a_key_and_brings_every_contact_under_it(run: Run, home: Path) -> None:
    whole, nameless = case_of_a_broken_lamp(address=HOME).contact, case_of_a_broken_lamp(name="").contact
    numberless = case_of_a_broken_lamp(phone="").contact
    by_post = case_of_a_broken_lamp(name="", phone="", address=HOME).contact
    before = bytes(whole.phone_index)
    result = run("rotate")
    assert result.exit_code == 0
    assert "key 2 is made" in result.output and "4 contacts resealed" in result.output
    assert [key_of(c) for c in (whole, nameless, numberless, by_post)] == [{2}] * 4
    sealing.file(home, 1).unlink()
    sealing.forget()
    assert contacts.resealed(whole).phone_mask == "138****2210"
    assert open_phone(whole) == open_phone(nameless) == PHONE and open_phone(numberless) == ""
    assert bytes(whole.phone_index) == before
    assert unseal(whole.address, f"contact.address/{whole.case_id}") == HOME
    assert unseal(by_post.address, f"contact.address/{by_post.case_id}") == HOME
    assert numberless.phone is None and nameless.name is None and numberless.phone_index is None


def test_resume_makes_no_key_and_leaves_what_is_done(run: Run, home: Path) -> None:
    contact = case_of_a_broken_lamp().contact
    run("rotate")
    contact.refresh_from_db()
    done = bytes(contact.phone)
    result = run("rotate", "--resume")
    assert result.exit_code == 0 and "0 contacts resealed" in result.output
    contact.refresh_from_db()
    assert bytes(contact.phone) == done
    assert sealing.newest(home) == 2


def test_another_suite_comes_by_resume_and_the_index_is_found_before_and_after(
    run: Run, settings: Any
) -> None:
    contact = case_of_a_broken_lamp().contact
    settings.SEALING = "sm4"
    assert Contact.objects.get(phone_index__in=phone_indexes(PHONE)) == contact
    result = run("rotate", "--resume")
    assert result.exit_code == 0 and "sm4" in result.output
    contact.refresh_from_db()
    assert bytes(contact.phone)[:2] == bytes((2, 1))
    assert bytes(contact.phone_index) == contacts.phone_index(PHONE)
    assert Contact.objects.get(phone_index__in=phone_indexes(PHONE)) == contact


def test_after_a_crash_the_rest_is_resealed_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    found = [case_of_a_broken_lamp().contact for _ in range(5)]
    rotation.new_key()
    monkeypatch.setattr(rotation, "BATCH", 2)

    def crash(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.reseal(crash)
    assert [key_of(c) for c in found] == [{2}, {2}, {1}, {1}, {1}]
    steps: list[tuple[int, int]] = []
    outcome = rotation.reseal(lambda done, total: steps.append((done, total)))
    assert (outcome.resealed, outcome.left) == (3, 0)
    assert steps == [(2, 3), (3, 3)]
    assert {frozenset(key_of(c)) for c in found} == {frozenset({2})}


def test_a_contact_edited_between_reading_and_writing_keeps_the_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of_a_broken_lamp()
    old = contacts.sealed(
        case.pk, name="", phone="13900001111", address=HOME
    )  # by a process that still has key 1 only
    rotation.new_key()
    reseal = contacts.resealed
    edits = iter([True])

    def edited_meanwhile(contact: Contact) -> contacts.Sealed:
        again = reseal(contact)
        if next(edits, False):
            Contact.objects.filter(pk=contact.pk).update(address=old.address, phone=old.phone)
        return again

    monkeypatch.setattr(contacts, "resealed", edited_meanwhile)
    outcome = rotation.reseal()
    assert outcome.left == 0
    assert key_of(case.contact) == {2}
    assert open_phone(case.contact) == "13900001111"


def test_a_contact_that_does_not_open_is_named_and_left_and_stops_nobody_else(run: Run) -> None:
    bad, good = case_of_a_broken_lamp(), case_of_a_broken_lamp()
    broken = b"\x01\x01 not what was sealed here at all"
    Contact.objects.filter(case=bad).update(phone=broken)
    result = run("rotate")
    assert result.exit_code == 1
    assert str(bad.pk) in result.output.replace("\n", "") and "1 contacts do not open" in result.output
    assert key_of(good.contact) == {2}
    bad.contact.refresh_from_db()
    assert bytes(bad.contact.phone) == broken


def test_no_key_is_made_while_one_that_is_in_use_is_missing(run: Run, home: Path) -> None:
    case_of_a_broken_lamp()
    run("rotate")
    sealing.file(home, 2).unlink()
    result = run("rotate")
    assert result.exit_code == 1 and "Put its file back" in " ".join(result.output.split())
    assert not sealing.file(home, 2).exists()


def test_two_do_not_reseal_at_once(home: Path) -> None:
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtext('privacy_rotate'))")
        with pytest.raises(Conflict, match="already"):
            rotation.reseal()
    finally:
        other.close()


def test_keys_are_counted_by_suite_and_number(run: Run, settings: Any) -> None:
    case_of_a_broken_lamp()
    rotation.new_key()
    settings.SEALING = "sm4"
    case_of_a_broken_lamp(name="", address=HOME)
    assert rotation.tally() == {(1, 1): 2, (2, 2): 2}
    output = run("keys").output
    assert "aes" in output and "sm4" in output and "new values" in output
