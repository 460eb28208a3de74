"""Parsers stand whatever they are given: what once broke one, and a bounded, repeatable search for more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(CORPUS.glob("*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_takes_what_it_is_made_for(name: str) -> None:
    function, seeds = TARGETS[name]
    for seed in seeds:
        function(seed)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.parent.name}-{c.name[:16]}")
def test_a_parser_stands_what_once_broke_it(case: Path) -> None:
    function, _seeds = TARGETS[case.parent.name]
    function(case.read_bytes())


def test_a_bounded_search_finds_nothing_that_breaks_a_parser() -> None:
    """The same inputs each time; ``make fuzz`` looks for longer."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--runs", "300"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert done.stdout.count("stands") == len(TARGETS)
