"""What every register has: entries at places, valid from a day to a day, with every version that each of them had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.fields import PrefixField, within

E = TypeVar("E", bound="Entry")


@dataclass(frozen=True)
class About:
    """What a register says of itself beside its fields."""

    #: Its name in addresses, on the command line and in the API.
    slug: str
    name: Text
    #: What one entry is called.
    one: Text
    #: The capability that lets somebody write at a place.
    edit: str
    #: The capability that lets somebody read at a place; empty: everybody who holds a post.
    view: str = ""
    #: Fields that the list shows beside code, name and place.
    columns: tuple[str, ...] = ()
    #: Fields with choices by which the list is narrowed.
    filters: tuple[str, ...] = ()
    #: What the codes begin with that are given to entries without one.
    prefix: str = ""
    #: Its place among the others: ten times the number of its project and up; below ten the programme's.
    order: int = 990
    #: Whether its entries may have an address and a point. Off where they are nobody's business, or another entry's.
    on_map: bool = True


class EntryQuerySet(models.QuerySet[E]):
    def as_of(self, day: dt.date) -> Self:
        """The entries in force on ``day``: from valid_from, up to but not on valid_to."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)

    def under(self, prefix: str) -> Self:
        """The entries whose place lies under ``prefix``."""
        return self.filter(within("place", prefix))


class EntryManager(models.Manager[E]):
    """Every entry, or those that hold on a day or lie under a place."""

    def get_queryset(self) -> EntryQuerySet[E]:
        return EntryQuerySet(self.model, using=self._db)

    def as_of(self, day: dt.date) -> EntryQuerySet[E]:
        return self.get_queryset().as_of(day)

    def under(self, prefix: str) -> EntryQuerySet[E]:
        return self.get_queryset().under(prefix)


class Entry(models.Model):
    """One entry of a register. A subclass adds fields, :attr:`about` and, where its law asks for it, :meth:`faults`."""

    code = models.CharField(
        pgettext_lazy("register", "code"),
        max_length=40,
        unique=True,
        db_collation="C",
        blank=True,
        validators=[
            RegexValidator(
                r"^[0-9A-Za-z][0-9A-Za-z._-]*$",
                _("Use letters A to Z, digits, dots, dashes and underscores."),
            )
        ],
        help_text=_("Leave it empty to be given one."),
    )
    name = models.CharField(pgettext_lazy("register", "name"), max_length=80)
    place = PrefixField(
        pgettext_lazy("register", "place"),
        help_text=_("Type a part of its name and choose, or write its code."),
    )
    address = models.CharField(pgettext_lazy("register", "address"), max_length=120, blank=True)
    lon = models.FloatField(
        pgettext_lazy("register", "longitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
        help_text=_("Degrees, WGS 84. Longitude and latitude stand together."),
    )
    lat = models.FloatField(
        pgettext_lazy("register", "latitude"),
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    valid_from = models.DateField(pgettext_lazy("register", "from"))
    valid_to = models.DateField(
        pgettext_lazy("register", "until"),
        null=True,
        blank=True,
        help_text=_("The first day on which it no longer holds."),
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    terms = ArrayField(
        models.CharField(max_length=40),
        default=list,
        editable=False,
        help_text="one and two characters of its name",
    )

    #: What the register says of itself. A model without it is a base for others.
    about: ClassVar[About]

    objects: ClassVar[EntryManager[Any]] = EntryManager()

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["place", "code"], name="%(class)s_place"),
            models.Index(fields=["name", "code"], name="%(class)s_name"),
            models.Index(fields=["valid_from", "code"], name="%(class)s_since"),
            GinIndex(fields=["terms"], name="%(class)s_terms"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="%(class)s_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def faults(self) -> dict[str, Text]:
        """What is wrong with the entry as a whole, at the names of its fields. For subclasses to add to."""
        return {}

    def in_force(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def misfits(self, other: Entry) -> dict[str, Text]:
        """What keeps this entry from being a part of ``other``: it lies elsewhere, or holds on days on which that one
        does not. By the names of its fields, for :meth:`faults`."""
        wrong: dict[str, Text] = {}
        if not self.place.startswith(other.place):
            wrong["place"] = format_lazy(_("This lies outside {other}."), other=str(other))
        if self.valid_from < other.valid_from:
            wrong["valid_from"] = format_lazy(_("{other} does not hold yet on this day."), other=str(other))
        if other.valid_to is not None and (self.valid_to is None or self.valid_to > other.valid_to):
            wrong["valid_to"] = format_lazy(_("{other} no longer holds by then."), other=str(other))
        return wrong


class Weekday(models.TextChoices):
    """Days of the week by their names in calendars (RFC 5545)."""

    MO = "MO", pgettext_lazy("weekday", "Monday")
    TU = "TU", pgettext_lazy("weekday", "Tuesday")
    WE = "WE", pgettext_lazy("weekday", "Wednesday")
    TH = "TH", pgettext_lazy("weekday", "Thursday")
    FR = "FR", pgettext_lazy("weekday", "Friday")
    SA = "SA", pgettext_lazy("weekday", "Saturday")
    SU = "SU", pgettext_lazy("weekday", "Sunday")


_TIME = RegexValidator(r"^([01]\d|2[0-3]):[0-5]\d$", _("Write a time as 08:30."))


class Turn(Entry):
    """A turn on a roster: the same hours on some days of each week. A base for registers of rosters."""

    weekdays = ArrayField(
        models.CharField(max_length=2, choices=Weekday.choices),
        verbose_name=pgettext_lazy("register", "days of the week"),
    )
    begins = models.CharField(pgettext_lazy("register", "from (time)"), max_length=5, validators=[_TIME])
    ends = models.CharField(pgettext_lazy("register", "until (time)"), max_length=5, validators=[_TIME])

    class Meta(Entry.Meta):
        abstract = True

    def faults(self) -> dict[str, Text]:
        """A turn ends on the day on which it begins."""
        wrong = super().faults()
        if self.ends <= self.begins:
            wrong["ends"] = _("This lies before its beginning.")
        return wrong


class Change(models.Model):
    """One version of one entry as it was written: who, when, how and all it said. The database lets none be altered."""

    class How(models.TextChoices):
        ADDED = "added", pgettext_lazy("change", "added")
        CHANGED = "changed", pgettext_lazy("change", "changed")
        RETIRED = "retired", pgettext_lazy("change", "retired")
        TAKEN_BACK = "taken_back", pgettext_lazy("change", "import taken back")

    register = models.CharField(max_length=40)
    code = models.CharField(max_length=40, db_collation="C")
    number = models.PositiveIntegerField(help_text="the entry's version")
    at = models.DateTimeField()
    by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    how = models.CharField(max_length=10, choices=How.choices)
    said = models.JSONField(help_text="every field by its name")
    of = models.ForeignKey("Import", models.PROTECT, null=True, related_name="changes")

    class Meta:
        indexes = [models.Index(fields=["register", "code", "id"], name="change_of_entry")]

    def __str__(self) -> str:
        return f"{self.register} {self.code} {self.number}"


class Import(models.Model):
    """One sheet that somebody brought: checked by the worker, looked at, taken over, and perhaps taken back."""

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("import", "being checked")
        FAULTY = "faulty", pgettext_lazy("import", "to be corrected")
        CHECKED = "checked", pgettext_lazy("import", "checked: look at it and take it over")
        APPROVED = "approved", pgettext_lazy("import", "being taken over")
        DONE = "done", pgettext_lazy("import", "taken over")
        UNDOING = "undoing", pgettext_lazy("import", "being taken back")
        UNDONE = "undone", pgettext_lazy("import", "taken back")
        DROPPED = "dropped", pgettext_lazy("import", "dropped")

    #: What waits for the worker.
    FOR_WORKER: ClassVar[Sequence[str]] = (State.WAITING, State.APPROVED, State.UNDOING)

    register = models.CharField(max_length=40)
    file_name = models.CharField(max_length=120)
    #: The sheet as it came, then its rows as they were read; emptied once it is taken over or dropped.
    content = models.BinaryField()
    read = models.BooleanField(default=False, help_text="content holds rows, no longer the sheet")
    by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    ended_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="rows looked at so far")
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    faults = models.JSONField(default=list, help_text="row, column and text of the first ones")
    fault_count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["register", "-id"], name="import_of_register")]

    def __str__(self) -> str:
        return f"{self.register} {self.pk}"
