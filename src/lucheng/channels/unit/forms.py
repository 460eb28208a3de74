"""What each step asks a unit's people for. The engine checks the entries; these show them and carry its refusals."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lucheng.core.cases import law
from lucheng.core.cases.attachments import MOST
from lucheng.core.cases.lifecycle import FIELDS
from lucheng.core.cases.models import Case
from lucheng.core.organisation import people
from lucheng.core.organisation.models import Unit

_YES_NO = (("true", gettext_lazy("yes")), ("false", gettext_lazy("no")))


def _label(name: str) -> Any:
    return FIELDS[name].label


class Photographs(forms.FileInput):
    """Several files in one field."""

    allow_multiple_selected = True


def _text(name: str, rows: int, required: bool = True, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=_label(name),
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _yes_no(name: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=_label(name), required=False, choices=_YES_NO, widget=forms.RadioSelect)


class StepForm(forms.Form):
    """The common part: the version that the person sees, and a key by which a second press is known."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, case: Case, action: str, data: Any = None) -> None:
        start = {"version": case.version, "key": uuid.uuid4().hex}
        if data is not None:
            # What was typed is shown again with what is true now: sent anew, it is a new attempt.
            data = data.copy()
            for name, value in start.items():
                data[name] = value
        super().__init__(data, auto_id=f"{action}_%s", initial=start)
        self.case = case
        self.build()

    def build(self) -> None:
        """Add what depends on the case."""

    def refuse(self, fields: Mapping[str, Any]) -> None:
        """Take over the engine's words for what is wrong."""
        self.full_clean()
        for name, text in fields.items():
            self.errors.pop(name, None)
            self.add_error(name if name in self.fields else None, str(text))


class ContactForm(StepForm):
    how = forms.ChoiceField(
        label=_label("how"), choices=FIELDS["how"].choices, widget=forms.RadioSelect, initial="phone"
    )

    def build(self) -> None:
        self.fields["note"] = _text(
            "note",
            3,
            required=False,
            help_text=_("What was said, or when it was tried. No names, no numbers."),
        )


class ReplyForm(StepForm):
    def build(self) -> None:
        self.fields["public_reply"] = _text("public_reply", 10)
        self.fields["handling"] = _text(
            "handling", 4, help_text=_("For the centre; the requester does not see it.")
        )
        self.fields["solved"] = _yes_no("solved")
        self.fields["facts_true"] = _yes_no("facts_true")
        silent = list(self.case.assists.filter(replied_at=None).select_related("unit").order_by("id"))
        self.fields["note"] = _text(
            "note",
            2,
            required=bool(silent),
            help_text=_("Not yet reported: %(units)s. Say why you do not wait.")
            % {"units": "、".join(a.unit.name for a in silent)}
            if silent
            else "",
        )


class ReturnForm(StepForm):
    def build(self) -> None:
        self.fields["reason"] = _text("reason", 4)
        self.fields["basis"] = forms.CharField(
            label=_label("basis"), help_text=_("The law or document with its article or number.")
        )
        self.fields["proposed_unit"] = forms.CharField(
            label=_label("proposed_unit"),
            required=False,
            widget=forms.TextInput(attrs={"list": "units", "autocomplete": "off"}),
        )
        self.fields["photo"] = forms.FileField(
            label=_("Evidence"),
            required=False,
            help_text=_("Photographs of the place or of the document, at most %(most)s with those there are.")
            % {"most": MOST},
            widget=Photographs(attrs={"accept": "image/jpeg,image/png,image/webp", "multiple": True}),
        )
        self.fields["kept"] = forms.CharField(required=False, widget=forms.HiddenInput)


class ExtendForm(StepForm):
    def build(self) -> None:
        left = max(law.extension_left(self.case), 0)
        self.fields["days"] = forms.CharField(
            label=_label("days"),
            widget=forms.NumberInput(attrs={"min": 1, "max": left}),
            help_text=_("%(left)s working days may still be given.") % {"left": left},
        )
        self.fields["reason"] = _text("reason", 3)
        self.fields["person_told"] = forms.BooleanField(label=_label("person_told"), required=False)


class AssistForm(StepForm):
    def build(self) -> None:
        self.fields["assist_reply"] = _text("assist_reply", 5)


class AssignForm(StepForm):
    def build(self) -> None:
        lead = self.case.lead_unit_id
        staff = people.handlers([lead], timezone.localdate()) if lead is not None else []
        self.fields["person"] = forms.ChoiceField(
            label=_label("person"),
            choices=[("", "—"), *((p.pk, p.name) for p in staff)],
            initial=self.case.handler_id,
        )
        self.fields["note"] = _text("note", 2, required=False)


class NoteForm(StepForm):
    def build(self) -> None:
        self.fields["note"] = _text("note", 2, required=False)


#: The steps of a unit, in the order in which its day takes them, each with its form.
FORMS: dict[str, type[StepForm]] = {
    "sign": StepForm,
    "redo": StepForm,
    "resume": NoteForm,
    "contact": ContactForm,
    "reply": ReplyForm,
    "return": ReturnForm,
    "extend": ExtendForm,
    "assist": AssistForm,
    "assign": AssignForm,
}
#: Steps that are a second button under another's form.
UNDER = {"try_contact": "contact"}


def unit_names(case: Case) -> list[str]:
    """Units that may be proposed for a case: those of its county and of the city itself."""
    near = Unit.objects.filter(active=True, place__in=[case.place[:n] for n in (4, 6, 9, 12)])
    return list(near.order_by("place", "name").values_list("name", flat=True)[:300])
