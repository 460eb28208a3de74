"""Roles, units, people, posts and keys from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from django.utils import timezone
from typer.testing import CliRunner, Result

from lucheng.core.organisation import cli, signing_in, tokens
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person, Role, SignIn, Unit
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucheng.cli.ensure_database", lambda: None)
    monkeypatch.setattr("lucheng.core.console.console._width", 200)


def lucheng(*arguments: str, answer: str = "") -> Result:
    app = typer.Typer()
    cli.register(app)
    return CliRunner().invoke(app, list(arguments), input=answer)


def test_somebody_is_added_given_a_post_and_a_key() -> None:
    city.lay_out()
    assert lucheng("roles", "load").exit_code == 0
    added = lucheng(
        "people", "add", "li", "--name", "李明", "--password-stdin", answer="correct horse battery\n"
    )
    assert added.exit_code == 0
    person = Person.objects.get(username="li")
    assert person.check_password("correct horse battery")
    post = lucheng(
        "posts", "add", "li", "handler", "--place", "150203", "--unit", "urban", "--from", "2020-01-01"
    )
    assert post.exit_code == 0, post.output
    assert scope_of(person).can("case.handle")
    key = lucheng("tokens", "add", "li", "--label", "bridge").output.strip()
    assert tokens.person_for(key, timezone.now()) == person
    assert lucheng("tokens", "revoke", "li", "--label", "bridge").exit_code == 0
    assert tokens.person_for(key, timezone.now()) is None


def test_sign_ins_are_listed_and_found() -> None:
    li = Person.objects.create_user("li", None, name="李")
    signing_in.note(SignIn.Outcome.REFUSED, li, now=timezone.now(), address="192.0.2.9", reason="wrong")
    listed = lucheng("people", "sign-ins")
    assert listed.exit_code == 0
    assert all(word in listed.output for word in ("li", "refused", "wrong", "192.0.2.9"))
    for narrower in (["--outcome", "in"], ["--person", "wang"], ["--until", "2020-01-01"]):
        assert "192.0.2.9" not in lucheng("people", "sign-ins", *narrower).output


def test_refusals_are_words_and_exit_code_one() -> None:
    city.lay_out()
    lucheng("roles", "load")
    Person.objects.create_user("li", None, name="李")
    for arguments in (
        ["people", "add", "li", "--name", "李", "--password-stdin"],
        ["posts", "add", "nobody", "handler", "--place", "1502"],
        ["posts", "add", "li", "king", "--place", "1502"],
        ["posts", "add", "li", "handler", "--place", "1502", "--unit", "nobody"],
        ["posts", "add", "li", "handler", "--place", "159999", "--unit", "urban"],
        ["tokens", "add", "nobody", "--label", "x"],
        ["tokens", "revoke", "li", "--label", "x"],
    ):
        result = lucheng(*arguments, answer="correct horse battery\n")
        assert result.exit_code == 1 and result.output.strip(), arguments
        assert "Traceback" not in result.output


def test_roles_are_listed_with_every_capability() -> None:
    lucheng("roles", "load")
    output = lucheng("roles", "list").output
    assert "duty_officer" in output and "privacy.audit" in output
    assert Role.objects.count() > 20  # those of the rooms among them


def test_units_are_imported_from_a_sheet(tmp_path: Path) -> None:
    city.lay_out()
    file = tmp_path / "units.csv"
    file.write_text(
        "单位编码,单位名称,单位类型,上级单位编码,区划编码,事项范围,办公电话,状态\nparks,市园林局,部门,,1502,,,\n",
        encoding="gb18030",
    )
    assert "1 added, 0 changed" in lucheng("units", "import", str(file)).output
    assert Unit.objects.filter(code="parks", name="市园林局").exists()
