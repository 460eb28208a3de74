"""Advice given and what a person made of it."""

from __future__ import annotations

from django.db import models

from lucheng.core.fields import PrefixField


class Model(models.Model):
    """A trained category model: its weights, what it was trained on and how well it did on what it had not seen."""

    version = models.CharField(max_length=40, unique=True)
    weights = models.BinaryField(help_text="numpy .npz: words, classes, coefficients, intercepts")
    trained_at = models.DateTimeField()
    samples = models.PositiveIntegerField()
    accuracy = models.FloatField(null=True, help_text="share right on held-out samples")
    active = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.version


class Advice(models.Model):
    """What was proposed for a case, with its probability and model, and what the human decided."""

    case = models.OneToOneField("cases.Case", models.CASCADE, related_name="advice")
    model_version = models.CharField(max_length=40)
    matter = PrefixField(max_length=12, blank=True, help_text="proposed; empty when it abstained")
    matter_probability = models.FloatField(null=True)
    place = PrefixField(blank=True, help_text="proposed; empty when it abstained")
    place_score = models.FloatField(null=True)
    decided_matter = PrefixField(max_length=12, blank=True)
    decided_place = PrefixField(blank=True)
    decided_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.case}: {self.matter} {self.place}"


class ReplyTemplate(models.Model):
    """A reply to start from, for a class of matter: of the national pack, or of one unit."""

    code = models.CharField(max_length=40, null=True, unique=True, help_text="its name in a pack")  # noqa: DJ001
    unit = models.ForeignKey(
        "organisation.Unit", models.CASCADE, null=True, related_name="+", help_text="whose; none: everybody's"
    )
    matter = PrefixField(max_length=12, blank=True, help_text="matter code; empty means any")
    name = models.CharField(max_length=40)
    text = models.TextField()
    version = models.PositiveIntegerField(default=1)
    changed_by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code=None) | models.Q(unit=None), name="reply_template_of_pack_or_unit"
            ),
        ]

    def __str__(self) -> str:
        return self.name
