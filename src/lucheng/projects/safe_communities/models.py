"""What only this room keeps: criteria, committees' statements and their reviews, priorities with tasks, campaigns.

A statement is a committee's own yes or no about its place (docs/rights.md). Nothing here is derived from cases, and
nobody is named.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import LEVELS
from lucheng.core.registers.models import About, Entry


class Criterion(models.TextChoices):
    """The seven on which a safe village or community is assessed (七无). Each is said of a place, never of a person."""

    PETITIONING = "petitioning", pgettext_lazy("criterion", "no unlawful petitioning")
    CRIME = "crime", pgettext_lazy("criterion", "no criminal case")
    CULT = "cult", pgettext_lazy("criterion", "no cult")
    GANG = "gang", pgettext_lazy("criterion", "no gangs")
    ACCIDENT = "accident", pgettext_lazy("criterion", "no public-safety accident")
    DRUGS = "drugs", pgettext_lazy("criterion", "no harm by drugs")
    MASS_INCIDENT = "mass_incident", pgettext_lazy("criterion", "no mass incident")


class Standard(Entry):
    """How the city words one of the seven criteria, and what a committee is to look at before it says yes."""

    criterion = models.CharField(
        pgettext_lazy("safe places", "criterion"), max_length=14, choices=Criterion.choices
    )
    evidence = models.TextField(
        _("evidence asked for"),
        max_length=1000,
        help_text=_("Papers and visits. Complaints and petitions are no evidence of anything."),
    )

    about: ClassVar[About] = About(
        slug="safe-criteria",
        name=_("Criteria of safe places"),
        one=_("criterion of safe places"),
        edit="safe_communities.edit",
        columns=("criterion",),
        filters=("criterion",),
        prefix="BZ",
        order=30,
    )

    class Meta(Entry.Meta):
        abstract = False


class Statement(Entry):
    """What the committee of one community or village says of its place for one year."""

    year = models.PositiveSmallIntegerField(
        pgettext_lazy("safe places", "year"), validators=[MinValueValidator(2000), MaxValueValidator(2100)]
    )
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=pgettext_lazy("safe places", "committee"),
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    met = ArrayField(
        models.CharField(max_length=14, choices=Criterion.choices),
        verbose_name=_("criteria met"),
        default=list,
        blank=True,
    )
    evidence = models.TextField(
        pgettext_lazy("safe places", "evidence"),
        max_length=4000,
        help_text=_("What the committee has looked at. No names of residents."),
    )
    to_do = models.TextField(
        _("what is to be done"), max_length=4000, blank=True, help_text=_("Where a criterion is not met.")
    )

    about: ClassVar[About] = About(
        slug="safe-statements",
        name=_("Committees' statements on safety"),
        one=_("statement on safety"),
        edit="safe_communities.state",
        columns=("year", "unit"),
        filters=("met",),
        prefix="PA",
        order=31,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A committee speaks of its own place and year, and says what it will do about what it has not met."""
        wrong: dict[str, Text] = {}
        if len(self.place) != LEVELS["community"]:
            wrong["place"] = _("Choose the community, village or gacha.")
        elif self.unit.place != self.place or self.unit.kind != Unit.Kind.COMMUNITY:
            wrong["unit"] = _("The committee of this place states this itself.")
        if self.valid_from.year not in (self.year, self.year + 1):
            wrong["year"] = _("A statement is made in its year or in the one after.")
        if set(self.met) != set(Criterion.values) and not self.to_do:
            wrong["to_do"] = _("Say what is to be done about the criteria that are not met.")
        return wrong


class Review(Entry):
    """What an office above a committee found when it looked at a statement."""

    class Result(models.TextChoices):
        CONFIRMED = "confirmed", pgettext_lazy("review", "confirmed")
        SENT_BACK = "sent_back", pgettext_lazy("review", "sent back")

    statement = models.ForeignKey(
        Statement,
        models.PROTECT,
        verbose_name=_("statement on safety"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=pgettext_lazy("safe places", "reviewed by"),
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    result = models.CharField(pgettext_lazy("safe places", "result"), max_length=10, choices=Result.choices)
    looked_at = models.TextField(
        _("what was looked at"), max_length=2000, help_text=_("And, where it is sent back, what is missing.")
    )

    about: ClassVar[About] = About(
        slug="safe-reviews",
        name=_("Reviews of statements on safety"),
        one=_("review of a statement"),
        edit="safe_communities.edit",
        columns=("statement", "unit", "result"),
        filters=("result",),
        prefix="FH",
        order=32,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Nobody reviews what they have said themselves: the office stands over the place, and looks afterwards."""
        wrong: dict[str, Text] = {}
        if self.place != self.statement.place:
            wrong["place"] = format_lazy(_("The statement is of {place}."), place=self.statement.place)
        above = self.statement.place.startswith(self.unit.place) and self.unit.place != self.statement.place
        if not above:
            wrong["unit"] = _("An office above the committee reviews its statement.")
        if self.valid_from < self.statement.valid_from:
            wrong["valid_from"] = _("This lies before the statement.")
        return wrong


class Priority(Entry):
    """A type of problem that is given priority, or a type of rural area that is put in order; the city names them."""

    class Kind(models.TextChoices):
        PROBLEM = "problem", pgettext_lazy("priority", "type of problem")
        AREA = "area", pgettext_lazy("priority", "type of key area")

    kind = models.CharField(pgettext_lazy("priority", "kind"), max_length=8, choices=Kind.choices)
    approved_by = models.CharField(_("decided by"), max_length=200, blank=True)

    about: ClassVar[About] = About(
        slug="safe-priorities",
        name=_("Priorities of putting in order"),
        one=pgettext_lazy("safe places", "priority"),
        edit="safe_communities.edit",
        columns=("kind", "approved_by"),
        filters=("kind",),
        prefix="ZD",
        order=33,
    )

    class Meta(Entry.Meta):
        abstract = False


class Task(Entry):
    """One thing to be put in order at a place: by whom, until when, and what came of it."""

    priority = models.ForeignKey(
        Priority,
        models.PROTECT,
        verbose_name=pgettext_lazy("safe places", "priority"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    owner = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("answerable unit"),
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    due = models.DateField(_("to be done by"))
    done_on = models.DateField(pgettext_lazy("safe places", "done on"), null=True, blank=True)
    outcome = models.TextField(_("what came of it"), max_length=2000, blank=True)

    about: ClassVar[About] = About(
        slug="safe-tasks",
        name=_("Tasks of putting in order"),
        one=_("task of putting in order"),
        edit="safe_communities.edit",
        columns=("priority", "owner", "due", "done_on"),
        prefix="RW",
        order=34,
    )

    class Meta(Entry.Meta):
        abstract = False
        indexes: ClassVar[list[models.Index]] = [
            *Entry.Meta.indexes,
            models.Index(fields=["due"], name="task_due"),
        ]

    def faults(self) -> dict[str, Text]:
        """A task serves a priority in force there, has an owner who answers for the place, and ends with an outcome."""
        wrong: dict[str, Text] = {}
        if not self.priority.in_force(self.valid_from) or not self.place.startswith(self.priority.place):
            wrong["priority"] = _("This priority does not hold here on this day.")
        if not self.place.startswith(self.owner.place):
            wrong["owner"] = _("This unit does not answer for the place.")
        if self.due < self.valid_from:
            wrong["due"] = _("This lies before the task's first day.")
        if self.done_on is not None and self.done_on < self.valid_from:
            wrong["done_on"] = _("This lies before the task's first day.")
        if self.done_on is not None and not self.outcome:
            wrong["outcome"] = _("Say what came of it.")
        return wrong


class Campaign(Entry):
    """A campaign over an area, from its first day until it has ended."""

    lead = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=pgettext_lazy("safe places", "led by"),
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    aim = models.CharField(pgettext_lazy("safe places", "aim"), max_length=200)

    about: ClassVar[About] = About(
        slug="campaigns",
        name=_("Campaigns"),
        one=pgettext_lazy("safe places", "campaign"),
        edit="safe_communities.edit",
        columns=("lead", "aim"),
        prefix="XD",
        order=35,
    )

    class Meta(Entry.Meta):
        abstract = False


class Action(Entry):
    """That a campaign came to a grid on a day, and what it came to there, as numbers."""

    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        verbose_name=pgettext_lazy("safe places", "campaign"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    reached = models.PositiveIntegerField(
        _("people reached"), default=0, blank=True, help_text=_("A number only: nobody is recorded.")
    )
    found = models.PositiveIntegerField(
        _("hazards found"), default=0, blank=True, help_text=_("Report each as a case: here it only counts.")
    )

    about: ClassVar[About] = About(
        slug="campaign-actions",
        name=_("Campaigns in grids"),
        one=_("campaign in a grid"),
        edit="safe_communities.edit",
        columns=("campaign", "reached", "found"),
        prefix="HD",
        order=36,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """An action is in a grid of the campaign's area, on one of its days."""
        wrong: dict[str, Text] = {}
        if len(self.place) != LEVELS["grid"]:
            wrong["place"] = _("Choose the grid.")
        elif not self.place.startswith(self.campaign.place):
            wrong["place"] = format_lazy(
                _("{campaign} does not reach to this grid."), campaign=str(self.campaign)
            )
        if not self.campaign.in_force(self.valid_from):
            wrong["valid_from"] = format_lazy(
                _("{campaign} does not run on this day."), campaign=str(self.campaign)
            )
        return wrong
