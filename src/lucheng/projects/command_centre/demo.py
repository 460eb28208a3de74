"""This room's share of the demo city: a knowledge base."""

from __future__ import annotations

import datetime as dt

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE
from lucheng.projects.command_centre import knowledge

PACK = packs.DEMO_CITY / "knowledge.toml"


def fill(until: dt.datetime) -> None:
    """Load the demo's articles as of three months before ``until``."""
    day = until.astimezone(ZONE).date()
    knowledge.load(PACK, until, day - dt.timedelta(days=knowledge.REVIEW_AFTER // 2))
