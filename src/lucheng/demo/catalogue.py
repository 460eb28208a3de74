"""The demo city's dispatch catalogue: the pack's rows, spread over the counties and townships that have such a unit."""

from __future__ import annotations

from collections.abc import Iterable

from lucheng.core.dispatch.rules import Row
from lucheng.core.organisation.models import Unit
from lucheng.demo import pack
from lucheng.demo.organisation import Organisation, UnitRow

#: The list on which a matter stands that a sub-district or township leads.
GRASSROOTS_BASIS = "《乡镇（街道）履职事项清单》"


def rows(organisation: Organisation, grassroots: Iterable[str]) -> list[Row]:
    """The rows of the first edition.

    A row of the pack holds for the whole city under the city's unit, and for each county that has such a unit of its
    own. Matters on the ``grassroots`` list are led by the sub-district or township, with the department helping. A few
    matters have no row at all: the pack leaves them out, so that the queue without a rule has something in it.
    """
    city = pack.city()
    found: list[Row] = []
    listed = pack.read_tsv("catalogue.tsv")
    for line in listed:
        helpers = line["assists"].split(",") if line["assists"] else []
        for place in (city.code, *(c.code for c in city.counties)):
            lead = organisation.unit(line["lead"], place)
            if lead is not None:
                found.append(
                    Row(line["matter"], place, lead.code, _codes(organisation, helpers, place), line["basis"])
                )
    leads = {line["matter"]: line["lead"] for line in listed}
    streets = [u for u in organisation.units if u.kind == Unit.Kind.STREET]
    for matter in sorted(grassroots):
        key = leads.get(matter) or leads.get(matter[:4])
        for street in streets:
            assists = _codes(organisation, [key] if key else [], street.place[:6])
            found.append(Row(matter, street.place, street.code, assists, GRASSROOTS_BASIS))
    return found


def _codes(organisation: Organisation, keys: Iterable[str], place: str) -> tuple[str, ...]:
    """The units called so at the place, or else the city's."""
    units = (nearest(organisation, key, place) for key in keys)
    return tuple(u.code for u in units if u is not None)


def nearest(organisation: Organisation, key: str, place: str) -> UnitRow | None:
    """The unit of the pack called ``key`` in the place's county, or else the city's."""
    return organisation.unit(key, place[:6]) or organisation.unit(key, pack.city().code)
