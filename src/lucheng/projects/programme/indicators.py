"""The figures of the programme as a whole."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.projects.programme.models import Milestone, Phase, Project, Work

INDICATORS = [
    Indicator(
        id="programme.works",
        name=_("Works"),
        unit=pgettext_lazy("unit", "works"),
        formula=_("Works in force on the day."),
        numerator=Rows(stands(Work)),
    ),
    Indicator(
        id="programme.projects",
        name=_("Projects"),
        unit=pgettext_lazy("unit", "projects"),
        formula=_("Projects in force on the day."),
        numerator=Rows(stands(Project)),
    ),
    Indicator(
        id="programme.phases",
        name=_("Phases"),
        unit=pgettext_lazy("unit", "phases"),
        formula=_("Phases of the programme, past and to come."),
        numerator=Rows(lambda window: Phase.objects.all()),
    ),
    Indicator(
        id="programme.milestones",
        name=_("Milestones reached in time"),
        unit="%",
        formula=_("Of the milestones due by the day, those reached no later than they were due."),
        numerator=Rows(lambda window: Milestone.objects.filter(due__lte=window.day, reached__lte=F("due"))),
        denominator=Rows(lambda window: Milestone.objects.filter(due__lte=window.day)),
        times=100,
        digits=1,
    ),
]
