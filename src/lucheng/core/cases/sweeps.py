"""Periodic work of this room."""

from __future__ import annotations

from lucheng.core.cases.attachments import forget_unattached
from lucheng.core.cases.suspended import resume_due
from lucheng.core.ledger.worker import Sweep

SWEEPS = [
    Sweep("suspended cases", 60.0, resume_due),
    Sweep("unattached photographs", 3600.0, forget_unattached),
]
