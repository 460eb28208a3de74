"""Its share of the demo city: the national retention rules and privacy notice are in force."""

from __future__ import annotations

import datetime as dt

from lucheng.core.privacy import notices, retention


def fill(until: dt.datetime) -> None:
    """Put the national rules and notice in force. A second time changes nothing."""
    retention.load(now=until)
    notices.load(now=until)
