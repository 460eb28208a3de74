"""The figures of this room, each a query over its halls and inspections."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.core.registers.models import EntryQuerySet
from lucheng.projects.border_service.models import JointInspection, StationedDepartment


def _due(window: Window) -> EntryQuerySet[JointInspection]:
    """Inspections whose faults were to be put right on a day of the period that has come."""
    return JointInspection.objects.get_queryset().filter(due__gte=window.since, due__lte=window.day)


INDICATORS = [
    Indicator(
        id="10.members",
        name=_("Departments stationed in the joint hall"),
        unit=pgettext_lazy("unit", "departments"),
        formula=_("Different departments with a window in force on the day."),
        numerator=Rows(stands(StationedDepartment), distinct="department"),
    ),
    Indicator(
        id="10.put_right",
        name=_("Faults of facilities put right in time"),
        unit="%",
        formula=_(
            "Faults seen to be right that were put right by their day, in a hundred of all due in the period."
        ),
        numerator=Rows(lambda window: _due(window).filter(put_right__lte=F("due"), seen__isnull=False)),
        denominator=Rows(_due),
        times=100,
        kind="flow",
        digits=1,
    ),
]
