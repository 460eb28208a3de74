"""What only this room keeps: studios, who works there in public office, their lines, and the centre where they meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry, Turn


class Organ(models.TextChoices):
    """Whose studio it is."""

    COURT = "court", pgettext_lazy("studio", "court")
    PROCURATORATE = "procuratorate", pgettext_lazy("studio", "procuratorate")
    JUSTICE = "justice", pgettext_lazy("studio", "justice bureau")
    POLICE = "police", pgettext_lazy("studio", "police")


class Speciality(models.TextChoices):
    """Kinds of dispute, by the official list of statistics, with what a city of pastures adds."""

    FAMILY = "family", pgettext_lazy("dispute", "marriage and family")
    NEIGHBOURS = "neighbours", pgettext_lazy("dispute", "neighbours")
    HOUSING = "housing", pgettext_lazy("dispute", "houses and plots")
    CONTRACT = "contract", pgettext_lazy("dispute", "contracts")
    BUSINESS = "business", pgettext_lazy("dispute", "production and trade")
    DAMAGES = "damages", pgettext_lazy("dispute", "damages")
    LAND = "land", pgettext_lazy("dispute", "land and forest")
    PASTURE = "pasture", pgettext_lazy("dispute", "pasture and livestock")
    EXPROPRIATION = "expropriation", pgettext_lazy("dispute", "expropriation and demolition")
    ENVIRONMENT = "environment", pgettext_lazy("dispute", "pollution")
    LABOUR = "labour", pgettext_lazy("dispute", "labour")
    CONSUMPTION = "consumption", pgettext_lazy("dispute", "consumers")
    MEDICAL = "medical", pgettext_lazy("dispute", "medical care")
    TRAFFIC = "traffic", pgettext_lazy("dispute", "traffic accidents")
    PROPERTY = "property", pgettext_lazy("dispute", "property management")


class Studio(Entry):
    """A studio that carries somebody's name (个人调解工作室)."""

    organ = models.CharField(_("organ"), max_length=14, choices=Organ.choices)
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("run by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    specialities = ArrayField(
        models.CharField(max_length=14, choices=Speciality.choices), verbose_name=_("specialities")
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30)

    about: ClassVar[About] = About(
        slug="studios",
        name=_("Named studios"),
        one=_("named studio"),
        edit="studios.edit",
        columns=("organ", "specialities", "phone"),
        filters=("organ", "specialities"),
        prefix="GZ",
        order=70,
    )

    class Meta(Entry.Meta):
        abstract = False


class Office(models.TextChoices):
    """In which public office somebody works in a studio."""

    JUDGE = "judge", pgettext_lazy("studio", "judge")
    PROSECUTOR = "prosecutor", pgettext_lazy("studio", "prosecutor")
    JUDICIAL_ASSISTANT = "judicial_assistant", pgettext_lazy("studio", "judicial assistant")
    POLICE_OFFICER = "police_officer", pgettext_lazy("studio", "police officer")
    CLERK = "clerk", pgettext_lazy("studio", "clerk or assistant")
    MEDIATOR = "mediator", pgettext_lazy("studio", "people's mediator")


#: Offices that there are in one organ alone; clerks and mediators work in every studio.
_OF: Mapping[Office, Organ] = {
    Office.JUDGE: Organ.COURT,
    Office.PROSECUTOR: Organ.PROCURATORATE,
    Office.JUDICIAL_ASSISTANT: Organ.JUSTICE,
    Office.POLICE_OFFICER: Organ.POLICE,
}


class StudioMember(Entry):
    """Somebody who works in a studio in public office; the entry's name is theirs, as the studio's notice shows it."""

    studio = models.ForeignKey(Studio, models.PROTECT, verbose_name=_("studio"), related_name="members")
    office = models.CharField(_("office"), max_length=20, choices=Office.choices)
    leads = models.BooleanField(_("leads the studio"), default=False)

    about: ClassVar[About] = About(
        slug="studio-members",
        name=_("People of the studios"),
        one=_("member of a studio"),
        edit="studios.edit",
        columns=("studio", "office", "leads"),
        filters=("office",),
        prefix="GR",
        order=71,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Judges work in a court's studio, prosecutors in a procuratorate's, and so on."""
        wrong = self.misfits(self.studio)
        if _OF.get(Office(self.office), self.studio.organ) != self.studio.organ:
            wrong["office"] = _("There is no such office in the studio's organ.")
        return wrong


class Line(models.TextChoices):
    """The five lines on which a studio is reached (五线)."""

    REMOTE = "remote", pgettext_lazy("service line", "remote")
    ON_SITE = "on_site", pgettext_lazy("service line", "on-site")
    SELF_SERVICE = "self_service", pgettext_lazy("service line", "self-service")
    STATIONED = "stationed", pgettext_lazy("service line", "stationed")
    DEDICATED = "dedicated", pgettext_lazy("service line", "dedicated")


class ServiceLine(Entry):
    """One of the five lines as one studio offers it."""

    studio = models.ForeignKey(Studio, models.PROTECT, verbose_name=_("studio"), related_name="lines")
    line = models.CharField(_("line"), max_length=12, choices=Line.choices)
    how = models.CharField(
        _("how it is used"), max_length=200, help_text=_("Where to go, what to open or which number to call.")
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)

    about: ClassVar[About] = About(
        slug="service-lines",
        name=_("Service lines of the studios"),
        one=_("service line"),
        edit="studios.edit",
        columns=("studio", "line", "how"),
        filters=("line",),
        prefix="XL",
        order=72,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A line is offered while its studio stands, anywhere: whoever is stationed is away from the studio."""
        wrong = self.misfits(self.studio)
        wrong.pop("place", None)
        return wrong


class MediationCentre(Entry):
    """The centre where the studios mediate together (联合调解中心)."""

    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("run by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30)

    about: ClassVar[About] = About(
        slug="mediation-centres",
        name=_("Joint mediation centres"),
        one=_("joint mediation centre"),
        edit="studios.edit",
        columns=("unit", "hours", "phone"),
        prefix="TJ",
        order=73,
    )

    class Meta(Entry.Meta):
        abstract = False


class MediationRoom(Entry):
    """A room of a joint mediation centre."""

    centre = models.ForeignKey(
        MediationCentre, models.PROTECT, verbose_name=_("joint mediation centre"), related_name="rooms"
    )
    seats = models.PositiveSmallIntegerField(
        _("seats"), validators=[MinValueValidator(2), MaxValueValidator(200)]
    )
    video = models.BooleanField(
        _("video link"), default=False, help_text=_("Parties who are away can take part.")
    )
    step_free = models.BooleanField(_("step-free"), default=False)

    about: ClassVar[About] = About(
        slug="mediation-rooms",
        name=_("Rooms of the joint mediation centres"),
        one=_("mediation room"),
        edit="studios.edit",
        columns=("centre", "seats", "video", "step_free"),
        prefix="TS",
        order=74,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A room is its centre's."""
        return self.misfits(self.centre)


class MediationTurn(Turn):
    """A studio's turn in a room of a joint mediation centre."""

    room = models.ForeignKey(
        MediationRoom, models.PROTECT, verbose_name=_("mediation room"), related_name="turns"
    )
    studio = models.ForeignKey(Studio, models.PROTECT, verbose_name=_("studio"), related_name="turns")

    about: ClassVar[About] = About(
        slug="mediation-roster",
        name=_("Roster of joint mediation"),
        one=_("turn of a studio"),
        edit="studios.edit",
        columns=("weekdays", "begins", "ends", "room", "studio"),
        filters=("weekdays",),
        prefix="TB",
        order=75,
        on_map=False,
    )

    class Meta(Turn.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A turn is in a room that there is, by a studio that stands; it may come from elsewhere."""
        studio = self.misfits(self.studio)
        studio.pop("place", None)
        return {**studio, **self.misfits(self.room), **super().faults()}
