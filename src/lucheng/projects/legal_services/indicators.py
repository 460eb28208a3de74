"""The figures of this room, each a query over its outlets and advisers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.places.models import LEVELS, Division
from lucheng.projects.legal_services.models import LegalAdviser, LegalOutlet, Level

_OUTLETS = {
    Level.CITY: (_("City legal-service centre"), pgettext_lazy("unit", "centres")),
    Level.COUNTY: (_("County legal-service centres"), pgettext_lazy("unit", "centres")),
    Level.TOWNSHIP: (_("Legal-service stations in townships"), pgettext_lazy("unit", "stations")),
    Level.VILLAGE: (_("Legal-service rooms in communities and villages"), pgettext_lazy("unit", "rooms")),
}

INDICATORS = [
    *(
        Indicator(
            id=f"8.legal.{level.value}",
            name=name,
            unit=unit,
            formula=_("Outlets of this level in force on the day."),
            numerator=Rows(stands(LegalOutlet, level=level)),
        )
        for level, (name, unit) in _OUTLETS.items()
    ),
    Indicator(
        id="8.advisers",
        name=_("Communities and villages that have a legal adviser"),
        unit="%",
        formula=_(
            "Communities and villages with an adviser under contract on the day, in a hundred of all that "
            "there are on the day."
        ),
        numerator=Rows(stands(LegalAdviser), distinct="place"),
        denominator=Rows(stands(Division, level=LEVELS["community"]), place="code"),
        times=100,
        digits=1,
    ),
]
