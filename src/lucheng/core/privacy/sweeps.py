"""Periodic work of this room."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.core.privacy.one_time import forget_old

SWEEPS = [Sweep("one-time codes", 300.0, forget_old, pgettext_lazy("sweep", "forget old one-time codes"))]
