"""Writing an article of the knowledge base."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.engine import unit_named
from lucheng.core.errors import Invalid
from lucheng.projects.command_centre.knowledge import FIELDS
from lucheng.projects.command_centre.models import Article

_LIST = re.compile(r"[\s,，、;；]+")


class _Days(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ArticleForm(forms.Form):
    """The fields of an article as people write them: lists in a line, the unit by name or code."""

    code = forms.SlugField(
        label=_("Code of the article"),
        max_length=40,
        help_text=_("Letters, digits and dashes, such as heating-start."),
    )
    title = forms.CharField(label=_("Question"), max_length=120)
    terms = forms.CharField(
        label=_("Words by which people ask for it"),
        required=False,
        max_length=1000,
        help_text=_("As callers say them, with commas between."),
    )
    answer = forms.CharField(
        label=_("Answer for the caller"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 8})
    )
    note = forms.CharField(
        label=_("Note for staff"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    matters = forms.CharField(
        label=_("Classes of matter"),
        required=False,
        max_length=200,
        help_text=_("Codes or the beginning of codes, such as 0301, with commas between."),
    )
    place = forms.CharField(
        label=_("Holds at"),
        required=False,
        max_length=15,
        help_text=_("The code of a place; empty: everywhere."),
    )
    owner = forms.CharField(
        label=_("Unit that answers for it"), max_length=60, help_text=_("Its name or its code.")
    )
    basis = forms.CharField(label=_("Legal basis"), required=False, max_length=300)
    valid_from = forms.DateField(label=_("Holds from"), widget=_Days())
    valid_until = forms.DateField(
        label=_("Last day on which it holds"),
        required=False,
        widget=_Days(),
        help_text=_("After this day it is proposed to nobody."),
    )
    review_by = forms.DateField(label=_("To be reviewed by"), widget=_Days())
    public = forms.BooleanField(label=_("residents may read it"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def values(self) -> dict[str, Any]:
        """What was entered, as :func:`lucheng.projects.command_centre.knowledge.write` takes it.

        Raises Invalid naming each wrong field.
        """
        if not self.is_valid():
            raise Invalid({name: str(errors[0]) for name, errors in self.errors.items()})
        entered = {name: self.cleaned_data[name] for name in FIELDS}
        for name in ("terms", "matters"):
            entered[name] = list(dict.fromkeys(t for t in _LIST.split(entered[name]) if t))
        if any(len(t) > 40 for t in entered["terms"]) or any(len(t) > 12 for t in entered["matters"]):
            raise Invalid({"terms": _("Put commas between the words: one of them is too long.")})
        entered["owner"] = unit_named("owner", entered["owner"])
        return entered


def initial(article: Article) -> dict[str, Any]:
    """An article as its form shows it."""
    shown = {name: getattr(article, name) for name in FIELDS}
    return shown | {
        "code": article.code,
        "terms": "，".join(article.terms),
        "matters": "，".join(article.matters),
        "owner": article.owner.name,
        "version": article.version,
    }


def blank(day: dt.date, review: dt.date, title: str) -> dict[str, Any]:
    """A new article, as its form shows it."""
    return {"valid_from": day, "review_by": review, "title": title}
