"""The ledger's periodic work."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.ledger import anchors, verifications
from lucheng.core.ledger.outbox import deliver
from lucheng.core.ledger.worker import Sweep

SWEEPS = [
    Sweep("messages", 2.0, deliver, pgettext_lazy("sweep", "send messages")),
    Sweep("anchors", 60.0, anchors.sweep, pgettext_lazy("sweep", "seal the ledger")),
    Sweep(
        verifications.SWEEP, 2.0, verifications.carry_out, pgettext_lazy("sweep", "carry verifications out")
    ),
]
