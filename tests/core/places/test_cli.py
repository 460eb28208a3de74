"""What the operator types and reads: ``lucheng divisions …``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from shapely import box
from shapely.geometry import mapping
from typer.testing import CliRunner, Result

from lucheng.core.places import cli
from lucheng.core.places.models import Boundary, Division, Succession
from tests.core.places.lists import LUYUAN, write, write_rows
from tests.core.places.lists import rows as list_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "ensure_database", lambda: None)  # the tests' own server runs already
    monkeypatch.setattr(cli.console, "width", 200)
    monkeypatch.setattr(cli.errors, "width", 200)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    cli.register(app)
    return CliRunner().invoke(app, ["divisions", *map(str, arguments)])


def lists(folder: Path) -> Path:
    later = dict(LUYUAN) | {"990102001001": "花园社区", "990102100202": "杨柳村委会"}
    for code in ("990102100200", "990102100201", "990102001002"):
        del later[code]
    return write(folder, {2020: LUYUAN, 2021: later})


def outlines(folder: Path, *codes: str) -> Path:
    file = folder / "outlines.json"
    features = [
        {
            "type": "Feature",
            "properties": {"code": c, "name": "东原区"},
            "geometry": mapping(box(110, 40, 110.1, 40.1)),
        }
        for c in codes
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def test_an_import_reports_each_year_on_one_line(tmp_path: Path) -> None:
    result = run("import", lists(tmp_path))
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["2020-01-01", "14", "14", *["·"] * 9] in lines
    # 13 divisions: none added, one dropped, one renamed, two merged; the mergers are likely.
    assert ["2021-01-01", "12", "·", "1", "1", "·", "2", "·", "·", "·", "2", "·"] in lines
    assert "left out 990101 市辖区, which stands for no place" in result.stdout


def test_a_second_import_says_that_nothing_changed(tmp_path: Path) -> None:
    run("import", lists(tmp_path))
    result = run("import", lists(tmp_path))
    assert result.exit_code == 0
    assert "Everything was already recorded; nothing changed." in result.stdout


def test_details_hold_every_change_with_how_it_is_known(tmp_path: Path) -> None:
    details = tmp_path / "details.csv"
    assert run("import", lists(tmp_path), "--details", details).exit_code == 0
    found = list(csv.DictReader(details.open(encoding="utf-8-sig")))
    assert sum(r["what"] == "added" for r in found) == 14
    assert [
        (r["old name"], r["new name"], r["known by"][:5], r["sure"]) for r in found if r["what"] == "merged"
    ] == [
        ("上杨柳村委会", "杨柳村委会", "names", "likely"),
        ("下杨柳村委会", "杨柳村委会", "names", "likely"),
    ]


def test_a_faulty_list_ends_with_status_one_and_every_fault(tmp_path: Path) -> None:
    table = list_rows(2020, LUYUAN)
    table[4][4], table[5][2] = "", "x"
    result = run("import", write_rows(tmp_path, table))
    assert result.exit_code == 1
    assert "row 6, name: The name is missing." in result.stderr
    assert "row 7, level: x is no level" in result.stderr
    assert "2 faults; nothing was written." in result.stderr
    assert not Division.objects.exists()


def test_a_trial_says_that_it_was_one(tmp_path: Path) -> None:
    result = run("import", lists(tmp_path), "--dry-run")
    assert "This was a trial: nothing was written." in result.stdout
    assert not Division.objects.exists()


def test_outlines_are_counted_and_repairs_and_unknown_codes_named(tmp_path: Path) -> None:
    run("import", lists(tmp_path))
    result = run(
        "boundaries", outlines(tmp_path, "990102", "990109"), "--crs", "gcj02", "--as-of", "2020-05-01"
    )
    assert result.exit_code == 0
    assert "left out 990109 东原区: not in force on 2020-05-01" in result.stdout
    assert Boundary.objects.get().division.code == "990102"


def test_outlines_of_which_none_was_taken_end_with_status_one(tmp_path: Path) -> None:
    assert run("boundaries", outlines(tmp_path, "990102"), "--crs", "wgs84").exit_code == 1


def test_a_reference_system_we_do_not_know_is_refused(tmp_path: Path) -> None:
    assert run("boundaries", outlines(tmp_path, "990102"), "--crs", "bd09").exit_code == 2


def test_a_division_is_shown_as_of_a_day_with_what_became_of_it(tmp_path: Path) -> None:
    run("import", lists(tmp_path))
    result = run("show", "990102100200", "--as-of", "2020-05-01")
    assert "东原区 · 南河镇 · 上杨柳村委会" in result.stdout
    assert "in force on 2020-05-01" in result.stdout
    assert "from 2020-01-01, up to but not on 2021-01-01" in result.stdout
    row = next(line.split() for line in result.stdout.splitlines() if "merged" in line)
    assert row[:6] == [
        "2021-01-01",
        "merged",
        "上杨柳村委会",
        "(990102100200)",
        "杨柳村委会",
        "(990102100202)",
    ]
    assert "not in force on 2021-05-01" in run("show", "990102100200", "--as-of", "2021-05-01").stdout


def test_a_code_that_never_was_ends_with_status_one(tmp_path: Path) -> None:
    result = run("show", "880102000000")
    assert result.exit_code == 1
    assert "No division was ever in force under 880102000000." in result.stderr


def test_what_the_operator_knows_replaces_the_guess(tmp_path: Path) -> None:
    run("import", lists(tmp_path))
    result = run("declare", "990102100200", "990102001001", "--at", "2021-01-01", "--how", "merged")
    assert result.exit_code == 0
    assert [(s.after.code, s.basis) for s in Succession.objects.filter(before__code="990102100200")] == [
        ("990102001001", "declared")
    ]
    result = run("declare", "990102001001", "990102100202", "--at", "2015-01-01")
    assert result.exit_code == 1
    assert "No division 990102001001 ended on 2015-01-01." in result.stderr


def test_an_alias_is_kept(tmp_path: Path) -> None:
    run("import", lists(tmp_path))
    assert run("alias", "990102", "东区", "老东区").exit_code == 0
    assert Division.objects.as_of(Division.objects.latest("valid_from").valid_from).get(
        code="990102"
    ).aliases == [
        "东区",
        "老东区",
    ]
    assert run("alias", "990109", "北区").exit_code == 1
