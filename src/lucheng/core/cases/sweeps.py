"""Periodic work of this room."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from lucheng.core.cases.attachments import forget_unattached
from lucheng.core.cases.suspended import resume_due
from lucheng.core.ledger.worker import Sweep

SWEEPS = [
    Sweep("suspended cases", 60.0, resume_due, pgettext_lazy("sweep", "let suspended cases go on")),
    Sweep(
        "unattached photographs",
        3600.0,
        forget_unattached,
        pgettext_lazy("sweep", "remove photographs that belong to no case"),
    ),
]
