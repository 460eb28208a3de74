"""The figures of this room, each a query over its centres."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.projects.party_centres.models import Centre, Demonstration, Level, Upgrade

_NAMES = {
    Level.CITY: _("City centres to the standard"),
    Level.COUNTY: _("County centres to the standard"),
    Level.SUBDISTRICT: _("Sub-district centres to the standard"),
    Level.TOWNSHIP: _("Township centres to the standard"),
    Level.COMMUNITY: _("Community centres to the standard"),
    Level.VILLAGE: _("Village centres to the standard"),
    Level.ORGANISATION: _("Centres of enterprises and organisations to the standard"),
}


def _to_the_standard(level: Level) -> Rows:
    standing = stands(Centre, level=level)
    return Rows(lambda window: standing(window).filter(standard_since__lte=window.day))


INDICATORS = [
    Indicator(
        id=f"1.centres.{level.value}",
        name=name,
        unit=pgettext_lazy("unit", "centres"),
        formula=_(
            "Centres of this level in force on the day that were found to run to the city's standard by then."
        ),
        numerator=_to_the_standard(level),
    )
    for level, name in _NAMES.items()
]
INDICATORS += [
    Indicator(
        id="1.centres.demonstration",
        name=_("Demonstration sites"),
        unit=pgettext_lazy("unit", "centres"),
        formula=_("Sub-districts and communities that stand as demonstration sites on the day."),
        numerator=Rows(stands(Demonstration)),
    ),
    Indicator(
        id="1.centres.upgraded",
        name=_("Premises upgraded"),
        unit=pgettext_lazy("unit", "centres"),
        formula=_("Upgrades of cramped premises that were accepted by the day."),
        numerator=Rows(lambda window: Upgrade.objects.filter(accepted__lte=window.day)),
    ),
]
