"""Which buildings an estate has and how many live in them, from memory: a sheet of thousands asks for each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lucheng.core.places.models import LEVELS, Building, Estate
from lucheng.core.revisions.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Counts:
    """Who lives in a building, as numbers."""

    households: int
    residents: int


def _load() -> dict[tuple[str, str], dict[str, Counts]]:
    found: dict[tuple[str, str], dict[str, Counts]] = {
        key: {} for key in Estate.objects.values_list("place", "name")
    }
    rows = Building.objects.filter(estate__isnull=False).order_by("id")
    for place, estate, name, households, residents in rows.values_list(
        "estate__place", "estate__name", "name", "households", "residents"
    ):
        found[place, estate][name] = Counts(households, residents)
    return found


_stock = Snapshot("places", _load)


def buildings(place: str, estate: str) -> Mapping[str, Counts] | None:
    """The buildings of the estate with this name in the community of ``place``, by what people call them; None where
    there is no such estate."""
    return _stock.get().get((place[: LEVELS["community"]], estate))
