"""How a form field looks, everywhere: ``{{ form.text.as_field_group }}``."""

from __future__ import annotations

from django.forms.renderers import DjangoTemplates


class Renderer(DjangoTemplates):
    """Label, help, error, then the field, joined for screen readers."""

    field_template_name = "web/field.html"
