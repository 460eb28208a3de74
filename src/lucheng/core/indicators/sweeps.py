"""The history of figures writes itself: each day once it is over, and today's so far."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators import history
from lucheng.core.ledger.worker import Sweep


def _keep(now: dt.datetime) -> int:
    today = timezone.localdate(now)
    for day in (today - dt.timedelta(days=1), today):
        history.keep(day)
    return 0  # what is kept is kept: nothing is left to do at once


SWEEPS = [Sweep("indicators", 3600.0, _keep, pgettext_lazy("sweep", "keep what figures came to today"))]
