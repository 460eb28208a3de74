"""A register, made from its model: which there are, what their columns are, who may read and write them where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.apps import apps
from django.db.models import Field, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Forbidden, NotFound, Text
from lucheng.core.fields import within
from lucheng.core.organisation.access import Scope
from lucheng.core.places import locate
from lucheng.core.registers.columns import Column, Lookups, Wrong
from lucheng.core.registers.models import About, Entry, EntryQuerySet

#: Fields of every entry that stand after its own.
_LAST = ("lon", "lat", "valid_from", "valid_to")


@dataclass(frozen=True)
class Register:
    """One register and what follows from its model."""

    model: type[Entry]

    @property
    def about(self) -> About:
        return self.model.about

    @property
    def slug(self) -> str:
        return self.model.about.slug

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What people write, in the order of forms and sheets: code, name, place, what is its own, point and days.

        A register that stands on no map has no address and no point: nobody can write one, on a form, in a sheet or
        over the API.
        """
        shared = [f.name for f in Entry._meta.get_fields()]
        own = [
            f
            for f in self.model._meta.get_fields()
            if isinstance(f, Field) and f.editable and not f.primary_key
            if self.about.on_map or f.name not in ("address", "lon", "lat")
        ]
        first = [f for f in own if f.name in shared and f.name not in _LAST]
        last = [f for f in own if f.name in _LAST]
        return tuple(Column(f) for f in (*first, *(f for f in own if f.name not in shared), *last))

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {c.name: c for c in self.columns}

    def rows(self, reader: Scope | None) -> EntryQuerySet[Any]:
        """The entries that ``reader`` may read: the one way to rows. None is the operator of the machine."""
        rows: EntryQuerySet[Any] = self.model.objects.get_queryset()
        if reader is None:
            return rows
        if not self.about.view:
            return rows if reader.grants else rows.none()
        places = sorted({g.place for g in reader.grants if self.about.view in g.capabilities})
        if not places:
            return rows.none()
        sight = Q()
        for place in places:
            sight |= within("place", place)
        return rows.filter(sight)

    def opens(self, reader: Scope) -> bool:
        """Whether ``reader`` may read any of it."""
        return reader.can(self.about.view) if self.about.view else bool(reader.grants)

    def may_write(self, reader: Scope | None, place: str) -> bool:
        return reader is None or reader.covers(self.about.edit, place)

    def require_keeper(self, reader: Scope) -> None:
        """Raises Forbidden unless ``reader`` may write anywhere."""
        if not reader.can(self.about.edit):
            raise Forbidden(_("Your posts do not let you write in this register."))

    def require(self, reader: Scope | None, *places: str) -> None:
        """Raises Forbidden unless ``reader`` may write at each of ``places``."""
        if not all(self.may_write(reader, place) for place in places):
            raise Forbidden(_("Your posts do not let you write in this register at this place."))

    def read(self, given: Mapping[str, Any], lookups: Lookups) -> tuple[dict[str, Any], dict[str, Text]]:
        """The values that ``given`` stands for by the columns' names, and what is wrong by column. What is not given
        is as good as empty."""
        values: dict[str, Any] = {}
        wrong: dict[str, Text] = {}
        for column in self.columns:
            try:
                values[column.name] = column.read(given.get(column.name), lookups)
            except Wrong as said:
                wrong[column.name] = said.text
        return values, wrong

    def faults(self, entry: Entry, *, point: str | None = None) -> dict[str, Text]:
        """What is wrong with ``entry`` as a whole. ``point`` is the place at its point where that is known already,
        empty where it lies nowhere."""
        wrong: dict[str, Text] = {}
        if entry.valid_to is not None and entry.valid_to <= entry.valid_from:
            wrong["valid_to"] = _("This lies before the first day.")
        if (entry.lon is None) != (entry.lat is None):
            wrong["lon"] = _("A point has both a longitude and a latitude.")
        elif entry.lon is not None and entry.lat is not None:
            found = locate.locate_point(entry.lon, entry.lat) if point is None else point
            if not found:
                wrong["lon"] = _("This point lies outside the city: choose a place inside it.")
            elif not (found.startswith(entry.place) or entry.place.startswith(found)):
                wrong["lon"] = format_lazy(
                    _("This point lies in {found}, not in the place given. Correct one of them."), found=found
                )
        return {**entry.faults(), **wrong}

    def said(self, entry: Entry) -> dict[str, Any]:
        """All that ``entry`` says, as JSON by the columns' names."""
        return {c.name: c.said(entry) for c in self.columns}

    @cached_property
    def related(self) -> tuple[str, ...]:
        """Fields that lead to other records, for one query."""
        return tuple(c.name for c in self.columns if c.kind in ("unit", "entry"))


@cache
def registers() -> Mapping[str, Register]:
    """Every register by its slug, in their order. Raises ValueError where two have the same."""
    found: dict[str, Register] = {}
    models = [m for m in apps.get_models() if issubclass(m, Entry)]
    for model in sorted(models, key=lambda m: (m.about.order, m.about.slug)):
        if model.about.slug in found:
            raise ValueError(f"two registers are called {model.about.slug}")
        found[model.about.slug] = Register(model)
    return found


def named(slug: str) -> Register:
    """The register called ``slug``. Raises NotFound."""
    register = registers().get(slug)
    if register is None:
        raise NotFound(_("There is no such register."))
    return register


def terms(*texts: str) -> list[str]:
    """What a text is found by: each character and each two beside each other, in lower case, without spaces.

    >>> terms("东河 党群")
    ['东', '东河', '党', '党群', '河', '群']
    """
    found: set[str] = set()
    for text in texts:
        for word in text.casefold().split():
            found |= set(word) | {word[i : i + 2] for i in range(len(word) - 1)}
    return sorted(found)
