"""A log line says what went wrong, and never with whose words or number."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from lucheng.core.logs import Line, covered


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(Line(fmt="%(levelname)s %(message)s"))
    logger = logging.getLogger("lucheng.tests.logs")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, said
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "number", ["13900420001", "0472-5123456", "04725123456", "01085123456", "15020219900101123X"]
)
def test_the_number_of_a_person_is_covered_wherever_it_stands(number: str) -> None:
    assert number not in covered(f"Not Found: /around/{number}/")
    assert number not in covered(f"{number}")


def test_a_tracking_code_is_covered_in_an_address() -> None:
    assert covered("Forbidden: /t/LC-7Q4K-29XM-5TAB/rate/") == "Forbidden: /t/…/rate/"
    assert covered("Not Found: /api/v1/track/7q4k29xm5tab") == "Not Found: /api/v1/track/…"


def test_the_number_of_an_order_and_of_a_port_stay() -> None:
    for text in ("case 26030200000074: nobody is told", "line 1280 of 13900"):
        assert covered(text) == text


def test_an_exception_says_where_and_of_what_kind_and_quotes_nothing(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, said = log
    entered = "闻人未央, 139 0042 0001"
    try:
        try:
            int(entered)
        except ValueError as first:
            raise RuntimeError(f"row contains {entered}") from first
    except RuntimeError:
        logger.exception("step failed at %s", "/t/LC-7Q4K-29XM-5TAB/")
    text = said.getvalue()
    assert entered not in text and "7Q4K" not in text
    assert text.index("builtins.ValueError") < text.index("builtins.RuntimeError")
    assert "test_logs.py" in text and "int(entered)" in text  # the line of code, which is no secret


def test_an_exception_that_goes_in_a_circle_is_told_once(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, said = log
    a, b = ValueError("a"), KeyError("b")
    a.__cause__, b.__cause__ = b, a
    logger.error("x", exc_info=a)
    assert said.getvalue().count("builtins.ValueError") == 1
