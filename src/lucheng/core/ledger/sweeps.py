"""The ledger's periodic work."""

from __future__ import annotations

from lucheng.core.ledger.worker import Sweep

SWEEPS: list[Sweep] = []
