"""The figures of this room: what committees state, what is put in order, where campaigns came. None looks at cases."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Left, Length
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.core.places.models import LEVELS, Division, Kind
from lucheng.projects.safe_communities.models import (
    Action,
    Campaign,
    Criterion,
    Priority,
    Review,
    Standard,
    Statement,
    Task,
)

_PLACES = stands(Division, kind__in=[Kind.COMMUNITY, Kind.VILLAGE, Kind.GACHA])


def _safe(window: Window) -> QuerySet[Any]:
    """The places whose statement for the window's year meets all criteria and is confirmed."""
    confirmed = stands(Review, statement=OuterRef("pk"), result=Review.Result.CONFIRMED)(window)
    stated = stands(Statement, place=OuterRef("code"), year=window.day.year)(window)
    whole = stated.filter(Exists(confirmed), met__contains=Criterion.values)
    return _PLACES(window).filter(Exists(whole))


def _due(window: Window) -> QuerySet[Any]:
    return Task.objects.filter(due__gte=window.since, due__lte=window.day)


def _in_area(window: Window) -> QuerySet[Any]:
    """The grids that lie in the area of a campaign which ran in the window."""
    running = Campaign.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=window.since), valid_from__lte=window.day
    ).annotate(of_grid=Left(OuterRef("code"), Length("place")))
    return stands(Division, level=LEVELS["grid"])(window).filter(Exists(running.filter(place=F("of_grid"))))


def _reached(window: Window) -> QuerySet[Any]:
    actions = Action.objects.filter(
        valid_from__gte=window.since, valid_from__lte=window.day, place=OuterRef("code")
    )
    return _in_area(window).filter(Exists(actions))


INDICATORS = [
    Indicator(
        id="3.criteria",
        name=_("Criteria of a safe village or community"),
        unit=pgettext_lazy("unit", "criteria"),
        formula=_("Different criteria in force on the day."),
        numerator=Rows(stands(Standard), distinct="criterion"),
        better="",
    ),
    Indicator(
        id="3.problem_types",
        name=_("Types of problem given priority"),
        unit=pgettext_lazy("unit", "types"),
        formula=_("Types of problem in force on the day as priorities."),
        numerator=Rows(stands(Priority, kind=Priority.Kind.PROBLEM)),
        better="",
    ),
    Indicator(
        id="3.key_areas",
        name=_("Types of key rural area"),
        unit=pgettext_lazy("unit", "types"),
        formula=_("Types of key area in force on the day as priorities."),
        numerator=Rows(stands(Priority, kind=Priority.Kind.AREA)),
        better="",
    ),
    Indicator(
        id="3.safe",
        name=_("Places stated and confirmed to be safe"),
        unit=pgettext_lazy("unit", "%"),
        formula=_(
            "Communities, villages and gacha whose committee states for the period's year that all seven criteria are "
            "met, with a review that confirms it, over all of them. Complaints and petitions do not enter."
        ),
        numerator=Rows(_safe, place="code"),
        denominator=Rows(_PLACES, place="code"),
        times=100,
        digits=1,
        obtained="declared",
    ),
    Indicator(
        id="3.done_in_time",
        name=_("Tasks of putting in order done in time"),
        unit=pgettext_lazy("unit", "%"),
        formula=_("Tasks to be done by a day of the period that were by then, over all that were to be."),
        numerator=Rows(lambda window: _due(window).filter(done_on__lte=F("due"))),
        denominator=Rows(_due),
        times=100,
        digits=1,
        kind="flow",
    ),
    Indicator(
        id="3.campaign_coverage",
        name=_("Grids that campaigns came to"),
        unit=pgettext_lazy("unit", "%"),
        formula=_(
            "Grids in the area of a campaign of the period in which one was carried out on a day of the period, "
            "over all grids in the area of one."
        ),
        numerator=Rows(_reached, place="code"),
        denominator=Rows(_in_area, place="code"),
        times=100,
        digits=1,
        kind="flow",
    ),
]
