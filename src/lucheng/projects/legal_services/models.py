"""What only this room keeps: outlets, the lawyers on duty there, village advisers and the pool of mediators."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.places.models import LEVELS
from lucheng.core.registers.models import About, Entry, Turn


class Level(models.TextChoices):
    """The four levels on which a city runs outlets."""

    CITY = "city", pgettext_lazy("legal outlet", "city centre")
    COUNTY = "county", pgettext_lazy("legal outlet", "county centre")
    TOWNSHIP = "township", pgettext_lazy("legal outlet", "station in a sub-district or township")
    VILLAGE = "village", pgettext_lazy("legal outlet", "room in a community or village")


#: The digits in the code of a place that has an outlet of each level.
_DIGITS = {
    Level.CITY: LEVELS["city"],
    Level.COUNTY: LEVELS["county"],
    Level.TOWNSHIP: LEVELS["township"],
    Level.VILLAGE: LEVELS["community"],
}


class Service(models.TextChoices):
    """What people come for."""

    PUBLICITY = "publicity", pgettext_lazy("legal service", "knowing the law")
    LAWYER = "lawyer", pgettext_lazy("legal service", "advice by a lawyer")
    AID = "aid", pgettext_lazy("legal service", "legal aid")
    NOTARY = "notary", pgettext_lazy("legal service", "notary")
    MEDIATION = "mediation", pgettext_lazy("legal service", "people's mediation")
    ADVISER = "adviser", pgettext_lazy("legal service", "village or community adviser")
    ARBITRATION = "arbitration", pgettext_lazy("legal service", "arbitration")
    APPRAISAL = "appraisal", pgettext_lazy("legal service", "judicial appraisal")
    EXAMINATION = "examination", pgettext_lazy("legal service", "legal examination")


class LegalOutlet(Entry):
    """A centre, station or room of public legal services."""

    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("run by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    services = ArrayField(
        models.CharField(max_length=12, choices=Service.choices), verbose_name=_("legal services")
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)
    postcode = models.CharField(
        _("postcode"),
        max_length=6,
        blank=True,
        validators=[RegexValidator(r"^\d{6}$", _("Write six digits."))],
    )
    area = models.PositiveIntegerField(
        _("floor area (m²)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )

    about: ClassVar[About] = About(
        slug="legal-outlets",
        name=_("Public legal services: centres, stations and rooms"),
        one=_("legal-service outlet"),
        edit="legal_services.edit",
        columns=("level", "services", "phone"),
        filters=("level", "services"),
        prefix="FL",
        order=80,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Each level stands at a place of its own: a station in a township, a room in a village."""
        if len(self.place) != _DIGITS[Level(self.level)]:
            return {"place": _("An outlet of this level stands at another kind of place.")}
        return {}


class DutyLawyer(Turn):
    """A lawyer's turn at an outlet; the entry's name is the lawyer's, as the outlet's notice shows it."""

    outlet = models.ForeignKey(LegalOutlet, models.PROTECT, verbose_name=_("outlet"), related_name="duties")
    firm = models.CharField(_("law firm or office"), max_length=80)

    about: ClassVar[About] = About(
        slug="legal-duty",
        name=_("Lawyers on duty"),
        one=_("lawyer's turn"),
        edit="legal_services.edit",
        columns=("weekdays", "begins", "ends", "outlet", "firm"),
        filters=("weekdays",),
        prefix="ZB",
        order=81,
        on_map=False,
    )

    class Meta(Turn.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A turn is at an outlet that stands, where lawyers advise."""
        wrong = {**self.misfits(self.outlet), **super().faults()}
        if Service.LAWYER not in self.outlet.services:
            wrong["outlet"] = _("No lawyer advises at this outlet.")
        return wrong


class Standing(models.TextChoices):
    """By what right somebody gives legal advice for a living."""

    LAWYER = "lawyer", pgettext_lazy("legal adviser", "lawyer")
    LEGAL_WORKER = "legal_worker", pgettext_lazy("legal adviser", "basic-level legal worker")


class LegalAdviser(Entry):
    """The adviser of one village or community for the time of a contract; the entry's name is the adviser's."""

    standing = models.CharField(_("standing"), max_length=12, choices=Standing.choices)
    firm = models.CharField(_("law firm or office"), max_length=80)
    phone = models.CharField(_("office telephone"), max_length=30)
    there = models.CharField(
        _("when there"), max_length=120, blank=True, help_text=_("When people find the adviser in the place.")
    )

    about: ClassVar[About] = About(
        slug="legal-advisers",
        name=_("Village and community legal advisers"),
        one=_("legal adviser"),
        edit="legal_services.edit",
        columns=("standing", "firm", "phone", "valid_to"),
        filters=("standing",),
        prefix="GW",
        order=82,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """An adviser is a village's or community's own, by a contract that has an end."""
        wrong: dict[str, Text] = {}
        if len(self.place) != LEVELS["community"]:
            wrong["place"] = _("An adviser is of one village or community.")
        if self.valid_to is None:
            wrong["valid_to"] = _("Write the day on which the contract ends.")
        return wrong


class Field(models.TextChoices):
    """What a mediator of the pool knows about (the fields that mediation laws name, and the city's own)."""

    LAW = "law", pgettext_lazy("field of mediation", "law")
    MEDICAL = "medical", pgettext_lazy("field of mediation", "medical care")
    TRAFFIC = "traffic", pgettext_lazy("field of mediation", "traffic accidents")
    LABOUR = "labour", pgettext_lazy("field of mediation", "labour and wages")
    FAMILY = "family", pgettext_lazy("field of mediation", "marriage and family")
    PROPERTY = "property", pgettext_lazy("field of mediation", "housing and property management")
    LAND = "land", pgettext_lazy("field of mediation", "land and pasture")
    CONSUMER = "consumer", pgettext_lazy("field of mediation", "consumers")
    BUILDING = "building", pgettext_lazy("field of mediation", "building contracts")


class MediatorGrade(models.TextChoices):
    """Grades of people's mediators; the first is the highest."""

    FIRST = "1", pgettext_lazy("mediator", "first grade")
    SECOND = "2", pgettext_lazy("mediator", "second grade")
    THIRD = "3", pgettext_lazy("mediator", "third grade")
    FOURTH = "4", pgettext_lazy("mediator", "fourth grade")


class MediationExpert(Entry):
    """A mediator of the expert pool, whom parties may choose; the entry's name is the mediator's."""

    fields = ArrayField(
        models.CharField(max_length=10, choices=Field.choices), verbose_name=_("fields of mediation")
    )
    post = models.CharField(
        _("office or post"), max_length=80, help_text=_("What the mediator is by profession, and where.")
    )
    grade = models.CharField(_("grade of mediator"), max_length=1, choices=MediatorGrade.choices, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30)

    about: ClassVar[About] = About(
        slug="mediation-experts",
        name=_("Expert pool of mediators"),
        one=_("expert mediator"),
        edit="legal_services.edit",
        columns=("fields", "post", "grade", "phone"),
        filters=("fields", "grade"),
        prefix="ZJ",
        order=83,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False
