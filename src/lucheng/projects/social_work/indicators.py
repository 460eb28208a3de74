"""The figures of this room, each a query over organisations, counts, hours and the pay table."""

from __future__ import annotations

from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.core.registers.models import EntryQuerySet
from lucheng.projects.social_work.models import (
    CommunityOrganisation,
    CommunityPosts,
    ProjectMilestone,
    SocialWorkAgency,
    SocialWorkers,
    VolunteerActivity,
)

_PEOPLE = Rows(stands(CommunityPosts), add="people")


def _paid(what: str) -> Rows:
    """What all community workers draw together in a month: ``what`` of their rows of the pay table."""
    standing = stands(CommunityPosts)
    sums = {
        "pay": F("people") * F("row__pay"),
        "pay_before": F("people") * F("row__pay_before"),
        "rise": F("people") * (F("row__pay") - F("row__pay_before")),
    }
    return Rows(lambda window: standing(window).annotate(drawn=sums[what]), add="drawn")


def _due(window: Window) -> EntryQuerySet[ProjectMilestone]:
    """Milestones whose day fell into the period and has come."""
    return ProjectMilestone.objects.get_queryset().filter(due__gte=window.since, due__lte=window.day)


def _hours(window: Window) -> EntryQuerySet[VolunteerActivity]:
    return VolunteerActivity.objects.get_queryset().filter(
        valid_from__gte=window.since, valid_from__lt=window.until
    )


INDICATORS = [
    Indicator(
        id="9.social_orgs",
        name=_("Community social organisations"),
        unit=pgettext_lazy("unit", "organisations"),
        formula=_("Organisations in force on the day."),
        numerator=Rows(stands(CommunityOrganisation)),
    ),
    Indicator(
        id="9.agencies",
        name=_("Social-work agencies"),
        unit=pgettext_lazy("unit", "agencies"),
        formula=_("Agencies in force on the day."),
        numerator=Rows(stands(SocialWorkAgency)),
    ),
    Indicator(
        id="9.social_workers",
        name=_("Professional social workers"),
        unit=pgettext_lazy("unit", "persons"),
        formula=_("Social workers of all agencies by the counts in force on the day."),
        numerator=Rows(stands(SocialWorkers), add="workers"),
    ),
    Indicator(
        id="9.pay_after",
        name=_("Average pay of community workers"),
        unit=pgettext_lazy("unit", "yuan a month"),
        formula=_("What all community workers draw by the pay table, by how many they are, on the day."),
        numerator=_paid("pay"),
        denominator=_PEOPLE,
    ),
    Indicator(
        id="9.pay_before",
        name=_("Average pay of community workers before the reform"),
        unit=pgettext_lazy("unit", "yuan a month"),
        formula=_(
            "What the same community workers would draw by the pay before the reform, by how many they are."
        ),
        numerator=_paid("pay_before"),
        denominator=_PEOPLE,
        better="",
    ),
    Indicator(
        id="9.pay_rise",
        name=_("Rise of the average pay of community workers"),
        unit=pgettext_lazy("unit", "yuan a month"),
        formula=_("What all community workers draw more than before the reform, by how many they are."),
        numerator=_paid("rise"),
        denominator=_PEOPLE,
    ),
    Indicator(
        id="9.milestones",
        name=_("Milestones of social-work projects done in time"),
        unit="%",
        formula=_("Milestones due in the period that were done by their day, in a hundred of all due in it."),
        numerator=Rows(lambda window: _due(window).filter(done__lte=F("due"))),
        denominator=Rows(_due),
        times=100,
        kind="flow",
        digits=1,
    ),
    Indicator(
        id="9.volunteer_hours",
        name=_("Volunteers' hours"),
        unit=pgettext_lazy("unit", "hours"),
        formula=_("Hours of all activities that began in the period."),
        numerator=Rows(_hours, add="hours"),
        kind="flow",
    ),
]
