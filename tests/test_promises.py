"""What `docs/promises.md` promises, and what `docs/threats.md` says is stopped, is shown by tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("document", "columns", "least"), [("promises.md", 2, 20), ("threats.md", 3, 25)])
def test_every_row_names_a_test_that_exists(document: str, columns: int, least: int) -> None:
    text = (ROOT / "docs" / document).read_text("utf-8")
    named = before = ""
    shown = 0
    for line in text.splitlines():
        if line.startswith("|--"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if not cells:
            named = ""
        elif not named:
            named = cells[-1]  # the head of a table
        elif named == "shown by":
            assert len(cells) == columns, line
            tests = re.findall(r"`([^`]+)`", cells[-1])
            assert tests, f"nothing shows: {cells[0]}"
            shown += 1
            for name in tests:
                file, _colons, test = name.partition("::")
                before = file = before if file == "…" else file
                code = (ROOT / file).read_text("utf-8")
                assert not test or f"def {test}(" in code, f"{name} does not exist: {cells[0]}"
    assert shown > least
