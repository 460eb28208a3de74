"""What only this room keeps: which organs serve down in which grids, with how many Party members. Numbers, no names."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.places.models import LEVELS
from lucheng.core.registers.models import About, Entry


class Organ(Entry):
    """An organ, enterprise or institution that has reported to serve where it stands and where its members live."""

    class Kind(models.TextChoices):
        ORGAN = "organ", pgettext_lazy("organ", "Party or government organ")
        INSTITUTION = "institution", pgettext_lazy("organ", "institution")
        ENTERPRISE = "enterprise", pgettext_lazy("organ", "enterprise")

    kind = models.CharField(pgettext_lazy("organ", "kind"), max_length=12, choices=Kind.choices)
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("its unit here"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Where it is one of the units that handle cases."),
    )
    party_members = models.PositiveIntegerField(
        _("Party members"), help_text=_("How many it has in all: a number, no names.")
    )
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)

    about: ClassVar[About] = About(
        slug="organs",
        name=_("Organs serving down"),
        one=_("organ serving down"),
        edit="grids.edit",
        columns=("kind", "party_members", "phone"),
        filters=("kind",),
        prefix="XC",
        order=20,
    )

    class Meta(Entry.Meta):
        abstract = False


class Service(Entry):
    """How many members of one organ serve in one grid or community, and with what."""

    organ = models.ForeignKey(
        Organ,
        models.PROTECT,
        verbose_name=_("organ serving down"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    members = models.PositiveIntegerField(
        _("Party members serving"), validators=[MinValueValidator(1, _("At least one."))]
    )
    doing = models.CharField(
        _("what they do"), max_length=200, blank=True, help_text=_("What the community asked for.")
    )

    about: ClassVar[About] = About(
        slug="services",
        name=_("Serving down in grids"),
        one=_("service in a grid"),
        edit="grids.edit",
        columns=("organ", "members", "doing"),
        prefix="FW",
        order=21,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Service is in a grid or community, by an organ that has reported, with no more members than it has."""
        wrong: dict[str, Text] = {}
        if len(self.place) < LEVELS["community"]:
            wrong["place"] = _("Choose the grid or the community.")
        if not self.organ.in_force(self.valid_from):
            wrong["valid_from"] = format_lazy(
                _("{organ} does not serve down on this day."), organ=str(self.organ)
            )
        if self.members > self.organ.party_members:
            wrong["members"] = format_lazy(
                _("This organ has {most} Party members in all."), most=self.organ.party_members
            )
        return wrong
