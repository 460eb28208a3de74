"""The figures of this room, each a query over studios and their lines."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.projects.studios.models import ServiceLine, Studio

INDICATORS = [
    Indicator(
        id="7.studios",
        name=_("Named studios joined"),
        unit=pgettext_lazy("unit", "studios"),
        formula=_("Studios in force on the day."),
        numerator=Rows(stands(Studio)),
    ),
    Indicator(
        id="7.lines",
        name=_("Service lines in use"),
        unit=pgettext_lazy("unit", "service lines"),
        formula=_("Different lines, of the five, that at least one studio offers on the day."),
        numerator=Rows(stands(ServiceLine), distinct="line"),
    ),
]
