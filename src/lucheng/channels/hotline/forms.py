"""The order that an operator writes while talking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import kinds
from lucheng.core.cases.models import Channel, Nature
from lucheng.core.dispatch import matters
from lucheng.core.dispatch.matters import choices

#: The kind of case that a call makes.
ORDER = "command_centre.order"
#: Alt with 1 to 3 takes proposals over; from here on it says what is wanted.
_FIRST_KEY = 4


class MatterSelect(forms.Select):
    """The classes of matter; each option says by which words people name it, for the finder that stands before it."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        known = matters.known().get(str(value))
        if known is not None and known.terms:
            option["attrs"]["data-terms"] = " ".join(known.terms)
        return option


class NatureChoice(forms.RadioSelect):
    """What is wanted, each with a key of its own, after those that take proposals over."""

    def create_option(
        self, name: str, value: Any, label: Any, selected: bool, index: int, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, label, selected, index, *args, **kwargs)
        key = _FIRST_KEY + index
        if key <= 9:
            option["attrs"] |= {
                "data-key": f"Alt+{key}",
                "aria-keyshortcuts": f"Alt+{key}",
                "data-says": label,
            }
        return option


class OrderForm(forms.Form):
    phone = forms.CharField(
        label=_("Telephone"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "maxlength": 40}),
    )
    name = forms.CharField(
        label=_("How to address them"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    contact_address = forms.CharField(
        label=_("Their own address"),
        required=False,
        max_length=200,
        help_text=_("Only where the answer goes by post. The place of the matter is entered with the order."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    confidential = forms.BooleanField(label=_("keep who they are secret"), required=False)
    reply_wanted = forms.BooleanField(label=_("wants a reply"), required=False, initial=True)
    anonymous = forms.BooleanField(label=_("anonymous"), required=False)
    channel = forms.ChoiceField(
        label=_("Came by"),
        choices=[(c.value, c.label) for c in Channel if c not in (Channel.GRID, Channel.API)],
        initial=Channel.PHONE.value,
    )
    transfer_reason = forms.CharField(
        label=_("Why it is handed over"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    content = forms.CharField(label=_("What the caller says"), widget=forms.Textarea(attrs={"rows": 6}))
    address = forms.CharField(
        label=_("Place in words"), required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    place = forms.CharField(required=False, widget=forms.HiddenInput)
    matter = forms.ChoiceField(label=_("Category"), required=False, widget=MatterSelect)
    nature = forms.ChoiceField(label=_("What is wanted"), widget=NatureChoice)
    accused_unit = forms.CharField(
        label=_("Unit complained of"),
        required=False,
        help_text=_(
            "Only where the complaint is about a unit's own conduct: the order then never reaches it."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": " "}),
    )
    answer = forms.CharField(
        label=_("Answer given at once"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    key = forms.CharField(widget=forms.HiddenInput)
    #: When the call began, in milliseconds since 1970, by the clock of the operator's own machine.
    started = forms.CharField(required=False, widget=forms.HiddenInput)
    #: "1" once the operator has chosen the place; else it follows what is being written.
    taken = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        natures = kinds.KINDS[ORDER].natures
        self.fields["nature"].choices = [(n.value, n.label) for n in natures]  # type: ignore[attr-defined]
        self.fields["nature"].initial = Nature.HELP.value
        self.fields["matter"].choices = choices()  # type: ignore[attr-defined]


#: What is kept of an order that is still being written.
KEPT = (*OrderForm.base_fields, "proposed_place", "proposed_matter", "notice")
_FLAGS = tuple(n for n, f in OrderForm.base_fields.items() if isinstance(f, forms.BooleanField))


def entered_in(data: Mapping[str, Any]) -> dict[str, str]:
    """What stands in a form that was sent, by field; a flag that is not set is left out."""
    return {name: str(data[name]) for name in KEPT if name in data}


def unsent(entered: Mapping[str, str]) -> OrderForm:
    """The form with what has been entered so far, and no word about what is still missing."""
    return OrderForm(initial={**entered, **{flag: flag in entered for flag in _FLAGS}})
