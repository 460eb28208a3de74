"""What `docs/promises.md` promises is shown by tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_promise_names_a_test_that_exists() -> None:
    rows = re.findall(
        r"^\| (?!promise|---)(.+?) \| (.+) \|$", (ROOT / "docs" / "promises.md").read_text("utf-8"), re.M
    )
    assert len(rows) > 20
    before = ""
    for promise, shown in rows:
        named = re.findall(r"`([^`]+)`", shown)
        assert named, f"nothing shows: {promise}"
        for name in named:
            file, _colons, test = name.partition("::")
            before = file = before if file == "…" else file
            text = (ROOT / file).read_text("utf-8")
            assert not test or f"def {test}(" in text, f"{name} does not exist: {promise}"
