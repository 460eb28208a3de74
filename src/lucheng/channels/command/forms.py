"""A form for any row of the life cycle, made from the fields that the row asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.lifecycle import FIELDS, Transition
from lucheng.core.cases.models import Case
from lucheng.core.dispatch import matters
from lucheng.core.errors import Invalid
from lucheng.core.organisation.models import Unit
from lucheng.core.organisation.people import handlers
from lucheng.core.places.names import place_name


def _field(name: str, case: Case, required: bool) -> forms.Field:
    spec = FIELDS[name]
    common: dict[str, Any] = {"label": spec.label, "required": required}

    match spec.kind:
        case "flag":
            return forms.BooleanField(**{**common, "required": False})
        case "choice":
            return forms.ChoiceField(choices=spec.choices, widget=forms.RadioSelect, **common)
        case "text":
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}), **common)
        case "matter":
            return forms.ChoiceField(choices=matters.choices(), initial=case.matter, **common)
        case "place":
            return forms.CharField(initial=case.place, help_text=place_name(case.place), **common)
        case "person":
            people = handlers([case.lead_unit_id], timezone.localdate()) if case.lead_unit_id else []
            return forms.ChoiceField(choices=[("", "—"), *((p.pk, p.name) for p in people)], **common)
        case "unit" | "units":
            help_text = (
                _("Name or code of the unit; several, separated by commas.") if spec.kind == "units" else ""
            )
            return forms.CharField(
                widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off"}),
                help_text=help_text,
                **common,
            )
        case "case":
            return forms.CharField(help_text=_("The number of the order."), **common)
        case "date":
            return forms.CharField(widget=forms.DateInput(attrs={"type": "date"}), **common)
        case "days":
            return forms.CharField(widget=forms.NumberInput(attrs={"min": 1}), **common)
        case _:
            return forms.CharField(widget=forms.TextInput(attrs={"dir": "auto"}), **common)


#: What an address may fill in: a choice among what there is. Never words, which are the person's own.
_GIVEN = ("choice", "unit", "units", "matter", "place", "case", "days", "date")


class ActionForm(forms.Form):
    """What one step asks for. The engine checks the entries; this form shows them and carries its refusals.

    ``given`` are values in the address from which a link led here.
    """

    def __init__(
        self, row: Transition, case: Case, data: Any = None, given: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data)
        for name in row.needs:
            self.fields[name] = _field(name, case, required=True)
        for name in row.takes:
            self.fields[name] = _field(name, case, required=False)
        for name, value in (given or {}).items():
            if name in self.fields and _may_be_given(name, self.fields[name], value):
                self.fields[name].initial = value
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=case.version)

    def show(self, refused: Invalid) -> None:
        """Carry the engine's refusals, each at its field, in place of what the form itself would say."""
        self.full_clean()
        for name, text in refused.fields.items():
            self.errors.pop(name, None)
            self.add_error(name if name in self.fields else None, str(text))

    def renew(self, case: Case) -> None:
        """Keep what was typed, and go on from the version that the case has now."""
        self.data = {**{n: self.data.get(n, "") for n in self.data}, "version": str(case.version)}

    def entered(self) -> dict[str, Any]:
        """The entries as the engine takes them."""
        names = [n for n in self.fields if n != "version"]
        return {n: self.data.get(self.add_prefix(n), "") for n in names if n in self.data}


def _may_be_given(name: str, field: forms.Field, value: str) -> bool:
    if FIELDS[name].kind not in _GIVEN or len(value) > 100:
        return False
    if isinstance(field, forms.ChoiceField):
        return bool(field.valid_value(value))
    return True


def unit_names(case: Case) -> list[str]:
    """Units a person may want to name for a case: those of its county and of the city itself."""
    near = Unit.objects.filter(active=True, place__in=[case.place[:n] for n in (4, 6, 9, 12)])
    return list(near.order_by("place", "name").values_list("name", flat=True)[:300])
