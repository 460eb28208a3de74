"""The clocks' periodic work."""

from __future__ import annotations

from lucheng.core.clocks.sweep import sweep
from lucheng.core.ledger.worker import Sweep

SWEEPS = [Sweep("clocks", 15, sweep)]
