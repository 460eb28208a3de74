"""How a form field looks, everywhere: ``{{ form.text.as_field_group }}``, and fields that several rooms have."""

from __future__ import annotations

from django import forms
from django.forms.renderers import DjangoTemplates
from django.urls import reverse_lazy


class Renderer(DjangoTemplates):
    """Label, help, error, then the field, joined for screen readers."""

    field_template_name = "web/field.html"


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class NameInput(forms.TextInput):
    """A line that finds as one types (frontend/src/islands/names.ts); ``what`` is unit, place or matter."""

    def __init__(self, what: str, *, several: bool = False) -> None:
        attrs = {
            "data-island": "names",
            "data-from": reverse_lazy("find-name", args=[what]),
            "autocomplete": "off",
            "spellcheck": "false",
        }
        super().__init__({**attrs, **({"data-several": ""} if several else {})})
