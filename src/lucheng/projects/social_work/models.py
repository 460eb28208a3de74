"""What only this room keeps: organisations, agencies, incubation, projects, volunteers' hours, posts and their pay.

Social workers, volunteers and community workers are counts; none of them is recorded by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry

HOURS_A_DAY = 24


class Purpose(models.TextChoices):
    """What a community social organisation is for."""

    CULTURE = "culture", pgettext_lazy("social organisation", "culture and sport")
    CHARITY = "charity", pgettext_lazy("social organisation", "charity and help")
    SERVICE = "service", pgettext_lazy("social organisation", "services for residents")
    AFFAIRS = "affairs", pgettext_lazy("social organisation", "affairs of the community")
    MEDIATION = "mediation", pgettext_lazy("social organisation", "mediation and safety")
    FARMING = "farming", pgettext_lazy("social organisation", "farming and herding")


class Standing(models.TextChoices):
    """Registered with civil affairs, or only filed with the sub-district or township."""

    REGISTERED = "registered", pgettext_lazy("social organisation", "registered")
    FILED = "filed", pgettext_lazy("social organisation", "filed")


class CommunityOrganisation(Entry):
    """A community social organisation (社区社会组织)."""

    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    standing = models.CharField(_("legal standing"), max_length=10, choices=Standing.choices)
    members = models.PositiveIntegerField(
        _("members"), null=True, blank=True, validators=[MaxValueValidator(100_000)]
    )
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)

    about: ClassVar[About] = About(
        slug="social-organisations",
        name=_("Community social organisations"),
        one=_("community social organisation"),
        edit="social_work.edit",
        columns=("purpose", "standing", "members"),
        filters=("purpose", "standing"),
        prefix="SZ",
        order=90,
    )

    class Meta(Entry.Meta):
        abstract = False


class SocialWorkAgency(Entry):
    """A professional social-work agency (社工机构)."""

    credit_code = models.CharField(
        _("unified social credit code"),
        max_length=18,
        blank=True,
        validators=[RegexValidator(r"^[0-9A-Z]{18}$", _("Write 18 digits and capital letters."))],
    )
    phone = models.CharField(_("office telephone"), max_length=30)

    about: ClassVar[About] = About(
        slug="social-agencies",
        name=_("Social-work agencies"),
        one=_("social-work agency"),
        edit="social_work.edit",
        columns=("credit_code", "phone"),
        prefix="SG",
        order=91,
    )

    class Meta(Entry.Meta):
        abstract = False


class SocialWorkers(Entry):
    """How many social workers an agency had from a day on, until the next count."""

    agency = models.ForeignKey(
        SocialWorkAgency, models.PROTECT, verbose_name=_("social-work agency"), related_name="counts"
    )
    workers = models.PositiveSmallIntegerField(_("social workers"), validators=[MaxValueValidator(10_000)])
    certified = models.PositiveSmallIntegerField(
        _("of them certified"), help_text=_("Those who hold a certificate of the profession.")
    )

    about: ClassVar[About] = About(
        slug="social-workers",
        name=_("Social workers by agency"),
        one=_("count of social workers"),
        edit="social_work.edit",
        columns=("agency", "workers", "certified"),
        prefix="SR",
        order=92,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A count is of an agency that there is; those with a certificate are some of all."""
        wrong = self.misfits(self.agency)
        if self.certified > self.workers:
            wrong["certified"] = _("These are more than all of them.")
        return wrong


class Incubator(Entry):
    """A place where young organisations find room and advice (社会组织孵化基地、示范园)."""

    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("run by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    area = models.PositiveIntegerField(
        _("floor area (m²)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    places = models.PositiveSmallIntegerField(
        _("room for organisations"), validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)

    about: ClassVar[About] = About(
        slug="incubators",
        name=_("Incubators of social organisations"),
        one=_("incubator"),
        edit="social_work.edit",
        columns=("unit", "places", "phone"),
        prefix="FH",
        order=93,
    )

    class Meta(Entry.Meta):
        abstract = False


class Outcome(models.TextChoices):
    """How an incubation ended."""

    REGISTERED = "registered", pgettext_lazy("incubation", "registered")
    FILED = "filed", pgettext_lazy("incubation", "filed")
    LEFT = "left", pgettext_lazy("incubation", "left without either")


class Incubation(Entry):
    """One organisation's time in an incubator; the entry's name is the organisation's."""

    incubator = models.ForeignKey(
        Incubator, models.PROTECT, verbose_name=_("incubator"), related_name="incubations"
    )
    organisation = models.ForeignKey(
        CommunityOrganisation,
        models.PROTECT,
        verbose_name=pgettext_lazy("incubation", "became"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The organisation of the register that came of it."),
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, blank=True)

    about: ClassVar[About] = About(
        slug="incubations",
        name=_("Organisations being incubated"),
        one=_("incubation"),
        edit="social_work.edit",
        columns=("incubator", "valid_from", "valid_to", "outcome"),
        filters=("outcome",),
        prefix="FY",
        order=94,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """An incubation that has ended has an outcome, and only such a one."""
        wrong = self.misfits(self.incubator)
        if bool(self.outcome) != (self.valid_to is not None):
            wrong["outcome"] = _("What has ended has an outcome, and nothing else has.")
        return wrong


class Sphere(models.TextChoices):
    """Whom a project serves."""

    ELDERLY = "elderly", pgettext_lazy("social project", "older people")
    CHILDREN = "children", pgettext_lazy("social project", "children")
    DISABLED = "disabled", pgettext_lazy("social project", "people with disabilities")
    FAMILIES = "families", pgettext_lazy("social project", "families")
    COMMUNITY = "community", pgettext_lazy("social project", "the whole community")
    CORRECTION = "correction", pgettext_lazy("social project", "community correction")


class SocialProject(Entry):
    """A service that a public body buys from an agency, from the first to the last day of its contract."""

    agency = models.ForeignKey(
        SocialWorkAgency, models.PROTECT, verbose_name=_("social-work agency"), related_name="projects"
    )
    buyer = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("bought by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    sphere = models.CharField(_("for whom"), max_length=12, choices=Sphere.choices)
    contract = models.CharField(_("contract number"), max_length=60)
    amount = models.DecimalField(
        _("amount (yuan)"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    result = models.TextField(_("result"), blank=True, help_text=_("What came of it, once it is over."))

    about: ClassVar[About] = About(
        slug="social-projects",
        name=_("Social-work projects by contract"),
        one=_("social-work project"),
        edit="social_work.edit",
        columns=("agency", "sphere", "amount", "valid_to"),
        filters=("sphere",),
        prefix="SX",
        order=95,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A contract has an end, and its agency stands on its days."""
        wrong = self.misfits(self.agency)
        wrong.pop("place", None)  # an agency works beyond the place of its office
        if self.valid_to is None:
            wrong["valid_to"] = _("Write the day on which the contract ends.")
        return wrong


class ProjectMilestone(Entry):
    """What a project is to have done by a day, and what was done; the entry's name says what."""

    project = models.ForeignKey(
        SocialProject, models.PROTECT, verbose_name=_("social-work project"), related_name="milestones"
    )
    due = models.DateField(_("due on"))
    done = models.DateField(_("done on"), null=True, blank=True)
    reached = models.PositiveIntegerField(
        _("times people were served"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    result = models.TextField(_("result"), blank=True)

    about: ClassVar[About] = About(
        slug="social-milestones",
        name=_("Milestones of social-work projects"),
        one=_("milestone"),
        edit="social_work.edit",
        columns=("project", "due", "done", "reached"),
        prefix="SL",
        order=96,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """It falls into the time of the contract; what is done has a result, and what has one is done."""
        project = self.project
        wrong = self.misfits(project)
        if not project.in_force(self.due):
            wrong["due"] = format_lazy(_("{other} does not hold on this day."), other=str(project))
        if (self.done is not None) != bool(self.result):
            wrong["result"] = _("What is done has a day and a result, and nothing else has.")
        if self.done is not None and self.done < project.valid_from:
            wrong["done"] = format_lazy(_("{other} does not hold yet on this day."), other=str(project))
        return wrong


class VolunteerActivity(Entry):
    """What volunteers did at one place on a day or on several: how many they were, and their hours in all."""

    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(
        _("day after the last"), help_text=_("Of an activity of one day, the day after it.")
    )
    organisation = models.ForeignKey(
        CommunityOrganisation,
        models.PROTECT,
        verbose_name=_("community social organisation"),
        null=True,
        blank=True,
        related_name="+",
    )
    people = models.PositiveIntegerField(
        _("volunteers"), validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    hours = models.PositiveIntegerField(_("hours in all"), validators=[MinValueValidator(1)])

    about: ClassVar[About] = About(
        slug="volunteer-hours",
        name=_("Volunteers' hours"),
        one=_("volunteers' activity"),
        edit="social_work.edit",
        columns=("valid_from", "organisation", "people", "hours"),
        prefix="ZY",
        order=97,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A day has 24 hours."""
        wrong: dict[str, Text] = {}
        days = (self.valid_to - self.valid_from) // dt.timedelta(days=1)
        if days > 0 and self.hours > self.people * days * HOURS_A_DAY:
            wrong["hours"] = _("So many people have not so many hours in these days.")
        return wrong


class Post(models.TextChoices):
    """The three posts (三岗)."""

    CHIEF = "chief", pgettext_lazy("community post", "chief")
    DEPUTY = "deputy", pgettext_lazy("community post", "deputy")
    OTHER = "other", pgettext_lazy("community post", "other")


#: The lowest and the highest of the eighteen grades (十八级) that each post may have.
GRADES: Mapping[Post, tuple[int, int]] = {Post.CHIEF: (7, 18), Post.DEPUTY: (4, 15), Post.OTHER: (1, 12)}


class PayGrade(Entry):
    """A row of the pay table of community workers: what a post draws in a grade, and what it drew before the reform."""

    post = models.CharField(_("community post"), max_length=6, choices=Post.choices)
    grade = models.PositiveSmallIntegerField(
        _("grade (1 to 18)"), validators=[MinValueValidator(1), MaxValueValidator(18)]
    )
    pay = models.PositiveIntegerField(_("pay (yuan a month)"), validators=[MaxValueValidator(1_000_000)])
    pay_before = models.PositiveIntegerField(
        _("pay before the reform (yuan a month)"), validators=[MaxValueValidator(1_000_000)]
    )

    about: ClassVar[About] = About(
        slug="pay-grades",
        name=_("Pay table of community workers (three posts, eighteen grades)"),
        one=_("row of the pay table"),
        edit="social_work.edit",
        columns=("post", "grade", "pay", "pay_before"),
        filters=("post",),
        prefix="XC",
        order=98,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Each post has grades of its own."""
        least, most = GRADES[Post(self.post)]
        if not least <= self.grade <= most:
            return {
                "grade": format_lazy(_("This post has the grades {least} to {most}."), least=least, most=most)
            }
        return {}


class CommunityPosts(Entry):
    """How many community workers of a place are in one row of the pay table."""

    row = models.ForeignKey(
        PayGrade, models.PROTECT, verbose_name=_("row of the pay table"), related_name="posts"
    )
    people = models.PositiveSmallIntegerField(
        _("community workers"), validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )

    about: ClassVar[About] = About(
        slug="community-posts",
        name=_("Community workers by post and grade"),
        one=_("count of community workers"),
        edit="social_work.edit",
        columns=("row", "people"),
        prefix="SQ",
        order=99,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """The row holds at the place of the people, on their days."""
        return self.misfits(self.row)
