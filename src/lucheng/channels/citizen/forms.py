"""What residents fill in. Every message says what to do; the rules themselves stand in core."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.text import MAX_TEXT, clean
from lucheng.core.errors import Invalid, Refused
from lucheng.core.places import locate
from lucheng.core.privacy.cases import Right
from lucheng.core.privacy.contacts import normalise_phone

HERE, UNKNOWN = "point", "unknown"


def add_errors(form: forms.Form, refusal: Refused, at: str | None = None) -> None:
    """Put what core refused at the fields it names; what the form does not ask for stands above it, or at ``at``."""
    fields = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.detail}
    for name, message in fields.items():
        form.add_error(name if name in form.fields else at, str(message))


class SafeText(forms.CharField):
    """Free text as people paste it: control characters go, markup stays as typed and is escaped when shown."""

    def __init__(self, *, limit: int = MAX_TEXT, **kwargs: Any) -> None:
        self.limit = limit
        super().__init__(strip=False, **kwargs)
        # A null byte is dropped like every other control character, not refused.
        self.validators = []

    def to_python(self, value: object) -> str:
        try:
            return clean(str(super().to_python(value)), "text", self.limit)
        except Invalid as refusal:
            raise forms.ValidationError(str(refusal.fields["text"])) from refusal


class PhotoField(forms.FileField):
    """One photograph; what it is made of is looked at by core.cases.attachments."""

    # Named types instead of image/*: an iPhone then hands over a JPEG where it took HEIC. No "capture", which would
    # take the album away: telephones offer both.
    widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})
    default_error_messages = {"empty": _("This file is empty: choose another photograph.")}

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "data-limit": settings.ATTACHMENT_MAX_BYTES}


class StartForm(forms.Form):
    """The first page: what is the matter, and a photograph where there is one."""

    text = SafeText(
        label=_("What is the matter?"),
        error_messages={
            "required": _("Say in a few words what is the matter. A line of spaces is not enough.")
        },
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "dir": "auto",
                "placeholder": _("The street lamp at the gate of our estate is out …"),
                # Emergency numbers appear while the words are typed.
                "hx-post": reverse_lazy("urgent"),
                "hx-trigger": "input changed delay:500ms",
                "hx-target": "#urgent",
            }
        ),
    )
    photo = PhotoField(label=_("Photograph"), required=False)


class PlaceForm(forms.Form):
    """Where: one of the candidates, the point where the resident stands, or left to the operator."""

    address = SafeText(
        label=_("The place in words"),
        help_text=_("Estate and building, road and number, or village."),
        limit=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address", "dir": "auto"}),
    )
    where = forms.ChoiceField(
        label=_("Where is it?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a place, or “I do not know”."),
            "invalid_choice": _("This place is no longer on the list: choose again."),
        },
    )
    lon = forms.FloatField(required=False, widget=forms.HiddenInput)
    lat = forms.FloatField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, candidates: list[locate.Candidate], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.candidates = {token(c): c for c in candidates}
        choices: list[tuple[str, str | Promise]] = [(t, c.name) for t, c in self.candidates.items()]
        choices.append((HERE, _("At the point marked on the map or found by the telephone")))
        choices.append((UNKNOWN, _("I do not know; please find out")))
        field = self.fields["where"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or {}
        entered["place"] = ""
        where = entered.get("where")
        if where == HERE:
            lon, lat = entered.get("lon"), entered.get("lat")
            if lon is None or lat is None:
                self.add_error("where", _("No point is marked yet: touch the map, or choose another answer."))
            else:
                entered["place"] = locate.locate_point(lon, lat) or ""
                if not entered["place"]:
                    self.add_error("where", _("This point lies outside the city: choose a place inside it."))
        elif where in self.candidates:
            chosen = self.candidates[where]
            entered |= {"place": chosen.place, "lon": chosen.lon, "lat": chosen.lat}
        else:
            entered |= {"lon": None, "lat": None}
        return entered


def token(candidate: locate.Candidate) -> str:
    """What a radio button sends for a candidate: the same place found again has the same token."""
    return f"{candidate.place}/{candidate.lon or ''}/{candidate.lat or ''}"


class YouForm(forms.Form):
    """Who asks, as far as they wish to say."""

    nature = forms.ChoiceField(label=_("This is"), widget=forms.RadioSelect(attrs={"class": "short"}))
    phone = SafeText(
        label=_("Your telephone number"),
        help_text=_("So that the unit in charge can reach you. Only those who need it to reply see it."),
        limit=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    name = SafeText(
        label=_("What may we call you"),
        limit=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )
    contact_address = SafeText(
        label=_("Your postal address"),
        help_text=_("Leave it empty unless you want a letter. It is not the place of what you report."),
        limit=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address", "dir": "auto"}),
    )
    confidential = forms.BooleanField(
        label=_("Keep who I am secret"),
        help_text=_("Only the few who are entitled to handle secret matters see this case."),
        required=False,
    )
    anonymous = forms.BooleanField(
        label=_("Stay anonymous"),
        help_text=_("Name, telephone and address are not kept. You follow the case by its code alone."),
        required=False,
    )
    no_reply = forms.BooleanField(label=_("I do not need a reply"), required=False)

    def __init__(self, *args: Any, natures: Sequence[tuple[str, str | Promise]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["nature"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(natures)

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        try:
            return normalise_phone(phone) if phone else ""
        except Invalid as refusal:
            raise forms.ValidationError(str(refusal.fields["phone"])) from refusal


class DigitsField(forms.CharField):
    """The last digits of the requester's own number, in whatever width they are typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label=_("Last four digits of the telephone number you gave"),
            max_length=20,
            error_messages={
                "required": _("Enter the last four digits of the number that you gave."),
                "max_length": _("Enter the last four digits alone."),
            },
            widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "maxlength": 4}),
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        digits = "".join(unicodedata.normalize("NFKC", str(super().clean(value))).split())
        if digits and not re.fullmatch(r"[0-9]{3,4}", digits):
            raise forms.ValidationError(_("Enter the last four digits alone."))
        return digits


class DigitsForm(forms.Form):
    digits = DigitsField()


class TrackForm(forms.Form):
    """The code that a resident keeps, and the digits that open what stands behind it."""

    code = forms.CharField(
        label=_("Tracking code"),
        help_text=_("It looks like LC-7Q4K-29XM-5TAB. Dashes and capital letters do not matter."),
        max_length=60,
        error_messages={
            "required": _("Enter the code that you were given."),
            "max_length": _("This is too long for a tracking code. Enter the code alone."),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    digits = DigitsField(
        required=False,
        help_text=_("Without them you see how far it has come. Leave it empty if you gave no number."),
    )


class NumberForm(forms.Form):
    """The number with which somebody made their cases."""

    phone = SafeText(
        label=_("The telephone number that you gave"),
        limit=40,
        error_messages={"required": _("Enter the telephone number that you gave.")},
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


class OneTimeForm(forms.Form):
    """The code in the text message."""

    code = forms.CharField(
        label=_("The six digits in the text message"),
        max_length=20,
        error_messages={
            "required": _("Enter the six digits in the text message."),
            "max_length": _("Enter the six digits in the text message."),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 12}
        ),
    )

    def clean_code(self) -> str:
        code = "".join(unicodedata.normalize("NFKC", self.cleaned_data["code"]).split())
        if not re.fullmatch(r"[0-9]{6}", code):
            raise forms.ValidationError(_("Enter the six digits in the text message."))
        return code


class OwnDataForm(forms.Form):
    """What is asked about one's own data, and of which cases."""

    right = forms.ChoiceField(
        label=_("What do you ask for?"),
        choices=Right.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you ask for.")},
    )
    cases = forms.MultipleChoiceField(
        label=_("About which cases?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one case."),
            "invalid_choice": _("One of these cases is no longer open here: load the page again."),
        },
    )
    words = SafeText(
        label=_("In your words"),
        help_text=_(
            "What is wrong and what is right, what is to be deleted, or what you wish to understand."
        ),
        limit=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )

    def __init__(self, *args: Any, cases: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["cases"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(code, f"{title} · {code}") for code, title in cases]


class AroundForm(forms.Form):
    """The neighbourhood in words."""

    q = SafeText(
        label=_("Your estate, road, village or community"),
        limit=200,
        error_messages={"required": _("Write the name of an estate, a road, a village or a community.")},
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "off"}),
    )


class PointForm(forms.Form):
    """Where the telephone stands."""

    lon = forms.FloatField(min_value=-180, max_value=180)
    lat = forms.FloatField(min_value=-90, max_value=90)


_SATISFACTION = ("5", "4", "3", "2", "1")
_YES_NO = [("true", _("yes")), ("false", _("no"))]


class SupplementForm(forms.Form):
    note = SafeText(
        label=_("What should be added"),
        error_messages={"required": _("Write what should be added.")},
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    photo = PhotoField(label=_("Photograph"), required=False)


class WithdrawForm(forms.Form):
    reason = SafeText(
        label=_("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )


class RateForm(forms.Form):
    """The three questions of a callback: contacted, solved, satisfied."""

    contacted = forms.ChoiceField(
        label=_("Did the unit contact you?"),
        choices=_YES_NO,
        widget=forms.RadioSelect(attrs={"class": "short"}),
        error_messages={"required": _("Choose yes or no.")},
    )
    solved = forms.ChoiceField(
        label=_("Is it solved?"),
        choices=_YES_NO,
        widget=forms.RadioSelect(attrs={"class": "short"}),
        error_messages={"required": _("Choose yes or no.")},
    )
    satisfaction = forms.ChoiceField(
        label=_("Are you satisfied?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the answers.")},
    )
    note = SafeText(
        label=_("Anything else"), required=False, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from lucheng.core.cases.lifecycle import FIELDS

        super().__init__(*args, **kwargs)
        words = dict(FIELDS["satisfaction"].choices)
        field = self.fields["satisfaction"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(s, words[s]) for s in _SATISFACTION]


class AppealForm(forms.Form):
    note = SafeText(
        label=_("What do you object to?"),
        help_text=_("Somebody who did not handle the case looks at it again and answers you here."),
        error_messages={"required": _("Write what you object to.")},
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )


#: Action of the life cycle → (heading, words on the button, form).
ACTIONS: dict[str, tuple[str | Promise, str | Promise, type[forms.Form]]] = {
    "rate": (_("Say how it went"), _("Send my answers"), RateForm),
    "supplement": (_("Add information"), _("Add"), SupplementForm),
    "appeal": (_("I object"), _("Send my objection"), AppealForm),
    "withdraw": (_("Withdraw"), _("Withdraw my request"), WithdrawForm),
}
