"""The append-only chains of events and of acts, their anchors, verifications, the outbox with its words, and how the
worker does.

The database itself refuses UPDATE, DELETE and TRUNCATE on events, acts and anchors.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Event(models.Model):
    """What happened to a case, as link number ``seq`` of its chain: ``hash`` covers this row and the link before it.

    ``body`` holds no personal data and no free text of the requester: those may one day be destroyed by rule, and the
    chain must stay verifiable. Where such text matters, the body carries its SHA-256.
    """

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey("cases.Case", models.DO_NOTHING, related_name="events", db_constraint=False)
    seq = models.PositiveIntegerField(help_text="1, 2, 3 … within the case")
    at = models.DateTimeField()
    actor = models.ForeignKey("organisation.Person", models.DO_NOTHING, null=True, related_name="+")
    actor_role = models.CharField(
        max_length=40, help_text="the role acted in; 'requester' or 'system' where no post is"
    )
    action = models.CharField(max_length=30)
    body = models.JSONField(default=dict)
    prev = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="event_once_per_seq")]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.seq} {self.action}"


class Act(models.Model):
    """What an administrator or the operator of the system did, as link number ``seq`` of one chain over all acts.

    ``details`` holds codes and numbers (:data:`lucheng.core.ledger.acts.DETAILS`), no personal data.
    """

    seq = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … without a gap")
    at = models.DateTimeField()
    # No constraint: to check it would lock the person, whom somebody may hold who waits to write the next act.
    person = models.ForeignKey(
        "organisation.Person",
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        help_text="none: the operator of the system, by a command",
    )
    role = models.CharField(max_length=40, help_text="the role acted in; 'console' for a command")
    unit = models.ForeignKey(
        "organisation.Unit", models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    action = models.CharField(max_length=30)
    kind = models.CharField(max_length=12, help_text="what it was done to ...")
    name = models.CharField(max_length=80, blank=True, help_text="... and the name or number of that")
    details = models.JSONField(default=dict)
    prev = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.name}"


class Anchor(models.Model):
    """A seal over every event up to an id and every act up to a number, chained to the anchor before: a whole missing
    case is noticed, and acts that are missing at the end."""

    upto = models.BigIntegerField(
        db_index=True, help_text="the last event id it covers; twice where only acts came"
    )
    events = models.BigIntegerField(help_text="how many events it covers, since the anchor before")
    acts = models.BigIntegerField(null=True, help_text="the last act it covers; none where there was none")
    act_hash = models.BinaryField(null=True, help_text="the hash of that act")
    at = models.DateTimeField()
    prev = models.BinaryField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"anchor at {self.upto}"


class Mark(models.Model):
    """One row: where the next anchor may end, once every transaction that ran at that moment has ended."""

    upto = models.BigIntegerField(default=0)
    running = ArrayField(models.TextField(), default=list, help_text="virtual transaction ids of that moment")

    def __str__(self) -> str:
        return f"mark at {self.upto}"


class Verification(models.Model):
    """One proof of the whole ledger: asked for on a page and carried out by the worker, or run by a command."""

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("verification", "waits for the worker")
        RUNNING = "running", pgettext_lazy("verification", "under way")
        DONE = "done", pgettext_lazy("verification", "done")
        FAILED = "failed", pgettext_lazy("verification", "broke off")

    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        "organisation.Person", models.PROTECT, null=True, related_name="+", help_text="none: by a command"
    )
    files = models.BooleanField(help_text="whether photographs are read byte by byte, too")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="last sign of life")
    ended_at = models.DateTimeField(null=True)
    events_in_all = models.BigIntegerField(default=0)
    cases = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    acts = models.BigIntegerField(default=0)
    anchors = models.BigIntegerField(default=0)
    not_anchored = models.BigIntegerField(default=0)
    findings = models.BigIntegerField(default=0)
    found = models.JSONField(
        default=list, help_text="the first findings: kind, case, number, and the words in each language"
    )
    error = models.CharField(max_length=80, blank=True, help_text="kind of the error that broke it off")

    def __str__(self) -> str:
        return f"verification of {self.asked_at}"


class Message(models.Model):
    """One message that must leave: written in the transaction that causes it, sent at least once with the same id."""

    class Channel(models.TextChoices):
        SMS = "sms", _("text message")
        EMAIL = "email", _("e-mail")
        IN_APP = "in_app", _("in-app message")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")

    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    template = models.CharField(max_length=40, help_text="name of the text in the message pack")
    params = models.JSONField(
        default=dict, help_text="no personal data: the address is taken from the sealed contact"
    )
    to_unit = models.ForeignKey(
        "organisation.Unit", models.PROTECT, null=True, related_name="+", help_text="none: to the requester"
    )
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index("next_at", name="message_due", condition=Q(state="waiting")),
            models.Index("created_at", name="message_created"),
            models.Index("created_at", "id", name="message_failed", condition=Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.channel}"


class MessageText(models.Model):
    """One change of the words of an outgoing message. The newest row of a name and language holds; rows are never
    changed, so that it stays known who worded what when."""

    name = models.CharField(max_length=40, help_text="name of the text in the message pack")
    language = models.CharField(max_length=2)
    text = models.CharField(max_length=500, blank=True, help_text="empty: back to the pack's own words")
    at = models.DateTimeField()
    by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["name", "language", "-id"], name="message_text_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class SweepRun(models.Model):
    """How one sweep of the worker went last. One row for each sweep; it holds nothing of any case or person."""

    name = models.CharField(max_length=40, primary_key=True)
    every = models.FloatField(default=0, help_text="seconds between two runs with nothing to do")
    at = models.DateTimeField(help_text="last sign of life")
    went_at = models.DateTimeField(null=True, help_text="last run that ended well")
    worked_at = models.DateTimeField(null=True, help_text="last run that had something to do")
    handled = models.BigIntegerField(default=0, help_text="rows handled since the first run")
    failures = models.PositiveIntegerField(default=0, help_text="failed runs in a row")
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=80, blank=True, help_text="kind of the last error")

    def __str__(self) -> str:
        return self.name
