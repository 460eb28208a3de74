"""The forms of the administration. They turn words into records; what may be done is decided in the core."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.dispatch import matters
from lucheng.core.dispatch.rules import ASSISTS, BASIS, LEAD, MATTER, NOTE, PLACE, Row
from lucheng.core.organisation.capabilities import CAPABILITIES
from lucheng.core.organisation.models import Post, Role, Unit
from lucheng.core.places.models import Division

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
#: Choices offered when a name fits several.
OFFERED = 5


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class UnitField(forms.CharField):
    """A unit by its code or its exact name."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = list(Unit.objects.filter(code=text)) or list(Unit.objects.filter(name=text)[: OFFERED + 1])
        if not found:
            raise forms.ValidationError(
                _("There is no unit “%(text)s”. Find its code on the page of units."), params={"text": text}
            )
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several units are called so; write the code of one: %(codes)s"),
                params={"codes": ", ".join(u.code for u in found[:OFFERED])},
            )
        return found[0]


class PlaceField(forms.CharField):
    """A division or grid in force, by its code or its exact name; gives the code."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text or text.isdecimal():
            return text
        found = list(
            Division.objects.filter(name=text, valid_to=None)
            .order_by("code")
            .values_list("code", flat=True)[: OFFERED + 1]
        )
        if not found:
            raise forms.ValidationError(
                _("No place is called “%(text)s”. Write its name in full, or its code."),
                params={"text": text},
            )
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several places are called so; write the code of one: %(codes)s"),
                params={"codes": ", ".join(found[:OFFERED])},
            )
        return found[0]


class SheetForm(forms.Form):
    file = forms.FileField(label=_("Sheet (xlsx)"), widget=forms.FileInput(attrs={"accept": ".xlsx"}))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(_("This file is too large. Split it into several."))
        return file


class NoteForm(forms.Form):
    note = forms.CharField(label=_("What this draft is for"), max_length=200, required=False)


class CatalogueSheetForm(SheetForm, NoteForm):
    """A sheet and what the draft made of it is for."""


class RowForm(forms.Form):
    """One row of a draft. Its fields carry the names of the sheet's columns, as faults do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[MATTER] = forms.ChoiceField(
            label=_("Matter"),
            required=False,
            choices=[
                ("", _("any matter")),
                *((code, f"{code} {m.name}") for code, m in matters.known().items()),
            ],
        )
        self.fields[PLACE] = PlaceField(
            label=_("Place"), help_text=_("Name or code of the division or grid.")
        )
        self.fields[LEAD] = UnitField(label=_("Lead unit"), help_text=_("Name or code of the unit."))
        self.fields[ASSISTS] = forms.CharField(
            label=_("Assisting units"), required=False, help_text=_("Codes, separated by commas.")
        )
        self.fields[BASIS] = forms.CharField(
            label=_("Basis"), max_length=200, help_text=_("Law, regulation or list of powers and duties.")
        )
        self.fields[NOTE] = forms.CharField(label=_("Note"), max_length=200, required=False)

    @staticmethod
    def of(row: Row) -> dict[str, str]:
        return {
            MATTER: row.matter,
            PLACE: row.place,
            LEAD: row.lead,
            ASSISTS: "、".join(row.assists),
            BASIS: row.basis,
            NOTE: row.note,
        }

    def row(self) -> Row:
        entered = self.cleaned_data
        codes = entered[ASSISTS].replace("，", "、").replace(",", "、").replace(";", "、").split("、")
        return Row(
            matter=entered[MATTER],
            place=entered[PLACE],
            lead=entered[LEAD].code,
            assists=tuple(code.strip() for code in codes if code.strip()),
            basis=entered[BASIS],
            note=entered[NOTE],
        )


class PeriodForm(forms.Form):
    since = forms.DateField(label=_("First day"), widget=DayInput())
    until = forms.DateField(label=_("Last day"), widget=DayInput())

    #: Days: longer would hold up other people's pages.
    LONGEST = 366

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or {}
        since, until = entered.get("since"), entered.get("until")
        if since and until and not (0 <= (until - since).days <= self.LONGEST and until < dt.date.max):
            raise forms.ValidationError(_("The last day must come after the first, by no more than a year."))
        return entered


class RoleForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("role", "Name"), max_length=40)
    name_en = forms.CharField(label=_("Name in English"), max_length=60, required=False)
    reach = forms.ChoiceField(label=_("Reach"), choices=Role.Reach.choices, widget=forms.RadioSelect)
    capabilities = forms.MultipleChoiceField(
        label=_("Capabilities"),
        required=False,
        choices=list(CAPABILITIES.items()),
        widget=forms.CheckboxSelectMultiple,
    )


class PersonForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=60, help_text=_("What they sign in with; no spaces.")
    )
    name = forms.CharField(label=_("Name"), max_length=60)
    password = forms.CharField(
        label=_("First password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )


class PostForm(forms.Form):
    role = forms.ModelChoiceField(Role.objects.order_by("name"), label=_("Role"))
    place = PlaceField(label=_("Place"), help_text=_("Name or code of the division or grid."))
    unit = UnitField(
        label=pgettext_lazy("organisation", "Unit"), required=False, help_text=_("Name or code of the unit.")
    )
    since = forms.DateField(label=_("First day"), widget=DayInput())
    until = forms.DateField(
        label=_("Ends on"),
        required=False,
        widget=DayInput(),
        help_text=_("The first day on which it is over."),
    )
    basis = forms.ChoiceField(label=_("Basis of work"), choices=Post.Basis.choices)


class DayForm(forms.Form):
    day = forms.DateField(label=_("Day"), widget=DayInput())
    kind = forms.ChoiceField(
        label=_("What it is"),
        choices=[("off", _("a day off")), ("work", _("a working day at a weekend"))],
        initial="off",
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("Why"), max_length=40, help_text=_("The name of the holiday."))
