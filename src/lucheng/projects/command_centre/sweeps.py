"""Periodic work of this room."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.projects.command_centre.drafts import forget_old

SWEEPS = [Sweep("drafts of calls", 600.0, forget_old, pgettext_lazy("sweep", "forget old drafts of calls"))]
