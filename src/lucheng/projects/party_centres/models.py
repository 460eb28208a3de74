"""What only this room keeps: the centres."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry


class Level(models.TextChoices):
    """The seven levels on which a city runs centres."""

    CITY = "city", pgettext_lazy("centre", "city")
    COUNTY = "county", pgettext_lazy("centre", "banner, county or district")
    SUBDISTRICT = "subdistrict", pgettext_lazy("centre", "sub-district")
    TOWNSHIP = "township", pgettext_lazy("centre", "sumu or township")
    COMMUNITY = "community", pgettext_lazy("centre", "urban community")
    VILLAGE = "village", pgettext_lazy("centre", "gacha or village")
    ORGANISATION = "organisation", pgettext_lazy("centre", "enterprise or social organisation")


class Access(models.TextChoices):
    """What lets everybody in (Barrier-Free Environment Construction Law, 无障碍环境建设法)."""

    STEP_FREE = "step_free", pgettext_lazy("access", "step-free entrance")
    LIFT = "lift", pgettext_lazy("access", "lift")
    TOILET = "toilet", pgettext_lazy("access", "accessible toilet")
    TACTILE = "tactile", pgettext_lazy("access", "tactile paving")
    HEARING = "hearing", pgettext_lazy("access", "help for the hard of hearing")
    LOW_COUNTER = "low_counter", pgettext_lazy("access", "low counter")


class Centre(Entry):
    """A party-service centre."""

    level = models.CharField(_("level"), max_length=12, choices=Level.choices)
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
        models.CharField(max_length=40),
        verbose_name=_("services"),
        default=list,
        blank=True,
        help_text=_("What people come for, with 、 between."),
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)
    area = models.PositiveIntegerField(
        _("floor area (m²)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    access = ArrayField(
        models.CharField(max_length=12, choices=Access.choices),
        verbose_name=_("accessibility"),
        default=list,
        blank=True,
    )
    standard_since = models.DateField(
        _("to the standard since"),
        null=True,
        blank=True,
        help_text=_("The day on which it was found to run to the city's standard."),
    )

    about: ClassVar[About] = About(
        slug="centres",
        name=_("Party-service centres"),
        one=_("party-service centre"),
        edit="party_centres.edit",
        columns=("level", "phone", "standard_since"),
        filters=("level", "access"),
        prefix="DQ",
        order=10,
    )

    class Meta(Entry.Meta):
        abstract = False
        # A choice that few entries have would else be looked for among all that stand before them.
        indexes: ClassVar = [
            *Entry.Meta.indexes,
            models.Index(fields=["level", "place", "code"], name="centre_level"),
        ]

    def faults(self) -> dict[str, Text]:
        """A centre is found to the standard on a day on which it stands."""
        if self.standard_since is not None and self.standard_since < self.valid_from:
            return {"standard_since": _("This lies before the centre's first day.")}
        return {}


class Demonstration(Entry):
    """A sub-district or community chosen as a demonstration site, and why."""

    batch = models.PositiveSmallIntegerField(
        _("batch"), validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    reason = models.TextField(_("reason for the choice"), max_length=2000)

    about: ClassVar[About] = About(
        slug="demonstration-sites",
        name=_("Demonstration sites"),
        one=pgettext_lazy("centre", "demonstration site"),
        edit="party_centres.edit",
        columns=("batch",),
        prefix="SF",
        order=11,
    )

    class Meta(Entry.Meta):
        abstract = False


class Upgrade(Entry):
    """The upgrade of a community's cramped premises, from the need to the acceptance."""

    centre = models.ForeignKey(
        Centre, models.PROTECT, verbose_name=_("centre"), null=True, blank=True, related_name="upgrades"
    )
    need = models.TextField(_("what is lacking"), max_length=2000)
    area_before = models.PositiveIntegerField(
        _("floor area before (m²)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    area_after = models.PositiveIntegerField(
        _("floor area after (m²)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    due = models.DateField(pgettext_lazy("upgrade", "due"), null=True, blank=True)
    begun = models.DateField(pgettext_lazy("upgrade", "works begun"), null=True, blank=True)
    accepted = models.DateField(pgettext_lazy("upgrade", "accepted"), null=True, blank=True)
    evidence = models.CharField(pgettext_lazy("upgrade", "record of acceptance"), max_length=300, blank=True)

    about: ClassVar[About] = About(
        slug="premises-upgrades",
        name=_("Upgrades of premises"),
        one=pgettext_lazy("centre", "upgrade"),
        edit="party_centres.edit",
        columns=("due", "begun", "accepted"),
        prefix="TS",
        order=12,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Works begin before they are accepted, and what is accepted is on record."""
        wrong: dict[str, Text] = {}
        if self.accepted is not None:
            if self.begun is None or self.begun > self.accepted:
                wrong["begun"] = _("Say when the works began, before they were accepted.")
            if not self.evidence.strip():
                wrong["evidence"] = _("Name the record of the acceptance.")
        return wrong
