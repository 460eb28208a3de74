"""The examples of the operator's guide are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lucheng.core.clocks import holidays
from tests.core.clocks.stories import at

GUIDE = Path(__file__).parents[3] / "docs" / "clocks.md"
ROW = re.compile(
    r"^\| (\d+) (\w+) \| (\d{4}-\d\d-\d\d \d\d:\d\d) \| (\d{4}-\d\d-\d\d \d\d:\d\d) \|", re.MULTILINE
)
EXAMPLES = ROW.findall(GUIDE.read_text(encoding="utf-8"))


def test_there_are_examples_of_every_unit() -> None:
    assert {unit for _n, unit, _start, _due in EXAMPLES} == {
        "hours",
        "working_hours",
        "working_days",
        "calendar_days",
    }


@pytest.mark.parametrize(("amount", "unit", "start", "due"), EXAMPLES)
def test_an_example_of_the_guide_is_true(db: None, amount: str, unit: str, start: str, due: str) -> None:
    holidays.load()
    assert holidays.calendar().add(at(start), int(amount), unit) == at(due)


def test_the_file_that_the_guide_shows_can_be_loaded(db: None, tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "calendar.toml"
    path.write_text(text, encoding="utf-8")
    assert holidays.load(path).changed == (2027,)
