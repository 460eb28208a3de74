"""What only the hotline keeps: its knowledge base, and orders that are still being written."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from lucheng.core.fields import PrefixField


class Article(models.Model):
    """One answer that callers may be given: what is asked and answered, who answers for it, how long it holds."""

    code = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=120)
    terms = ArrayField(
        models.CharField(max_length=40), default=list, help_text="words by which people ask for it"
    )
    answer = models.TextField(help_text="what the caller is told")
    note = models.TextField(blank=True, help_text="for staff only")
    matters = ArrayField(PrefixField(max_length=12), default=list, help_text="prefixes of matter codes")
    place = PrefixField(blank=True, help_text="where it holds; everywhere when empty")
    owner = models.ForeignKey("organisation.Unit", models.PROTECT, related_name="+")
    basis = models.CharField(max_length=300, blank=True, help_text="legal basis")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, help_text="the last day on which it holds")
    review_by = models.DateField()
    public = models.BooleanField(default=False, help_text="residents may read question and answer")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="article_valid_in_order",
            )
        ]
        indexes = [models.Index(fields=["review_by"], name="article_review")]

    def __str__(self) -> str:
        return self.title

    def holds(self, day: dt.date) -> bool:
        """Whether it may be told to anybody on ``day``."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class ArticleChange(models.Model):
    """One version of an article as it was written: who, when, and all it said."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="changes")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey("organisation.Person", models.PROTECT, null=True, related_name="+")
    said = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="one_change_per_version")]

    def __str__(self) -> str:
        return f"{self.article_id} {self.number}"


class CallDraft(models.Model):
    """An order on its way, sealed, for the operator who writes it and for nobody else; gone after a day."""

    operator = models.ForeignKey("organisation.Person", models.CASCADE, related_name="+")
    key = models.CharField(max_length=60)
    sealed = models.BinaryField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operator", "key"], name="one_draft_per_call")]
        indexes = [models.Index(fields=["saved_at"], name="draft_saved")]

    def __str__(self) -> str:
        return self.key
