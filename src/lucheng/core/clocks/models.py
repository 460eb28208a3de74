"""The clocks of a case, the table of time limits, and the calendar they run on."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.fields import PrefixField


class TimeUnit(models.TextChoices):
    WORKING_HOURS = "working_hours", _("working hours")
    HOURS = "hours", _("hours")
    WORKING_DAYS = "working_days", _("working days")
    CALENDAR_DAYS = "calendar_days", _("calendar days")


class ClockKind(models.TextChoices):
    DISPATCH = "dispatch", pgettext_lazy("clock", "dispatch")
    SIGN = "sign", pgettext_lazy("clock", "sign")
    CONTACT = "contact", pgettext_lazy("clock", "contact the requester")
    REPLY = "reply", pgettext_lazy("clock", "reply")
    RETURN = "return", pgettext_lazy("clock", "return if not own duty")
    CALLBACK = "callback", pgettext_lazy("clock", "call back")


class CalendarYear(models.Model):
    """One year's arrangement of holidays (节假日安排)."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    notice = models.CharField(
        max_length=200,
        blank=True,
        help_text="number of the State Council's notice; empty while it is not announced",
    )

    def __str__(self) -> str:
        return str(self.year)


class CalendarDay(models.Model):
    """A day that a year's arrangement names: off, or a working day at a weekend (调休). Others follow their weekday."""

    day = models.DateField(primary_key=True)
    year = models.ForeignKey(
        CalendarYear,
        models.CASCADE,
        related_name="days",
        help_text="of the notice: New Year may begin in December",
    )
    working = models.BooleanField()
    name = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class WorkingSpan(models.Model):
    """Hours of business of every working day, such as 08:30 to 12:00."""

    opens = models.TimeField(primary_key=True)
    closes = models.TimeField()

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


class TimeLimit(models.Model):
    """One row of the editable table of limits; :func:`lucheng.core.clocks.limits.limit_for` says which one holds."""

    clock = models.CharField(max_length=10, choices=ClockKind.choices)
    case_kind = models.CharField(max_length=40, blank=True, help_text="empty means any")
    nature = models.CharField(max_length=10, blank=True, help_text="empty means any")
    urgency = models.CharField(max_length=8, blank=True, help_text="empty means any")
    matter = PrefixField(max_length=12, blank=True, help_text="matter prefix; empty means any")
    amount = models.PositiveIntegerField()
    unit = models.CharField(max_length=14, choices=TimeUnit.choices)
    warn_percent = models.PositiveSmallIntegerField(
        default=75, help_text="share of the limit after which it warns"
    )
    escalate_percent = models.PositiveSmallIntegerField(
        default=50, help_text="further share of the limit, after it is over, after which it escalates"
    )
    basis = models.CharField(max_length=200, blank=True, help_text="law and article")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clock", "case_kind", "nature", "urgency", "matter"], name="time_limit_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.clock}: {self.amount} {self.unit}"


class Clock(models.Model):
    """One limit running on one case. It ends met, missed (met too late) or cancelled; it never simply disappears."""

    class State(models.TextChoices):
        RUNNING = "running", pgettext_lazy("clock", "running")
        PAUSED = "paused", pgettext_lazy("clock", "paused")
        MET = "met", pgettext_lazy("clock", "met")
        MISSED = "missed", pgettext_lazy("clock", "met late")
        CANCELLED = "cancelled", pgettext_lazy("clock", "cancelled")

    class Stage(models.IntegerChoices):
        """What has been said so far: each stage is said once."""

        QUIET = 0, pgettext_lazy("clock", "on time")
        WARNED = 1, pgettext_lazy("clock", "warned")
        URGED = 2, pgettext_lazy("clock", "urged: overdue")
        ESCALATED = 3, pgettext_lazy("clock", "escalated")

    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    state = models.CharField(max_length=9, choices=State.choices)
    amount = models.PositiveIntegerField(help_text="the limit, extensions included")
    unit = models.CharField(max_length=14, choices=TimeUnit.choices)
    basis = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    due_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    pause_cause = models.CharField(max_length=200, blank=True, help_text="of the last pause")
    ended_at = models.DateTimeField(null=True)
    stage = models.PositiveSmallIntegerField(choices=Stage.choices, default=Stage.QUIET)
    next_at = models.DateTimeField(
        null=True, help_text="when the sweeper has something to say; none when it has not"
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="sweeps that failed on this row")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind"], condition=Q(state__in=["running", "paused"]), name="clock_runs_once"
            )
        ]
        indexes = [
            models.Index("next_at", name="clock_next", condition=~Q(next_at=None)),
            models.Index("ended_at", name="clock_late", condition=Q(ended_at__gt=F("due_at"))),
            models.Index("failures", name="clock_failed", condition=Q(failures__gt=0)),
            # Which callbacks began lately: what a sample of them is counted over.
            models.Index("started_at", name="clock_callbacks", condition=Q(kind="callback")),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.kind}"
