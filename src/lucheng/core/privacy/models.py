"""Who asked, sealed and apart from what was asked."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


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
