"""What happens by itself with personal data: proposals, the carrying out of what a person approved, and forgetting."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.core.privacy import retention
from lucheng.core.privacy.one_time import forget_old


def _propose(now: dt.datetime) -> int:
    retention.propose(now)
    return 0  # one batch waits at a time: there is never more to do at once


SWEEPS = [
    Sweep("retention", 3600.0, _propose, pgettext_lazy("sweep", "propose what is to be destroyed")),
    Sweep("destruction", 60.0, retention.carry_out, pgettext_lazy("sweep", "destroy what was approved")),
    Sweep("one-time codes", 300.0, forget_old, pgettext_lazy("sweep", "forget old one-time codes")),
]
