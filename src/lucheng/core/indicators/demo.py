"""The demo city's template of the bulletin. Figures themselves are the rooms' own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from lucheng.core.indicators import bulletin

PACK = Path(__file__).parents[2] / "packs" / "baotou_demo" / "bulletin.toml"


def fill(until: dt.datetime) -> None:
    """Put the template in force. A second time changes nothing."""
    bulletin.load(PACK, until)
