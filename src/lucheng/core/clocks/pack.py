"""The data that a city's clocks start from."""

from __future__ import annotations

from lucheng.core.clocks import holidays, limits


def load_pack() -> None:
    """Load the national calendar and the national table of limits. A second time changes nothing."""
    holidays.load()
    limits.load()
