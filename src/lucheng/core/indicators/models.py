"""What only figures keep: their targets, and what they came to day by day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.fields import PrefixField
from lucheng.core.registers.models import About, Entry


class Target(Entry):
    """What an indicator is to come to at a place while the target holds."""

    indicator = models.CharField(
        _("figure"), max_length=60, help_text=_("Its id, as the list of figures shows it.")
    )
    at_least = models.FloatField(_("at least"), null=True, blank=True)
    at_most = models.FloatField(_("at most"), null=True, blank=True)
    basis = models.CharField(_("decided by"), max_length=200, blank=True)

    about: ClassVar[About] = About(
        slug="targets",
        name=_("Targets"),
        one=pgettext_lazy("indicator", "target"),
        edit="programme.edit",
        columns=("indicator", "at_least", "at_most"),
        prefix="MB",
        order=7,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A target is of a figure that there is, and asks for something."""
        from lucheng.core.indicators.indicator import indicators

        wrong: dict[str, Text] = {}
        if self.indicator not in indicators():
            wrong["indicator"] = _("There is no such figure.")
        if self.at_least is None and self.at_most is None:
            wrong["at_least"] = _("Say what it is to come to, at least or at most.")
        elif self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            wrong["at_most"] = _("This is less than the other.")
        return wrong

    def met_by(self, value: float | None) -> bool | None:
        """Whether ``value`` lies where it should; None where nothing is known."""
        if value is None:
            return None
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


class Day(models.Model):
    """What an indicator came to at a place on one day: the counts, from which the value follows."""

    indicator = models.CharField(max_length=60)
    place = PrefixField()
    day = models.DateField()
    numerator = models.FloatField()
    denominator = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["indicator", "place", "day"], name="indicator_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.place} {self.day}"


class BulletinText(models.Model):
    """One edition of the template of the city's bulletin, as it was loaded."""

    number = models.PositiveIntegerField(unique=True)
    text = models.TextField(help_text="TOML: title, names, parts")
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.number)
