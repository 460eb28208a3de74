"""The one record of every matter, and what hangs on it.

A call, a patrol finding, a hazard and a dispute are all cases: one number, one public tracking code, one life cycle
(:mod:`lucheng.core.cases.lifecycle`). A project adds kinds of case, never a second engine. Rows are written only by
:mod:`lucheng.core.cases.intake` and :mod:`lucheng.core.cases.engine`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from lucheng.core.fields import PrefixField


class State(models.TextChoices):
    """Where a case stands. Supervision is a flag on the case, not a place in this line."""

    DRAFT = "draft", _("draft")
    RECEIVED = "received", _("received")
    REJECTED = "rejected", _("rejected, path told")
    ANSWERED = "answered", _("answered at once")
    MERGED = "merged", _("merged")
    TRANSFERRED = "transferred", _("transferred outside")
    ACCEPTED = "accepted", _("accepted, to be dispatched")
    DISPATCHED = "dispatched", _("dispatched, to be signed for")
    RETURN_REQ = "return_req", _("return requested")
    SIGNED = "signed", _("signed, being handled")
    EXTEND_REQ = "extend_req", _("extension requested")
    SUSPENDED = "suspended", _("suspended")
    REPLIED = "replied", _("replied, to be reviewed")
    REWORK = "rework", _("sent back to redo")
    CALLBACK = "callback", _("to be called back")
    CLOSED = "closed", _("closed")
    REOPENED = "reopened", _("reopened")
    ARCHIVED = "archived", _("archived")
    WITHDRAWN = "withdrawn", _("withdrawn by the requester")


#: States in which nobody owes anything any more.
ENDED = (State.CLOSED, State.ARCHIVED, State.WITHDRAWN)


class Nature(models.TextChoices):
    """What the requester wants (诉求类型)."""

    INQUIRY = "inquiry", _("inquiry")
    HELP = "help", _("request for help")
    COMPLAINT = "complaint", _("complaint")
    REPORT = "report", _("whistle-blowing report")
    SUGGESTION = "suggestion", _("suggestion")
    PRAISE = "praise", _("praise")
    FINDING = "finding", _("finding")
    OTHER = "other", _("other")


class Channel(models.TextChoices):
    """The door a case came in by (来源渠道)."""

    PHONE = "phone", _("telephone")
    WEB = "web", _("web page")
    API = "api", _("interface")
    GRID = "grid", _("grid worker")
    POLICE = "police", _("handed over by 110")
    LETTER = "letter", _("letter")
    SUPERIOR = "superior", _("assigned from above")
    OTHER = "other", _("other")


class Urgency(models.TextChoices):
    ORDINARY = "ordinary", _("ordinary")
    URGENT = "urgent", _("urgent")
    CRITICAL = "critical", _("critical")


class Supervision(models.TextChoices):
    """Levels of supervision (督办; Weifang regulation art. 26)."""

    NONE = "", _("none")
    DAILY = "daily", _("daily supervision")
    LISTED = "listed", _("listed supervision")
    TALK = "talk", _("admonitory talk")


class Case(models.Model):
    """One matter. ``id`` comes from a sequence in blocks (see codes.Numbers), ``code`` is what its requester keeps."""

    id = models.BigIntegerField(primary_key=True)
    number = models.CharField(max_length=20, unique=True, help_text="order number, for staff")
    code = models.CharField(max_length=16, unique=True, help_text="random tracking code, for the requester")
    kind = models.CharField(max_length=40, help_text="as declared by a project: command_centre.order")
    state = models.CharField(max_length=12, choices=State.choices)
    version = models.PositiveIntegerField(default=1, help_text="grows by one with every event; If-Match")
    kept_by = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="the one capability whose holders see it; empty: as the posts say",
    )

    # head
    channel = models.CharField(max_length=10, choices=Channel.choices)
    source_ref = models.CharField(
        max_length=80, blank=True, help_text="its number in the system it came from"
    )
    language = models.CharField(max_length=8, default="zh")
    anonymous = models.BooleanField(default=False)
    confidential = models.BooleanField(
        default=False, help_text="the requester asked to keep who they are secret"
    )
    reply_wanted = models.BooleanField(default=True)
    intake_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    notice = models.PositiveIntegerField(
        null=True, help_text="edition of the privacy notice that the requester was shown; none: not known"
    )

    # matter
    nature = models.CharField(max_length=10, choices=Nature.choices)
    matter = PrefixField(max_length=12, blank=True, help_text="matter code; empty until someone has decided")
    title = models.CharField(max_length=120)
    content = models.TextField()
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.ORDINARY)
    collective = models.BooleanField(default=False, help_text="concerns many; a flag on the matter")
    occurred_at = models.DateTimeField(null=True)
    fields = models.JSONField(default=dict, help_text="what this kind of case asks beyond the common fields")

    # place: the code it was born with
    place = PrefixField(help_text="the smallest division known, down to the grid")
    address = models.CharField(max_length=200, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)

    # dispatch
    lead_unit = models.ForeignKey("organisation.Unit", models.PROTECT, null=True, related_name="+")
    units = ArrayField(
        models.BigIntegerField(), default=list, help_text="lead and assisting units: who may see it"
    )
    handler = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    rule = models.ForeignKey("dispatch.Rule", models.PROTECT, null=True, related_name="+")
    named_after_study = models.BooleanField(
        default=False, help_text="named after a disputed return: may not return"
    )
    accused_unit = models.ForeignKey(
        "organisation.Unit", models.PROTECT, null=True, related_name="+", help_text="the unit complained of"
    )

    # relations
    main = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", help_text="merged into"
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="parts", help_text="split from"
    )

    suspended_until = models.DateField(null=True, help_text="the planned date of a suspended case")
    supervision = models.CharField(max_length=6, choices=Supervision.choices, default="", blank=True)
    reworks = models.PositiveSmallIntegerField(default=0)
    returns = models.PositiveSmallIntegerField(default=0)
    public_reply = models.TextField(blank=True, help_text="the reviewed reply, as the requester reads it")
    contacted = models.BooleanField(null=True, help_text="callback: the unit contacted the requester")
    solved = models.BooleanField(null=True, help_text="callback: solved")
    satisfaction = models.PositiveSmallIntegerField(
        null=True, help_text="callback: 5 best to 1, 0 not reached"
    )
    appealed_at = models.DateTimeField(null=True, help_text="the requester objects and has no answer yet")

    open = models.GeneratedField(
        expression=models.ExpressionWrapper(
            ~Q(state__in=[s.value for s in ENDED]), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="the earliest due time of its running clocks")
    dispatched_at = models.DateTimeField(null=True, help_text="first dispatch")
    closed_at = models.DateTimeField(null=True)

    # head of its chain of events (lucheng.core.ledger)
    chain_length = models.PositiveIntegerField()
    chain_head = models.BinaryField()

    # a repeated create finds its first answer
    idempotency_key = models.CharField(max_length=100, null=True, unique=True)  # noqa: DJ001 (null: no key)
    request_digest = models.BinaryField(null=True)

    class Meta:
        indexes = [
            # A unit's inbox, a place's board and the queues read open cases only; closed ones grow without end.
            GinIndex(fields=["units"], name="case_units", condition=Q(open=True)),
            models.Index("place", "due_at", name="case_place_open", condition=Q(open=True)),
            models.Index("due_at", "id", name="case_due", condition=Q(open=True)),
            models.Index("place", "created_at", name="case_place"),
            models.Index("state", "created_at", name="case_state"),
            models.Index("created_at", "id", name="case_created"),
            models.Index("dispatched_at", name="case_dispatched", condition=~Q(dispatched_at=None)),
            models.Index("closed_at", name="case_closed", condition=~Q(closed_at=None)),
            models.Index("suspended_until", name="case_suspended", condition=~Q(suspended_until=None)),
            models.Index("appealed_at", name="case_appealed", condition=~Q(appealed_at=None)),
            models.Index("main", name="case_main", condition=~Q(main=None)),
            models.Index("parent", name="case_parent", condition=~Q(parent=None)),
            models.Index("kept_by", "due_at", name="case_kept", condition=~Q(kept_by="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def heading(self) -> str:
        """The title as a page shows it; a word in its place where the texts were destroyed by rule."""
        return self.title or gettext("(destroyed by rule)")

    @property
    def has_requester(self) -> bool:
        """Whether somebody outside the administration stands behind it, who is told and called back: its kind says."""
        from lucheng.core.cases.kinds import KINDS  # kinds are declared once the models stand

        return KINDS[self.kind].has_requester

    @property
    def is_verified(self) -> bool:
        """Whether its result is verified on site (核查) rather than asked of a requester (回访)."""
        return not self.has_requester


class Assist(models.Model):
    """A unit that helps the lead unit (协办单位) and reports to it; a helper that cannot help explains why."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="assists")
    unit = models.ForeignKey("organisation.Unit", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    replied_at = models.DateTimeField(null=True)
    reply = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "unit"], name="assist_once")]

    def __str__(self) -> str:
        return f"{self.case} · {self.unit}"


class Text(models.Model):
    """What somebody wrote in one step of a case. The ledger keeps its digest, so that it can be proved while it is held
    and destroyed by rule without breaking the chain."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="texts")
    seq = models.PositiveIntegerField(help_text="number of the event in the chain")
    name = models.CharField(max_length=20, help_text="field of the transition")
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq", "name"], name="text_once")]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.seq} {self.name}"


class Attachment(models.Model):
    """A photograph, re-encoded on arrival so that position and device are gone. Its file is named by its hash."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="attachments")
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "sha256"], name="attachment_once")]
        indexes = [models.Index("sha256", name="attachment_file")]

    def __str__(self) -> str:
        return self.sha256


class Request(models.Model):
    """An idempotency key that has been used on an action, with the answer it got."""

    key = models.CharField(max_length=100, primary_key=True)
    digest = models.BinaryField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class CallbackPlan(models.Model):
    """One edition of what share of callbacks is made by telephone. Editions are added and never changed, so that nobody
    can draw again until the draw suits them: a case is drawn by the edition in force when its callback began."""

    made_at = models.DateTimeField(db_index=True)
    made_by = models.ForeignKey("organisation.Person", models.PROTECT, related_name="+")
    note = models.CharField(max_length=200)

    def __str__(self) -> str:
        return str(self.pk)


class CallbackShare(models.Model):
    """One row of an edition: of these cases, so many in a hundred are called. The most specific row holds."""

    plan = models.ForeignKey(CallbackPlan, models.CASCADE, related_name="shares")
    nature = models.CharField(max_length=10, choices=Nature.choices, blank=True, help_text="empty means any")
    matter = PrefixField(max_length=12, blank=True, help_text="matter prefix; empty means any")
    place = PrefixField(blank=True, help_text="place prefix; empty means anywhere")
    percent = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "nature", "matter", "place"], name="callback_share_once"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="callback_share_of_a_hundred"),
        ]

    def __str__(self) -> str:
        return f"{self.nature} {self.matter}@{self.place}: {self.percent} %"


class CallbackTurn(models.Model):
    """Who has a case in hand for its callback, until when, and when to try again: work in progress, no record. What was
    done stands in the ledger."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="turn")
    person = models.ForeignKey("organisation.Person", models.CASCADE, null=True, related_name="+")
    until = models.DateTimeField(null=True, help_text="the reservation ends by itself")
    next_at = models.DateTimeField(null=True, help_text="not reached: not to be tried again before")

    def __str__(self) -> str:
        return f"{self.case_id} until {self.until}"
