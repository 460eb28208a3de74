"""The demo city's template of the bulletin. Figures themselves are the rooms' own."""

from __future__ import annotations

import datetime as dt

from lucheng.core import packs
from lucheng.core.indicators import bulletin

PACK = packs.DEMO_CITY / "bulletin.toml"


def fill(until: dt.datetime) -> None:
    """Put the template in force. A second time changes nothing."""
    bulletin.load(PACK, until)
