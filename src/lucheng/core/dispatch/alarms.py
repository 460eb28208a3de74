"""Cases for which the catalogue has no answer: each waits in the queue «no match» (无匹配) for a person."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from lucheng.core.dispatch.models import Alarm

if TYPE_CHECKING:
    from lucheng.core.cases.models import Case


def words(why: str | Promise) -> str:
    """The reason as it is kept: in the city's first language, at most 200 characters."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(why)[:200]


def raise_alarm(case: Case, why: str | Promise, now: dt.datetime) -> Alarm:
    """Put ``case`` into the queue, in the case's transaction; ``why`` is kept in the city's first language.

    A case stands in the queue once: raised again, the alarm takes the new reason, and keeps its time unless
    it had been settled.
    """
    text = words(why)
    alarm, created = Alarm.objects.select_for_update().get_or_create(
        case=case, defaults={"why": text, "raised_at": now}
    )
    if not created:
        if alarm.settled_at is not None:
            alarm.raised_at, alarm.settled_at = now, None
        alarm.why = text
        alarm.save(update_fields=["why", "raised_at", "settled_at"])
    return alarm


def settle(case: Case, now: dt.datetime) -> bool:
    """Take ``case`` out of the queue because a unit has been named; False where no alarm stood open."""
    return Alarm.objects.filter(case=case, settled_at=None).update(settled_at=now) == 1
