"""The commands of an operator: calendar, limits, clocks."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from click.testing import Result
from django.conf import settings
from typer.testing import CliRunner

from lucheng.core.clocks import cli
from lucheng.core.clocks.models import CalendarYear, Clock, TimeLimit
from lucheng.core.clocks.service import apply
from lucheng.core.clocks.sweep import MAX_FAILURES
from tests.core.clocks.stories import a_case, at


@pytest.fixture(autouse=True)
def _database_is_there(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands would otherwise start the embedded server, which the tests have running already."""
    monkeypatch.setenv("DATABASE_URL", f"postgresql:///{settings.DATABASES['default']['NAME']}")


def run(*words: object) -> Result:
    app = typer.Typer()
    cli.register(app)
    result = CliRunner().invoke(app, [str(w) for w in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_national_pack_is_loaded_and_loaded_again() -> None:
    first, second = run("calendar", "load"), run("calendar", "load")
    assert first.exit_code == second.exit_code == 0
    assert "2026: loaded" in first.output and "hours of business: loaded" in first.output
    assert "2026: as it was" in second.output and "loaded" not in second.output
    assert "added" in run("limits", "load").output
    assert "0 added, 0 changed, 0 removed" in run("limits", "load").output


def test_a_year_is_shown_with_its_notice_its_days_and_its_counts() -> None:
    run("calendar", "load")
    shown = run("calendar", "show", 2026).output
    assert "国办发明电〔2025〕7号" in shown and "08:30-12:00, 14:30-18:00" in shown
    assert "2026-02-14" in shown and "33 days off, 6 swapped workdays" in shown
    assert "not announced yet" in run("calendar", "show", 2027).output


def test_a_year_that_is_not_loaded_is_said_to_be() -> None:
    result = run("calendar", "show", 2035)
    assert result.exit_code == 1 and "Nothing is loaded for 2035" in result.output


def test_a_bad_date_is_told_at_its_place_and_nothing_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    path.write_text('[[year]]\nyear = 2028\nwork = [{ name = "x", day = "2028-02-30" }]\n')
    result = run("calendar", "load", path)
    assert result.exit_code == 1
    assert "work 1 day" in result.output and "Nothing was loaded." in result.output
    assert not CalendarYear.objects.exists()


def test_limits_go_out_to_a_sheet_and_come_back(tmp_path: Path) -> None:
    run("limits", "load")
    for name in ("limits.xlsx", "limits.toml"):
        path = tmp_path / name
        assert f"{TimeLimit.objects.count()} limits written" in run("limits", "export", path).output
        TimeLimit.objects.all().delete()
        assert run("limits", "load", path).exit_code == 0
        assert TimeLimit.objects.count() > 20
    assert run("limits", "export", tmp_path / "limits.doc").exit_code == 2


def test_a_bad_limit_is_told_at_its_row(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('[[limit]]\nclock = "reply"\namount = 0\nunit = "hours"\n')
    result = run("limits", "load", path)
    assert result.exit_code == 1 and "amount" in result.output and not TimeLimit.objects.exists()


def test_clocks_that_were_left_alone_are_tried_again() -> None:
    run("calendar", "load")
    run("limits", "load")
    case = a_case()
    apply(case, ["start:reply", "start:return"], at("2026-11-23 09:00"))
    Clock.objects.filter(case=case, kind="reply").update(failures=MAX_FAILURES, next_at=None)
    assert run("clocks", "retry").output == "1 clocks will be tried again\n"
    assert Clock.objects.get(case=case, kind="reply").next_at is not None
    assert Clock.objects.get(case=case, kind="return").next_at is None
