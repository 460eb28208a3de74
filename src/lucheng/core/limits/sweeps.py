"""Periodic work of this room."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.core.limits.counting import forget_old

SWEEPS = [Sweep("tries", 600.0, forget_old, pgettext_lazy("sweep", "forget tries that no longer count"))]
