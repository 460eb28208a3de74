"""The clocks' periodic work."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.clocks.sweep import sweep
from lucheng.core.ledger.worker import Sweep

SWEEPS = [Sweep("clocks", 15, sweep, pgettext_lazy("sweep", "watch the time limits"))]
