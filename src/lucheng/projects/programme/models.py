"""What the programme keeps of itself, each list a register."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry

EDIT = "programme.edit"


class Work(Entry):
    """A work (工程): several projects with one aim."""

    aim = models.TextField(_("aim"), blank=True, max_length=2000)

    about: ClassVar[About] = About(
        slug="works",
        name=_("Works"),
        one=pgettext_lazy("programme", "work"),
        edit=EDIT,
        prefix="GC",
        order=1,
    )

    class Meta(Entry.Meta):
        abstract = False


class Project(Entry):
    """A project (项目) of a work. Its number is the one before the point in the ids of its figures."""

    work = models.ForeignKey(Work, models.PROTECT, verbose_name=_("work"), related_name="projects")
    number = models.PositiveSmallIntegerField(
        _("number"), validators=[MinValueValidator(1), MaxValueValidator(99)]
    )
    unit = models.ForeignKey(
        "organisation.Unit", models.PROTECT, verbose_name=_("led by"), null=True, blank=True, related_name="+"
    )
    aim = models.TextField(_("aim"), blank=True, max_length=2000)

    about: ClassVar[About] = About(
        slug="projects",
        name=_("Projects"),
        one=pgettext_lazy("programme", "project"),
        edit=EDIT,
        columns=("number", "work", "unit"),
        prefix="XM",
        order=2,
    )

    class Meta(Entry.Meta):
        abstract = False


class Phase(Entry):
    """A phase of the programme: the years from its first day to its last, and what they are for."""

    aim = models.TextField(_("aim"), blank=True, max_length=2000)

    about: ClassVar[About] = About(
        slug="phases",
        name=_("Phases"),
        one=pgettext_lazy("programme", "phase"),
        edit=EDIT,
        prefix="JD",
        order=3,
    )

    class Meta(Entry.Meta):
        abstract = False


class Milestone(Entry):
    """Something that a project is to have reached by a day, and the evidence that it has."""

    project = models.ForeignKey(Project, models.PROTECT, verbose_name=_("project"), related_name="milestones")
    owner = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("answers for it"),
        null=True,
        blank=True,
        related_name="+",
    )
    due = models.DateField(pgettext_lazy("milestone", "due"))
    reached = models.DateField(pgettext_lazy("milestone", "reached"), null=True, blank=True)
    evidence = models.CharField(
        _("evidence"),
        max_length=300,
        blank=True,
        help_text=_("Document, number and date, or where it can be seen."),
    )

    about: ClassVar[About] = About(
        slug="milestones",
        name=_("Milestones"),
        one=pgettext_lazy("programme", "milestone"),
        edit=EDIT,
        columns=("project", "due", "reached", "owner"),
        prefix="LC",
        order=4,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """What is reached is shown."""
        if self.reached is not None and not self.evidence.strip():
            return {"evidence": _("Say what shows that it was reached.")}
        return {}


class Risk(Entry):
    """What may keep a project from its aim, and what is done about it."""

    class Weight(models.TextChoices):
        LOW = "low", pgettext_lazy("risk", "low")
        MIDDLE = "middle", pgettext_lazy("risk", "middle")
        HIGH = "high", pgettext_lazy("risk", "high")

    project = models.ForeignKey(Project, models.PROTECT, verbose_name=_("project"), related_name="risks")
    weight = models.CharField(_("weight"), max_length=6, choices=Weight.choices)
    measure = models.TextField(_("what is done about it"), max_length=2000)
    owner = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("answers for it"),
        null=True,
        blank=True,
        related_name="+",
    )

    about: ClassVar[About] = About(
        slug="risks",
        name=_("Risks"),
        one=pgettext_lazy("programme", "risk"),
        edit=EDIT,
        columns=("project", "weight", "owner"),
        filters=("weight",),
        prefix="FX",
        order=5,
    )

    class Meta(Entry.Meta):
        abstract = False


class Promise(Entry):
    """What a monthly meeting was promised, and what happened."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("promise", "under way")
        KEPT = "kept", pgettext_lazy("promise", "kept")
        LATE = "late", pgettext_lazy("promise", "kept late")
        DROPPED = "dropped", pgettext_lazy("promise", "given up")

    project = models.ForeignKey(Project, models.PROTECT, verbose_name=_("project"), related_name="promises")
    meeting = models.DateField(_("meeting of"))
    owner = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("promised by"),
        null=True,
        blank=True,
        related_name="+",
    )
    due = models.DateField(pgettext_lazy("milestone", "due"))
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.OPEN)
    happened = models.TextField(_("what happened"), blank=True, max_length=2000)

    about: ClassVar[About] = About(
        slug="promises",
        name=_("Promises of meetings"),
        one=pgettext_lazy("programme", "promise"),
        edit=EDIT,
        columns=("project", "meeting", "due", "state"),
        filters=("state",),
        prefix="CN",
        order=6,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """What ended is told, and nothing is due before it was promised."""
        wrong: dict[str, Text] = {}
        if self.due < self.meeting:
            wrong["due"] = _("This lies before the meeting.")
        if self.state != self.State.OPEN and not self.happened.strip():
            wrong["happened"] = _("Say what happened.")
        return wrong
