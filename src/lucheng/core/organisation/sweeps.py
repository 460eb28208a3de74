"""Periodic work of this room."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep
from lucheng.core.organisation.signing_in import forget_old

SWEEPS = [
    Sweep(
        "sign-ins",
        3600.0,
        forget_old,
        pgettext_lazy("sweep", "destroy sign-ins of more than half a year ago"),
    )
]
