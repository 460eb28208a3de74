"""Periodic work of this room."""

from __future__ import annotations

from lucheng.core.ledger.worker import Sweep
from lucheng.projects.command_centre.drafts import forget_old

SWEEPS = [Sweep("drafts of calls", 600.0, forget_old)]
