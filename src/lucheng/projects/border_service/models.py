"""What only this room keeps: the joint hall and its shifts, rangers as posts, their training, and joint inspections.

No position, track, sensor or traveller stands here, and no ranger by name: who reads all of it learns what the notice
on the hall's door says, how many posts there are, and which public facility waits to be put right.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry, Turn


class Function(models.TextChoices):
    """What people come to a joint hall for."""

    RECEPTION = "reception", pgettext_lazy("border hall", "taking in requests")
    MEDIATION = "mediation", pgettext_lazy("border hall", "settling disputes")
    PUBLICITY = "publicity", pgettext_lazy("border hall", "making the law known")
    LEGAL_AID = "legal_aid", pgettext_lazy("border hall", "legal services")
    PAPERS = "papers", pgettext_lazy("border hall", "papers and certificates")
    ASSISTANCE = "assistance", pgettext_lazy("border hall", "social assistance")
    PASTURE = "pasture", pgettext_lazy("border hall", "pasture and livestock")
    RESCUE = "rescue", pgettext_lazy("border hall", "help in distress")


class BorderHall(Entry):
    """A joint hall for service and governance (警地联动综治服务中心大厅)."""

    unit = models.ForeignKey(
        "organisation.Unit",
        models.PROTECT,
        verbose_name=_("run by"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    functions = ArrayField(
        models.CharField(max_length=12, choices=Function.choices), verbose_name=_("functions")
    )
    hours = models.CharField(_("opening hours"), max_length=200, blank=True)
    phone = models.CharField(_("office telephone"), max_length=30)

    about: ClassVar[About] = About(
        slug="border-halls",
        name=_("Joint service halls on the border"),
        one=_("joint service hall"),
        edit="border_service.edit",
        columns=("functions", "hours", "phone"),
        filters=("functions",),
        prefix="BT",
        order=100,
    )

    class Meta(Entry.Meta):
        abstract = False


class Department(models.TextChoices):
    """Departments that are stationed in a joint hall or inspect together."""

    JUSTICE = "justice", pgettext_lazy("border hall", "justice")
    FORESTRY = "forestry", pgettext_lazy("border hall", "forestry and grassland")
    CIVIL_AFFAIRS = "civil_affairs", pgettext_lazy("border hall", "civil affairs")
    POLICE = "police", pgettext_lazy("border hall", "police")
    LABOUR = "labour", pgettext_lazy("border hall", "labour and social security")
    AGRICULTURE = "agriculture", pgettext_lazy("border hall", "farming and herding")
    EMERGENCY = "emergency", pgettext_lazy("border hall", "emergency management")
    TOWNSHIP = "township", pgettext_lazy("border hall", "town or sumu government")


class StationedDepartment(Entry):
    """A department's window in a joint hall."""

    hall = models.ForeignKey(
        BorderHall, models.PROTECT, verbose_name=_("joint service hall"), related_name="stationed"
    )
    department = models.CharField(_("department"), max_length=14, choices=Department.choices)
    matters = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("matters dealt with"),
        default=list,
        blank=True,
        help_text=_("What people come for, with 、 between."),
    )

    about: ClassVar[About] = About(
        slug="border-windows",
        name=_("Departments stationed in the joint halls"),
        one=_("stationed department"),
        edit="border_service.edit",
        columns=("hall", "department", "matters"),
        filters=("department",),
        prefix="BC",
        order=101,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A window is its hall's."""
        return self.misfits(self.hall)


class HallShift(Turn):
    """When a department's window is staffed, by how many."""

    window = models.ForeignKey(
        StationedDepartment, models.PROTECT, verbose_name=_("stationed department"), related_name="shifts"
    )
    staff = models.PositiveSmallIntegerField(
        _("staff on the shift"), validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    about: ClassVar[About] = About(
        slug="border-shifts",
        name=_("Shifts of the joint halls"),
        one=_("shift"),
        edit="border_service.edit",
        columns=("weekdays", "begins", "ends", "window", "staff"),
        filters=("weekdays",),
        prefix="BB",
        order=102,
        on_map=False,
    )

    class Meta(Turn.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A shift is at a window that there is."""
        return {**self.misfits(self.window), **super().faults()}


class RangerPosts(Entry):
    """Posts of border rangers (护边员) of one sumu, town or gacha: how many there are and how many are filled."""

    posts = models.PositiveSmallIntegerField(
        _("posts"), validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    filled = models.PositiveSmallIntegerField(_("posts filled"))
    insured = models.PositiveSmallIntegerField(
        _("insured against accidents"), help_text=_("Of those in post.")
    )

    about: ClassVar[About] = About(
        slug="ranger-posts",
        name=_("Border rangers' posts"),
        one=_("rangers' posts"),
        edit="border_service.edit",
        view="border_service.view",
        columns=("posts", "filled", "insured"),
        prefix="HB",
        order=103,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """No more are filled than there are, and no more insured than are filled."""
        wrong: dict[str, Text] = {}
        if self.filled > self.posts:
            wrong["filled"] = _("These are more than there are posts.")
        if self.insured > self.filled:
            wrong["insured"] = _("These are more than are in post.")
        return wrong


class Topic(models.TextChoices):
    """What rangers are taught."""

    LAW = "law", pgettext_lazy("ranger training", "land border law")
    FIRST_AID = "first_aid", pgettext_lazy("ranger training", "first aid")
    FIRE = "fire", pgettext_lazy("ranger training", "grassland fire")
    MEDIATION = "mediation", pgettext_lazy("ranger training", "settling disputes")
    SERVICE = "service", pgettext_lazy("ranger training", "service for herders")


class RangerTraining(Entry):
    """A training of those in the posts of one place; the entry's name says what it was."""

    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(
        _("day after the last"), help_text=_("Of a training of one day, the day after it.")
    )
    of = models.ForeignKey(
        RangerPosts, models.PROTECT, verbose_name=_("rangers' posts"), related_name="trainings"
    )
    topic = models.CharField(_("topic"), max_length=10, choices=Topic.choices)
    hours = models.PositiveSmallIntegerField(_("hours of training"), validators=[MinValueValidator(1)])
    trained = models.PositiveSmallIntegerField(_("people trained"), validators=[MinValueValidator(1)])

    about: ClassVar[About] = About(
        slug="ranger-training",
        name=_("Training of border rangers"),
        one=_("training"),
        edit="border_service.edit",
        view="border_service.view",
        columns=("of", "valid_from", "topic", "hours", "trained"),
        filters=("topic",),
        prefix="HX",
        order=104,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """No more were taught than are in post, and no longer than the days last."""
        wrong = self.misfits(self.of)
        days = (self.valid_to - self.valid_from) // dt.timedelta(days=1)
        if days > 0 and self.hours > 24 * days:
            wrong["hours"] = _("These days have not so many hours.")
        if self.trained > self.of.filled:
            wrong["trained"] = _("These are more than are in post.")
        return wrong


class Task(models.TextChoices):
    """What rangers on duty do for people."""

    PUBLICITY = "publicity", pgettext_lazy("ranger duty", "making the law known")
    HELP = "help", pgettext_lazy("ranger duty", "helping herders")
    FIRE = "fire", pgettext_lazy("ranger duty", "watching for grassland fire")
    FACILITIES = "facilities", pgettext_lazy("ranger duty", "looking after public facilities")


class RangerDuty(Entry):
    """The duty of the posts of one place over some days: days of duty planned, and done. No way or person in it."""

    valid_from = models.DateField(_("first day"))
    valid_to = models.DateField(_("day after the last"))
    of = models.ForeignKey(
        RangerPosts, models.PROTECT, verbose_name=_("rangers' posts"), related_name="duties"
    )
    tasks = ArrayField(models.CharField(max_length=12, choices=Task.choices), verbose_name=_("tasks"))
    planned = models.PositiveIntegerField(
        _("days of duty planned"), help_text=_("Of all posts together: ten posts on three days are thirty.")
    )
    served = models.PositiveIntegerField(_("days of duty done"), null=True, blank=True)

    about: ClassVar[About] = About(
        slug="ranger-duty",
        name=_("Duty of border rangers"),
        one=_("duty"),
        edit="border_service.edit",
        view="border_service.view",
        columns=("of", "valid_from", "tasks", "planned", "served"),
        filters=("tasks",),
        prefix="HZ",
        order=105,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """Nobody is on duty on more days than there are."""
        wrong = self.misfits(self.of)
        most = self.of.filled * max(0, (self.valid_to - self.valid_from) // dt.timedelta(days=1))
        for name, days in (("planned", self.planned), ("served", self.served or 0)):
            if days > most > 0:
                wrong[name] = _("Those in post have not so many days in this time.")
        return wrong


class Facility(models.TextChoices):
    """What is inspected: facilities for people, none of the border itself."""

    SERVICE_POINT = "service_point", pgettext_lazy("border facility", "service point")
    BUILDING = "building", pgettext_lazy("border facility", "public building")
    ROAD = "road", pgettext_lazy("border facility", "road for people")
    POWER = "power", pgettext_lazy("border facility", "power supply")
    WATER = "water", pgettext_lazy("border facility", "water supply")
    FIRE = "fire", pgettext_lazy("border facility", "fire protection")
    MARKET = "market", pgettext_lazy("border facility", "market and inn")


class JointInspection(Entry):
    """One facility as departments found it together, and what came of it; the entry's name is the facility's.

    It is open until nothing was found to be wrong, or what was wrong is put right and seen to be.
    """

    facility = models.CharField(_("facility"), max_length=14, choices=Facility.choices)
    departments = ArrayField(
        models.CharField(max_length=14, choices=Department.choices), verbose_name=_("departments")
    )
    found = models.TextField(
        _("found to be wrong"), blank=True, help_text=_("Empty where nothing was found to be wrong.")
    )
    due = models.DateField(_("to be put right by"), null=True, blank=True)
    put_right = models.DateField(_("put right on"), null=True, blank=True)
    seen = models.DateField(
        _("seen to be right on"), null=True, blank=True, help_text=_("When the departments looked again.")
    )

    about: ClassVar[About] = About(
        slug="border-inspections",
        name=_("Joint inspections of facilities"),
        one=_("joint inspection"),
        edit="border_service.edit",
        columns=("facility", "valid_from", "due", "put_right", "seen"),
        filters=("facility", "departments"),
        prefix="LC",
        order=106,
        on_map=False,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """At least two departments inspect; what is wrong has a day, then is put right, then looked at again, and then
        it is over."""
        wrong: dict[str, Text] = {}
        if len(self.departments) < 2:
            wrong["departments"] = _("At least two departments inspect together.")
        if bool(self.found) != (self.due is not None):
            wrong["due"] = _("What was found to be wrong has a day, and nothing else has.")
        steps: list[tuple[str, dt.date | None]] = [("put_right", self.put_right), ("seen", self.seen)]
        before: dt.date | None = self.valid_from if self.found else None
        for name, day in steps:
            if day is not None and (before is None or day < before):
                wrong[name] = _("This comes before what it follows.")
            before = day
        if self.due is not None and self.due < self.valid_from:
            wrong["due"] = _("This lies before the inspection.")
        if self.valid_to is not None and self.found and self.seen is None:
            wrong["valid_to"] = _("It is not over before it is seen to be right.")
        return wrong
