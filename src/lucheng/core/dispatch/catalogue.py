"""Which unit answers for a matter at a place: the dispatch catalogue in force (派单目录), held in memory.

The longest matter prefix wins, then the longest place prefix, as in IP routing: a row for street lamps in the
whole city comes before a row for all matters of one street. Where the row that wins names a unit that has
been closed, nobody answers for the matter there: a person decides, not a broader row (docs/decisions/0130).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.dispatch import matters
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS
from lucheng.core.places.names import place_name
from lucheng.core.revisions.snapshot import Snapshot

#: Digits in a place code, the most specific first.
_PLACE_LENGTHS = tuple(sorted(LEVELS.values(), reverse=True))


@dataclass(frozen=True, slots=True)
class Decision:
    """What the catalogue says, and which of its rows says so."""

    rule_id: int
    version: int
    lead_unit_id: int
    lead_unit_name: str
    lead_active: bool
    assist_unit_ids: tuple[int, ...]
    assist_unit_names: tuple[str, ...]
    basis: str
    matter_prefix: str
    place_prefix: str
    #: The county's government, which gets a copy of what goes straight to a street or township (Beijing art. 12).
    copy_unit_id: int | None = None

    def reason(self) -> str | Promise:
        """One sentence for the screen: why this unit. Lazy, so that each reader gets their own language."""
        return format_lazy(
            _(
                "Edition {version} of the dispatch catalogue, row “{matter}” at “{place}”: {unit} leads. "
                "Basis: {basis}."
            ),
            version=self.version,
            matter=matters.name(self.matter_prefix)
            if self.matter_prefix
            else pgettext_lazy("row", "any matter"),
            place=place_name(self.place_prefix),
            unit=self.lead_unit_name,
            basis=self.basis,
        )


@dataclass(frozen=True, slots=True)
class Edition:
    """All rows of one edition, ready for look-up: matter prefix → place prefix → decision."""

    number: int
    rows: Mapping[str, Mapping[str, Decision]]

    def row(self, matter: str, place: str) -> Decision | None:
        """The most specific row for a matter at a place, whether or not its lead unit still stands.

        ``matter`` is a matter code of even length, ``""`` for not known; ``place`` a division or grid code.
        """
        for end in range(len(matter), -1, -2):
            by_place = self.rows.get(matter[:end])
            if by_place is None:
                continue
            for length in _PLACE_LENGTHS:
                if length <= len(place) and (found := by_place.get(place[:length])) is not None:
                    return found
        return None

    def match(self, matter: str, place: str) -> Decision | None:
        """The most specific row, or None where there is none or its lead unit has been closed."""
        found = self.row(matter, place)
        return found if found is not None and found.lead_active else None


def edition(version: Version) -> Edition:
    """Read one edition, published or not, in three queries."""
    assists: dict[int, list[tuple[int, str]]] = {}
    through = Rule.assists.through.objects.filter(rule__version=version, unit__active=True)
    for rule_id, unit_id, name in through.order_by("id").values_list("rule_id", "unit_id", "unit__name"):
        assists.setdefault(rule_id, []).append((unit_id, name))
    governments = dict(
        Unit.objects.filter(kind=Unit.Kind.GOVERNMENT, active=True).order_by("-id").values_list("place", "id")
    )
    rows: dict[str, dict[str, Decision]] = {}
    for rule_id, matter, place, basis, lead_id, lead, active, kind, home in Rule.objects.filter(
        version=version
    ).values_list(
        "id", "matter", "place", "basis", "lead_id", "lead__name", "lead__active", "lead__kind", "lead__place"
    ):
        helpers = assists.get(rule_id, ())
        rows.setdefault(matter, {})[place] = Decision(
            rule_id=rule_id,
            version=version.number,
            lead_unit_id=lead_id,
            lead_unit_name=lead,
            lead_active=active,
            assist_unit_ids=tuple(unit for unit, _name in helpers),
            assist_unit_names=tuple(name for _unit, name in helpers),
            basis=basis,
            matter_prefix=matter,
            place_prefix=place,
            copy_unit_id=governments.get(home[: LEVELS["county"]]) if kind == Unit.Kind.STREET else None,
        )
    return Edition(version.number, rows)


def _load() -> Edition:
    version = Version.objects.filter(state=Version.State.PUBLISHED).first()
    return Edition(0, {}) if version is None else edition(version)


_published = Snapshot("catalogue", _load)


def published() -> Edition:
    """The edition in force, at most a second old; where there is none, one with no rows and the number 0."""
    return _published.get()


def decide(matter: str, place: str) -> Decision | None:
    """Who answers for ``matter`` at ``place`` by the edition in force; None where a person must decide.

    Dictionary look-ups: microseconds. Where the answer is None the caller raises an alarm
    (:func:`lucheng.core.dispatch.alarms.raise_alarm`) and never falls back to a unit of its own choosing.
    """
    return published().match(matter, place)


def why_none(matter: str, place: str) -> str | Promise:
    """Why :func:`decide` gave no answer, for the alarm and the screen."""
    in_force = published()
    if in_force.number == 0:
        return _("No edition of the dispatch catalogue is in force.")
    found = in_force.row(matter, place)
    if found is not None:
        return format_lazy(
            _(
                "The dispatch catalogue names {unit}, which is closed. "
                "Name another unit, and correct the catalogue."
            ),
            unit=found.lead_unit_name,
        )
    if not matter:
        return _("The matter is not known yet, and no row holds for any matter at this place.")
    return _("No row of the dispatch catalogue fits this matter at this place.")


def recall(rule: Rule) -> Decision:
    """The decision that a stored row gave, for a case page: it stays readable in a retired edition."""
    through = Rule.assists.through.objects.filter(rule=rule).select_related("unit").order_by("id")
    helpers = [row.unit for row in through]
    return Decision(
        rule_id=rule.pk,
        version=rule.version.number,
        lead_unit_id=rule.lead_id,
        lead_unit_name=rule.lead.name,
        lead_active=rule.lead.active,
        assist_unit_ids=tuple(u.pk for u in helpers),
        assist_unit_names=tuple(u.name for u in helpers),
        basis=rule.basis,
        matter_prefix=rule.matter,
        place_prefix=rule.place,
    )
