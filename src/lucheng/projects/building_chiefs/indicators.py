"""The figures of this room: queries over chiefs, over the buildings that stand, and over visits."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.core.places.models import LEVELS, Building, Division, Estate, Kind
from lucheng.projects.building_chiefs.models import Chief, Visit


def _chiefs(window: Window, estate: str) -> QuerySet[Any]:
    """The chiefs on the window's day of the estate to which the path ``estate`` leads (with ``__``, or empty)."""
    rows: QuerySet[Any] = Chief.objects.as_of(window.day)
    rows = rows.annotate(community=Left("place", LEVELS["community"]))
    found: QuerySet[Any] = rows.filter(estate=OuterRef(f"{estate}name"), community=OuterRef(f"{estate}place"))
    return found


def _estates(window: Window) -> QuerySet[Any]:
    return Estate.objects.filter(Exists(_chiefs(window, "")))


def _covered(window: Window) -> QuerySet[Any]:
    chiefs = _chiefs(window, "estate__")
    return Building.objects.filter(
        Exists(chiefs.filter(Q(buildings=[]) | Q(buildings__contains=[OuterRef("name")])))
    )


def _urban(buildings: QuerySet[Any], window: Window) -> QuerySet[Any]:
    """Those that stand in urban communities: village settlements have no building chief."""
    communities = (
        Division.objects.as_of(window.day).filter(kind=Kind.COMMUNITY).values_list("code", flat=True)
    )
    found: QuerySet[Any] = buildings.annotate(community=Left("grid", LEVELS["community"])).filter(
        community__in=list(communities)  # some hundred codes, looked up quicker than joined
    )
    return found


def _visits(window: Window) -> QuerySet[Any]:
    return Visit.objects.filter(valid_from__gte=window.since, valid_from__lte=window.day)


def _of_visits(id: str, field: str, name: Promise, unit: Promise, formula: Promise) -> Indicator:
    return Indicator(
        id=id, name=name, unit=unit, formula=formula, numerator=Rows(_visits, add=field), kind="flow"
    )


INDICATORS = [
    Indicator(
        id="5.officers",
        name=_("Officers serving as building chiefs"),
        unit=pgettext_lazy("unit", "officers"),
        formula=_("Different badge numbers among the building-chief officers in post on the day."),
        numerator=Rows(stands(Chief), distinct="badge"),
    ),
    Indicator(
        id="5.estates",
        name=_("Estates with a building chief"),
        unit=pgettext_lazy("unit", "estates"),
        formula=_("Estates for all or some of whose buildings an officer is in post on the day."),
        numerator=Rows(_estates),
    ),
    Indicator(
        id="5.buildings",
        name=_("Buildings with a building chief"),
        unit=pgettext_lazy("unit", "buildings"),
        formula=_("Residential buildings for which an officer is in post on the day."),
        numerator=Rows(_covered, place="grid"),
    ),
    Indicator(
        id="5.coverage",
        name=_("Share of buildings with a building chief"),
        unit=pgettext_lazy("unit", "%"),
        formula=_(
            "Residential buildings in urban communities for which an officer is in post on the day, "
            "over all residential buildings in urban communities."
        ),
        numerator=Rows(lambda window: _urban(_covered(window), window), place="grid"),
        denominator=Rows(lambda window: _urban(Building.objects.all(), window), place="grid"),
        times=100,
        digits=1,
    ),
    _of_visits(
        "5.households",
        "households",
        _("Household visits of building chiefs"),
        pgettext_lazy("unit", "households"),
        _("Sum of the households visited on the days of the period."),
    ),
    _of_visits(
        "5.registrations",
        "people",
        _("People counted on visits"),
        pgettext_lazy("unit", "people"),
        _("Sum of the people counted on visits on the days of the period. A number: nobody is recorded."),
    ),
    _of_visits(
        "5.hazards",
        "hazards",
        _("Hazards found on visits"),
        pgettext_lazy("unit", "hazards"),
        _("Sum of the hazards found on visits on the days of the period."),
    ),
    _of_visits(
        "5.opinions",
        "opinions",
        _("Opinions collected on visits"),
        pgettext_lazy("unit", "opinions"),
        _("Sum of the opinions and suggestions collected on visits on the days of the period."),
    ),
]
