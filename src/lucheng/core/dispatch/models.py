"""The matters of the city and the dispatch catalogue (派单目录): which unit answers for which matter."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lucheng.core.fields import PrefixField


class Matter(models.Model):
    """One class of matter (诉求分类). Codes nest by two digits: large, middle and small class."""

    code = PrefixField(max_length=12, primary_key=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=80, blank=True)
    terms = ArrayField(
        models.CharField(max_length=40), default=list, help_text="words by which people name it"
    )
    examples = ArrayField(models.TextField(), default=list, help_text="sentences as people say them")
    grassroots = models.BooleanField(
        default=False,
        help_text="on the list of duties of sub-districts and townships (乡镇(街道)履职事项清单)",
    )
    urgency = models.CharField(max_length=8, blank=True, help_text="urgency proposed for it")

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """One edition of the catalogue. A draft is edited and tried; publishing closes the edition before it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        RETIRED = "retired", _("retired")

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="published"), name="one_catalogue_in_force"
            )
        ]

    def __str__(self) -> str:
        return str(self.number)


class Rule(models.Model):
    """One row of an edition: a matter prefix and a place prefix to lead unit, helpers and legal basis."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="rules")
    matter = PrefixField(max_length=12, blank=True, help_text="matter prefix; empty means any matter")
    place = PrefixField(help_text="place prefix")
    lead = models.ForeignKey("organisation.Unit", models.PROTECT, related_name="+")
    assists = models.ManyToManyField("organisation.Unit", related_name="+")
    basis = models.CharField(max_length=200, help_text="law, regulation or list of powers and duties")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "matter", "place"], name="rule_once_per_matter_and_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.matter}@{self.place} → {self.lead}"


class Alarm(models.Model):
    """A case for which the catalogue has no row: it waits in a queue for a person, not a default."""

    case = models.OneToOneField("cases.Case", models.CASCADE, related_name="alarm")
    why = models.CharField(max_length=200)
    raised_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("raised_at", name="alarm_open", condition=Q(settled_at=None))]

    def __str__(self) -> str:
        return self.why
