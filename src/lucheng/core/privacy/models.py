"""Who asked, sealed and apart from what was asked."""

from __future__ import annotations

from django.db import models


class Contact(models.Model):
    """The requester of one case. Fields are sealed one by one; lists show the mask, look-up uses the blind index."""

    case = models.OneToOneField("cases.Case", models.CASCADE, related_name="contact")
    name = models.BinaryField(null=True)
    phone = models.BinaryField(null=True)
    phone_mask = models.CharField(max_length=20, blank=True, help_text="138****2210")
    phone_index = models.BinaryField(null=True, help_text="keyed hash of the number")

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
    """One look at sealed data: who, when, why."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="reveals")
    person = models.ForeignKey("organisation.Person", models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.reason
