"""The order that an operator writes while talking."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import kinds
from lucheng.core.cases.models import Channel, Nature
from lucheng.core.dispatch.matters import choices

#: The kind of case that a call makes.
ORDER = "command_centre.order"


class OrderForm(forms.Form):
    content = forms.CharField(
        label=_("What the caller says"),
        widget=forms.Textarea(attrs={"rows": 7, "autofocus": True}),
    )
    phone = forms.CharField(
        label=_("Telephone"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("How to address them"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    nature = forms.ChoiceField(label=_("What is wanted"), widget=forms.RadioSelect)
    address = forms.CharField(
        label=_("Place in words"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    place = forms.CharField(required=False, widget=forms.HiddenInput)
    accused_unit = forms.CharField(
        label=_("Unit complained of"),
        required=False,
        help_text=_(
            "Only where the complaint is about a unit's own conduct: the order then never reaches it."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    matter = forms.ChoiceField(label=_("Category"), required=False)
    anonymous = forms.BooleanField(label=_("anonymous"), required=False)
    confidential = forms.BooleanField(label=_("keep who they are secret"), required=False)
    no_reply = forms.BooleanField(label=_("wants no reply"), required=False)
    answer = forms.CharField(
        label=_("Answer given at once"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    channel = forms.ChoiceField(
        label=_("Came by"),
        choices=[(c.value, c.label) for c in Channel if c not in (Channel.GRID, Channel.API)],
        initial=Channel.PHONE.value,
    )
    key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        natures = kinds.KINDS[ORDER].natures
        self.fields["nature"].choices = [(n.value, n.label) for n in natures]  # type: ignore[attr-defined]
        self.fields["nature"].initial = Nature.HELP.value
        self.fields["matter"].choices = choices()  # type: ignore[attr-defined]
