"""The catalogue and the matters from the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from django.utils import translation
from typer.testing import CliRunner, Result

from lucheng.core.dispatch import cli, editions
from lucheng.core.dispatch.models import Matter, Version
from lucheng.core.dispatch.rules import rows_of
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


def test_a_sheet_goes_out_and_comes_back_as_a_draft(tmp_path: Path) -> None:
    city.lay_out()
    city.in_force(city.LAMPS, city.CLUTTER)
    file = tmp_path / "catalogue.xlsx"
    assert "2 rows" in lucheng("catalogue", "export", str(file)).output
    assert "draft 2: 2 rows" in lucheng("catalogue", "import", str(file), "--note", "副本").output
    assert rows_of(editions.get(2)) == [city.LAMPS, city.CLUTTER]
    assert [f.name for f in tmp_path.iterdir()] == ["catalogue.xlsx"]


def test_a_faulty_sheet_is_shown_line_by_line_and_ends_with_one(tmp_path: Path) -> None:
    city.lay_out()
    file = tmp_path / "catalogue.csv"
    file.write_text("版本,事项编码\n1,2\n", encoding="utf-8")
    with translation.override("zh-hans"):
        result = lucheng("catalogue", "import", str(file))
    assert result.exit_code == 1
    assert "第1行“区划编码”" in result.output and "nothing was written" in result.output
    assert not Version.objects.exists()


def test_without_an_edition_in_force_there_is_nothing_to_export(tmp_path: Path) -> None:
    result = lucheng("catalogue", "export", str(tmp_path / "x.xlsx"))
    assert result.exit_code == 1 and "no edition is in force" in result.output
    assert not list(tmp_path.iterdir())


def test_an_edition_is_tried_published_and_listed() -> None:
    units = city.lay_out()
    city.officer("wang")
    city.case(1, "010201", "150203001", units["urban"])
    city.draft(city.LAMPS)
    tried = lucheng("catalogue", "try", "1", "--since", "2026-03-01", "--until", "2026-04-01").output
    assert "1 cases: 0 as before, 1 elsewhere" in tried and "2603040000001" in tried
    assert lucheng("catalogue", "publish", "1", "--by", "wang", answer="n\n").exit_code == 1
    assert editions.in_force() is None
    assert "is in force" in lucheng("catalogue", "publish", "1", "--by", "wang", answer="y\n").output
    assert "wang" in lucheng("catalogue", "list").output


def test_publishing_needs_a_person_who_may() -> None:
    city.lay_out()
    city.draft(city.LAMPS, replace(city.CLUTTER))
    city.officer("reader", "case.view")
    for by in ("nobody", "reader"):
        assert lucheng("catalogue", "publish", "1", "--by", by, "--yes").exit_code == 1
    assert lucheng("catalogue", "publish", "9", "--by", "reader", "--yes").exit_code == 1
    assert editions.in_force() is None


def test_matters_are_loaded_and_listed(tmp_path: Path) -> None:
    pack = tmp_path / "matters.toml"
    pack.write_text('[[matter]]\ncode = "01"\nname = "市政"\ngrassroots = true\n', encoding="utf-8")
    assert "1 added, 0 changed" in lucheng("matters", "load", str(pack)).output
    assert "市政" in lucheng("matters", "list").output
    pack.write_text("[[matter]]\ncode = 1\n", encoding="utf-8")
    assert lucheng("matters", "load", str(pack)).exit_code == 1
    assert Matter.objects.count() == 1
