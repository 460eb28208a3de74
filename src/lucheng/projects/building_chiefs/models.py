"""What only this room keeps: who is chief of which buildings, and what their visits came to, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Text
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS
from lucheng.core.registers.columns import BETWEEN
from lucheng.core.registers.models import About, Entry
from lucheng.projects.building_chiefs import stock
from lucheng.projects.building_chiefs.stock import Counts


class Chief(Entry):
    """An officer in charge of an estate, or of some of its buildings. Several may share one estate."""

    estate = models.CharField(
        _("estate"),
        max_length=60,
        db_index=True,
        help_text=_("Its name, as the map and the addresses have it."),
    )
    buildings = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("buildings"),
        default=list,
        blank=True,
        help_text=_("Those in charge, with 、 between; empty for the whole estate."),
    )
    officer = models.CharField(_("officer"), max_length=40)
    badge = models.CharField(
        _("badge number"),
        max_length=8,
        validators=[RegexValidator(r"^\d{6,8}$", _("A badge number has six to eight digits."))],
    )
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("police unit"),
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    phone = models.CharField(
        _("office telephone"), max_length=30, help_text=_("The office's or the post's, never a private one.")
    )

    about: ClassVar[About] = About(
        slug="chiefs",
        name=_("Building-chief officers"),
        one=_("building-chief officer"),
        edit="building_chiefs.edit",
        columns=("estate", "officer", "phone"),
        prefix="LZ",
        order=50,
    )

    class Meta(Entry.Meta):
        abstract = False

    def charge(self) -> Mapping[str, Counts]:
        """The buildings in charge, with who lives in them as numbers."""
        there = stock.buildings(self.place, self.estate) or {}
        return {name: there[name] for name in self.buildings if name in there} if self.buildings else there

    def faults(self) -> dict[str, Text]:
        """A chief serves in the police, for buildings that stand in one community."""
        wrong: dict[str, Text] = {}
        if self.unit.kind != Unit.Kind.POLICE:
            wrong["unit"] = _("A building chief serves in a unit of the police.")
        if len(self.place) < LEVELS["community"]:
            wrong["place"] = _("Choose the community in which the estate lies.")
            return wrong
        there = stock.buildings(self.place, self.estate)
        if there is None:
            wrong["estate"] = _("No estate in this community has this name.")
        elif unknown := [name for name in self.buildings if name not in there]:
            wrong["buildings"] = format_lazy(
                _("There is no {unknown} in this estate. There are: {known}"),
                unknown=BETWEEN.join(unknown),
                known=BETWEEN.join(there),
            )
        return wrong


class Visit(Entry):
    """What one round of visits came to. People are counted; nobody is recorded."""

    chief = models.ForeignKey(
        Chief,
        models.PROTECT,
        verbose_name=_("building-chief officer"),
        related_name="+",
        help_text=_("The code of the officer's entry."),
    )
    building = models.CharField(
        _("building"), max_length=40, blank=True, help_text=_("Empty where the round went through several.")
    )
    households = models.PositiveIntegerField(_("households visited"))
    people = models.PositiveIntegerField(
        _("people counted"), default=0, blank=True, help_text=_("A number only: nobody is recorded.")
    )
    hazards = models.PositiveSmallIntegerField(
        _("hazards found"), default=0, blank=True, help_text=_("Report each as a case: here it only counts.")
    )
    opinions = models.PositiveSmallIntegerField(_("opinions and suggestions"), default=0, blank=True)

    about: ClassVar[About] = About(
        slug="visits",
        name=_("Visits of building-chief officers"),
        one=_("visit"),
        edit="building_chiefs.visit",
        columns=("chief", "households", "hazards", "opinions"),
        prefix="ZF",
        order=51,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A visit is made by whoever is chief on its day, in their buildings, and counts no more than live there."""
        chief, wrong = self.chief, dict[str, Text]()
        if not chief.in_force(self.valid_from):
            wrong["valid_from"] = format_lazy(_("{chief} is not in post on this day."), chief=str(chief))
        if not self.place.startswith(chief.place[: LEVELS["community"]]):
            wrong["place"] = format_lazy(_("The buildings of {chief} do not lie here."), chief=str(chief))
        charge = chief.charge()
        if self.building:
            if self.building not in charge:
                wrong["building"] = format_lazy(
                    _("This building is not in this officer's charge. There are: {known}"),
                    known=BETWEEN.join(charge),
                )
                return wrong
            charge = {self.building: charge[self.building]}
        for name, most in (
            ("households", sum(c.households for c in charge.values())),
            ("people", sum(c.residents for c in charge.values())),
        ):
            if getattr(self, name) > most:
                wrong[name] = format_lazy(_("More than live there: {most}."), most=most)
        if self.people and not self.households:
            wrong.setdefault("households", _("People were counted, but no household was visited."))
        return wrong
