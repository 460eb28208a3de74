"""Its share of the demo city: the national retention rules are in force."""

from __future__ import annotations

import datetime as dt

from lucheng.core.privacy import retention


def fill(until: dt.datetime) -> None:
    """Put the national rules in force. A second time changes nothing."""
    retention.load(now=until)
