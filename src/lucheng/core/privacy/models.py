"""Who asked, sealed and apart from what was asked; and how long either is kept."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.fields import PrefixField


class Contact(models.Model):
    """The requester of one case. Fields are sealed one by one; lists show the mask, look-up uses the blind index."""

    case = models.OneToOneField("cases.Case", models.CASCADE, related_name="contact")
    name = models.BinaryField(null=True)
    phone = models.BinaryField(null=True)
    phone_mask = models.CharField(max_length=20, blank=True, help_text="138****2210")
    phone_index = models.BinaryField(null=True, help_text="keyed hash of the number")
    address = models.BinaryField(null=True, help_text="their own, where a letter reaches them")

    class Meta:
        indexes = [models.Index(fields=["phone_index"], name="contact_phone")]

    def __str__(self) -> str:
        return self.phone_mask


class OneTimeCode(models.Model):
    """The last one-time code that was asked for with a number, whether any case has that number or not."""

    number = models.BinaryField(primary_key=True, help_text="blind index of the number")
    digest = models.BinaryField(help_text="keyed hash of number and code")
    until = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="how often it was tried")

    def __str__(self) -> str:
        return self.until.isoformat()


class Reveal(models.Model):
    """One look at sealed data: who, for which unit, at what, when, why. Whoever checks the looks reads no cases, so the
    order's number stands here as well."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="reveals")
    number = models.CharField(max_length=20, help_text="number of the order")
    person = models.ForeignKey("organisation.Person", models.PROTECT, related_name="+")
    unit = models.ForeignKey("organisation.Unit", models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=40, blank=True, help_text="role acted in")
    fields = ArrayField(models.CharField(max_length=10), help_text="what was opened: name, phone, address")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        indexes = [
            models.Index("at", "id", name="reveal_at"),
            models.Index("person", "at", name="reveal_person"),
            models.Index("unit", "at", name="reveal_unit"),
            models.Index("number", name="reveal_number"),
        ]

    def __str__(self) -> str:
        return self.reason


class What(models.TextChoices):
    """What of a case is destroyed together. Its number, states, times, place and answers in numbers stay for good."""

    CONTACT = "contact", _("name and contact")
    TEXTS = "texts", _("texts, address and point")
    PHOTOGRAPHS = "photographs", _("photographs")


class RetentionEdition(models.Model):
    """One edition of the retention rules. Editions are added and never changed; the newest holds."""

    number = models.PositiveIntegerField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        "organisation.Person",
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="none: the national pack",
    )
    note = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return str(self.number)


class RetentionRule(models.Model):
    """One row: so long after closing, this is kept of a kind of case; of a matter domain, where one is named."""

    edition = models.ForeignKey(RetentionEdition, models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=40, help_text="kind of case")
    matter = PrefixField(max_length=12, blank=True, help_text="matter prefix; empty means any")
    what = models.CharField(max_length=11, choices=What.choices)
    months = models.PositiveSmallIntegerField(help_text="after closing")
    basis = models.CharField(max_length=300, help_text="legal basis in words")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edition", "kind", "matter", "what"], name="retention_rule_once"),
            models.CheckConstraint(condition=Q(months__gte=1), name="retention_a_month_at_least"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.matter} {self.what}: {self.months}"


class RetentionBatch(models.Model):
    """What a sweep proposed to destroy together, for a person to look at and approve."""

    class State(models.TextChoices):
        PROPOSED = "proposed", pgettext_lazy("batch", "waits for approval")
        APPROVED = "approved", pgettext_lazy("batch", "approved, being carried out")
        DONE = "done", pgettext_lazy("batch", "carried out")
        DROPPED = "dropped", pgettext_lazy("batch", "dropped: the rules have changed")

    edition = models.ForeignKey(RetentionEdition, models.PROTECT, related_name="batches")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    proposed_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="proposed"), name="retention_one_proposal_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class RetentionItem(models.Model):
    """One thing to destroy of one case. What a list shows of the case stands here, so that a list opens no case."""

    class State(models.TextChoices):
        PROPOSED = "proposed", pgettext_lazy("item", "proposed")
        HELD = "held", pgettext_lazy("item", "held")
        DESTROYED = "destroyed", pgettext_lazy("item", "destroyed")
        PASSED = "passed", pgettext_lazy("item", "passed over: no longer due")

    batch = models.ForeignKey(RetentionBatch, models.CASCADE, related_name="items")
    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="+")
    rule = models.ForeignKey(RetentionRule, models.PROTECT, related_name="+")
    number = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    what = models.CharField(max_length=11, choices=What.choices)
    closed_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PROPOSED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "case", "what"], name="retention_item_once")]
        indexes = [
            models.Index("batch", "id", name="retention_to_do", condition=Q(state="proposed")),
            models.Index("case", name="retention_item_case"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.what}"


class RetentionHold(models.Model):
    """A case of which nothing is destroyed while the hold stands: a suit, an audit, a rights request."""

    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="retention_holds")
    number = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    held_at = models.DateTimeField()
    held_by = models.ForeignKey("organisation.Person", models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    lift_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(lifted_at=None), name="retention_one_hold_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.reason}"


class Tombstone(models.Model):
    """What was destroyed of a case, when, and by which rule. The ledger says the same in an event of the case."""

    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="tombstones")
    what = models.CharField(max_length=11, choices=What.choices)
    at = models.DateTimeField()
    seq = models.PositiveIntegerField(help_text="number of the event in the chain")
    edition = models.PositiveIntegerField(null=True, help_text="of the retention rules")
    months = models.PositiveSmallIntegerField(null=True)
    basis = models.CharField(max_length=300)
    approved_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(
        null=True, help_text="files are gone from the disk, and the record outside the database says so"
    )

    class Meta:
        indexes = [
            models.Index("case", name="tombstone_case"),
            models.Index("id", name="tombstone_unsettled", condition=Q(settled_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.what}"


class NoticeEdition(models.Model):
    """One edition of what a person is told before they say anything. Editions are added and never changed; the newest
    is shown, and a case keeps the number of the one that was."""

    number = models.PositiveIntegerField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        "organisation.Person",
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="none: the national pack",
    )
    note = models.CharField(max_length=200, blank=True)
    zh = models.TextField()
    en = models.TextField()

    def __str__(self) -> str:
        return str(self.number)


class Register(models.TextChoices):
    """The registers that whoever handles personal data keeps, each with a shape of its own (registers.FIELDS)."""

    PROCESSING = "processing", _("processing activities")
    ASSESSMENT = "assessment", _("impact assessments")
    PROCESSOR = "processor", _("processors")


class RegisterEntry(models.Model):
    """One version of an entry of a register. A version is never changed: the next replaces it, and the database refuses
    anything else. The last one says whether the entry is in force."""

    register = models.CharField(max_length=10, choices=Register.choices)
    code = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(help_text="1, 2, 3 … within the entry")
    title = models.CharField(max_length=120)
    fields = models.JSONField(default=dict, help_text="by name, as the register asks for them")
    ended_on = models.DateField(null=True, help_text="the first day on which it is over")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        "organisation.Person",
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="none: the national pack",
    )
    note = models.CharField(max_length=200, blank=True, help_text="why it changed")

    class Meta:
        db_table = "privacy_register_entry"
        constraints = [
            models.UniqueConstraint(fields=["register", "code", "version"], name="register_entry_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="register_entry_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.register} {self.code} {self.version}"
