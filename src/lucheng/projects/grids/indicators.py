"""The figures of this room: over the divisions that are grids, the posts in them, and who serves down."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.core.organisation.models import Post
from lucheng.core.places.models import LEVELS, Division, Kind
from lucheng.projects.grids.models import Service

_GRIDS = stands(Division, level=LEVELS["grid"])
_BASIC = stands(Division, level=LEVELS["grid"], kind=Kind.BASIC_GRID)


def _workers(window: Window) -> QuerySet[Any]:
    return Post.objects.filter(Post.in_force(window.day), role="grid_worker")


def _staffed(window: Window) -> QuerySet[Any]:
    return _GRIDS(window).filter(Exists(_workers(window).filter(place=OuterRef("code"))))


INDICATORS = [
    Indicator(
        id="2.grids",
        name=_("Grids"),
        unit=pgettext_lazy("unit", "grids"),
        formula=_("Grids of all kinds in force on the day."),
        numerator=Rows(_GRIDS, place="code"),
        better="",
    ),
    Indicator(
        id="2.grid_scale",
        name=_("Households in a basic grid"),
        unit=pgettext_lazy("unit", "households"),
        formula=_("Households of the basic grids in force on the day, over how many these are."),
        numerator=Rows(_BASIC, place="code", add="households"),
        denominator=Rows(_BASIC, place="code"),
        better="",
    ),
    Indicator(
        id="2.grid_workers",
        name=_("Grid workers in post"),
        unit=pgettext_lazy("unit", "people"),
        formula=_("People who hold a post as grid worker on the day, full time or part time."),
        numerator=Rows(_workers, distinct="person"),
    ),
    Indicator(
        id="2.staffed",
        name=_("Grids with a grid worker"),
        unit=pgettext_lazy("unit", "%"),
        formula=_("Grids in which somebody holds a post as grid worker on the day, over all grids."),
        numerator=Rows(_staffed, place="code"),
        denominator=Rows(_GRIDS, place="code"),
        times=100,
        digits=1,
    ),
    Indicator(
        id="2.organs",
        name=_("Organs serving down in grids"),
        unit=pgettext_lazy("unit", "organs"),
        formula=_("Different organs with a service in force on the day."),
        numerator=Rows(stands(Service), distinct="organ"),
    ),
    Indicator(
        id="2.members",
        name=_("Party members serving down in grids"),
        unit=pgettext_lazy("unit", "people"),
        formula=_("Sum of the members of the services in force on the day. Numbers: nobody is recorded."),
        numerator=Rows(stands(Service), add="members"),
    ),
]
