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
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), **common)
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
            return forms.CharField(**common)


class ActionForm(forms.Form):
    """What one step asks for. The engine checks the entries; this form shows them and carries its refusals."""

    def __init__(
        self, row: Transition, case: Case, data: Any = None, initial: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        for name in row.needs:
            self.fields[name] = _field(name, case, required=True)
        for name in row.takes:
            self.fields[name] = _field(name, case, required=False)
        self.fields["version"] = forms.IntegerField(widget=forms.HiddenInput, initial=case.version)

    def entered(self) -> dict[str, Any]:
        """The entries as the engine takes them."""
        names = [n for n in self.fields if n != "version"]
        return {n: self.data.get(self.add_prefix(n), "") for n in names if n in self.data}


def prefilled(row: Transition, asked: Mapping[str, str]) -> dict[str, str]:
    """What an address may preset in the form of a step: one of the choices of a field, or the number of an order. A
    text is only ever written by the person who sends it."""
    found = {}
    for name in (*row.needs, *row.takes):
        value = asked.get(name, "")
        spec = FIELDS[name]
        if (spec.kind == "choice" and value in dict(spec.choices)) or (
            spec.kind == "case" and value.isascii() and value.isdecimal() and len(value) <= 20
        ):
            found[name] = value
    return found


def unit_names(case: Case) -> list[str]:
    """Units a person may want to name for a case: those of its county and of the city itself."""
    near = Unit.objects.filter(active=True, place__in=[case.place[:n] for n in (4, 6, 9, 12)])
    return list(near.order_by("place", "name").values_list("name", flat=True)[:300])
