"""The pages' periodic work."""

from __future__ import annotations

import datetime as dt

from django.contrib.sessions.models import Session
from django.utils.translation import pgettext_lazy

from lucheng.core.ledger.worker import Sweep


def forget_sessions(now: dt.datetime) -> int:
    """Delete sessions that have run out, and with them the drafts of reports that were never sent."""
    deleted, _by_model = Session.objects.filter(expire_date__lt=now).delete()
    return deleted


SWEEPS = [
    Sweep("sessions", 3600.0, forget_sessions, pgettext_lazy("sweep", "forget sessions that have ended"))
]
