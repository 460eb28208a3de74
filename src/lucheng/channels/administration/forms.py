"""The forms of the administration. They turn words into records; what may be done is decided in the core."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core import sheets
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Channel, Nature, Urgency
from lucheng.core.dispatch import matters
from lucheng.core.dispatch.rules import ASSISTS, BASIS, LEAD, MATTER, NOTE, PLACE, Row
from lucheng.core.labels import code_in, label, place_label
from lucheng.core.organisation.capabilities import grouped
from lucheng.core.organisation.models import Post, Role, Unit
from lucheng.core.places import names
from lucheng.core.places.models import Division
from lucheng.core.privacy import registers
from lucheng.core.privacy.cases import Right
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import Kind, Said
from lucheng.web.forms import DayInput, NameInput

#: Choices offered when a name fits several.
OFFERED = 5


_SPACES = re.compile(r"[\s,，、;；]+")
_APART = re.compile(r"[、，,；;]+")


def _units(text: str) -> Unit:
    """A unit by its code or its exact name. Raises ValidationError where that is none or several."""
    code = code_in(text)
    found = list(Unit.objects.filter(code=code)) or list(Unit.objects.filter(name=text)[: OFFERED + 1])
    if not found:
        raise forms.ValidationError(
            _("There is no unit “%(text)s”. Type a part of its name and choose one."), params={"text": text}
        )
    if len(found) > 1:
        raise forms.ValidationError(
            _("Several units are called so; write the code of one: %(codes)s"),
            params={"codes": ", ".join(u.code for u in found[:OFFERED])},
        )
    return found[0]


class UnitField(forms.CharField):
    """A unit by its code or its exact name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=NameInput("unit"), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return label(value.name, value.code) if isinstance(value, Unit) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return _units(text) if text else None


class UnitsField(forms.CharField):
    """Several units by their codes or exact names, separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=NameInput("unit", several=True), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str | None) else "、".join(label(u.name, u.code) for u in value)

    def clean(self, value: Any) -> Any:
        return [_units(part.strip()) for part in _APART.split(super().clean(value)) if part.strip()]


class PlaceField(forms.CharField):
    """A division or grid in force, by its code or its exact name; gives the code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=NameInput("place"), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return place_label(value) if isinstance(value, str) and value and names.exists(value) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text or code_in(text).isdecimal():
            return code_in(text)
        found = list(
            Division.objects.filter(name=text, valid_to=None)
            .order_by("code")
            .values_list("code", flat=True)[: OFFERED + 1]
        )
        if not found:
            raise forms.ValidationError(
                _("No place is called “%(text)s”. Type a part of its name and choose one."),
                params={"text": text},
            )
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several places are called so; write the code of one: %(codes)s"),
                params={"codes": ", ".join(found[:OFFERED])},
            )
        return found[0]


def matter_label(code: str) -> str:
    """A matter as type-to-find fills it in."""
    return label(matters.name(code), code)


def _matter(text: str) -> str:
    code = code_in(text)
    if code.isdecimal():
        return code
    found = [c for c, m in matters.known().items() if text in (m.name, m.name_en)]
    if not found:
        raise forms.ValidationError(
            _("No matter is called “%(text)s”. Type a part of its name and choose one."),
            params={"text": text},
        )
    if len(found) > 1:
        raise forms.ValidationError(
            _("Several matters are called so; write the code of one: %(codes)s"),
            params={"codes": ", ".join(found[:OFFERED])},
        )
    return found[0]


class MatterField(forms.CharField):
    """A matter by its code or its exact name; gives the code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=NameInput("matter"), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return matter_label(value) if isinstance(value, str) and matters.exists(value) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return _matter(text) if text else ""


class MattersField(forms.CharField):
    """Several matters by their codes or exact names; gives the codes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=NameInput("matter", several=True), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str | None):
            return value
        return "、".join(matter_label(c) if matters.exists(c) else c for c in value)

    def clean(self, value: Any) -> Any:
        return tuple(_matter(part.strip()) for part in _APART.split(super().clean(value)) if part.strip())


class SheetForm(forms.Form):
    file = forms.FileField(label=_("Sheet (xlsx)"), widget=forms.FileInput(attrs={"accept": ".xlsx"}))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > sheets.MAX_BYTES:
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
        self.fields[MATTER] = MatterField(
            label=_("Matter"),
            required=False,
            help_text=_("A class with everything below it. Empty: any matter."),
        )
        self.fields[PLACE] = PlaceField(
            label=_("Place"), help_text=_("Type a part of its name. It holds for everything inside.")
        )
        self.fields[LEAD] = UnitField(label=_("Lead unit"), help_text=_("Type a part of its name."))
        self.fields[ASSISTS] = UnitsField(
            label=_("Assisting units"), help_text=_("Type a part of a name; several separated by commas.")
        )
        self.fields[BASIS] = forms.CharField(
            label=_("Basis"), max_length=200, help_text=_("Law, regulation or list of powers and duties.")
        )
        self.fields[NOTE] = forms.CharField(label=_("Note"), max_length=200, required=False)

    @staticmethod
    def of(row: Row) -> dict[str, Any]:
        units = {u.code: u for u in Unit.objects.filter(code__in=[row.lead, *row.assists])}
        return {
            MATTER: row.matter,
            PLACE: row.place,
            LEAD: units[row.lead],
            ASSISTS: [units[code] for code in row.assists],
            BASIS: row.basis,
            NOTE: row.note,
        }

    def row(self) -> Row:
        entered = self.cleaned_data
        return Row(
            matter=entered[MATTER],
            place=entered[PLACE],
            lead=entered[LEAD].code,
            assists=tuple(unit.code for unit in entered[ASSISTS]),
            basis=entered[BASIS],
            note=entered[NOTE],
        )


class PublishForm(forms.Form):
    note = forms.CharField(
        label=_("Why this edition is published"),
        max_length=200,
        help_text=_("It stands in the list of editions."),
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
        choices=grouped,
        widget=forms.CheckboxSelectMultiple,
    )


class PersonForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=60, help_text=_("What they sign in with; no spaces.")
    )
    name = forms.CharField(label=_("Name"), max_length=60)
    password = forms.CharField(
        label=_("First password"),
        required=False,
        help_text=_("Leave it empty to have one made and shown to you once."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PostForm(forms.Form):
    role = forms.ModelChoiceField(Role.objects.order_by("name"), label=_("Role"))
    place = PlaceField(
        label=_("Place"), help_text=_("Type a part of its name. It holds for everything inside.")
    )
    unit = UnitField(
        label=pgettext_lazy("organisation", "Unit"),
        required=False,
        help_text=_("Type a part of its name. Needed where the role sees the cases of its unit."),
    )
    domains = MattersField(
        label=_("Only these matters"),
        help_text=_("Type a part of a name; several separated by commas. Empty: every matter."),
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


class UnitForm(forms.Form):
    """A unit as it stands on its page; the code is asked for once, when it is added."""

    name = forms.CharField(label=pgettext_lazy("unit", "Name"), max_length=80)
    kind = forms.ChoiceField(label=_("Kind"), choices=Unit.Kind.choices)
    parent = UnitField(
        label=_("Belongs to"), required=False, help_text=_("The unit above. Empty: it stands at the top.")
    )
    place = PlaceField(label=_("Place"), help_text=_("The place it answers for. Type a part of its name."))
    domains = MattersField(
        label=_("Matters it answers for"),
        help_text=_("Type a part of a name; several separated by commas. Empty: every matter."),
    )
    phone = forms.CharField(
        label=_("Office telephone"),
        max_length=30,
        required=False,
        help_text=_("Public. Never a person's own."),
    )

    @staticmethod
    def of(unit: Unit) -> dict[str, Any]:
        return {f: getattr(unit, f) for f in ("name", "kind", "parent", "place", "domains", "phone")}


class NewUnitForm(UnitForm):
    field_order = ("code", "name")
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("A short name that never changes: letters, digits, dots and dashes."),
    )


class CloseUnitForm(forms.Form):
    sure = forms.BooleanField(label=_("I have read what hangs on this unit."))


class YearSheetForm(SheetForm):
    notice = forms.CharField(
        label=_("Notice"),
        max_length=200,
        required=False,
        help_text=_("Number of the State Council's notice. Empty while it is not announced."),
    )


class DueForm(forms.Form):
    """A case that might come in."""

    kind = forms.ChoiceField(label=_("Kind of case"))
    nature = forms.ChoiceField(label=_("What the requester wants"), choices=Nature.choices)
    urgency = forms.ChoiceField(label=_("Urgency"), choices=Urgency.choices)
    matter = MatterField(label=_("Matter"), required=False)
    at = forms.DateTimeField(
        label=_("Received at"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: now."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["kind"]
        assert isinstance(kinds, forms.ChoiceField)
        kinds.choices = [(code, kind.name) for code, kind in KINDS.items()]


class TextsForm(forms.Form):
    """The words of one message in each language."""

    zh = forms.CharField(
        label=_("In Chinese"), required=False, widget=forms.Textarea({"rows": 3, "lang": "zh-Hans"})
    )
    en = forms.CharField(
        label=_("In English"), required=False, widget=forms.Textarea({"rows": 3, "lang": "en"})
    )


class HoldForm(forms.Form):
    """Hold an order back from being destroyed."""

    number = forms.CharField(
        label=_("Order number"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("Why it is held back"),
        max_length=200,
        help_text=_("For example a suit or an audit, with its file number."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RequestForm(forms.Form):
    """What somebody asks about their own data, who called, wrote or came."""

    right = forms.ChoiceField(label=_("What is asked for"), choices=Right.choices, widget=forms.RadioSelect)
    about = forms.CharField(
        label=_("Order numbers"),
        required=False,
        max_length=2100,
        help_text=_(
            "Those that it is about, with spaces between them. Ask for the tracking code where none is known."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    words = forms.CharField(
        label=_("In their words"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    channel = forms.ChoiceField(
        label=_("How it came"),
        choices=[(c.value, c.label) for c in (Channel.PHONE, Channel.LETTER, Channel.OTHER)],
    )
    name = forms.CharField(
        label=_("Name"), required=False, max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    phone = forms.CharField(
        label=_("Telephone number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )
    contact_address = forms.CharField(
        label=_("Postal address"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_about(self) -> list[str]:
        return [number for number in _SPACES.split(self.cleaned_data["about"]) if number]


class CopyForm(forms.Form):
    """Whose data is copied, and why."""

    code = forms.CharField(
        label=_("Tracking code"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    phone = forms.CharField(
        label=_("The number left with it"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("For example when and how they asked. It is kept for good."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RegisterForm(forms.Form):
    """One version of an entry of a register, by the register's own table; a code is asked for once, a reason from then
    on."""

    def __init__(
        self, register: Register, *args: Any, before: RegisterEntry | None = None, **kwargs: Any
    ) -> None:
        if before is not None:
            kwargs.setdefault("initial", _as_typed(before))
        super().__init__(*args, **kwargs)
        self._asked = registers.FIELDS[register]
        if before is None:
            self.fields["code"] = forms.CharField(
                label=_("Code"),
                max_length=60,
                help_text=_("A short name that never changes: small letters, digits and dashes."),
                widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
            )
        title = _("Name of the processor") if register == Register.PROCESSOR else _("Title")
        self.fields["title"] = forms.CharField(label=title, max_length=120)
        for field in self._asked:
            self.fields[field.name] = _asking(field, before)
        if before is not None:
            self.fields["ended_on"] = forms.DateField(
                label=_("Ends on"),
                required=False,
                widget=DayInput(),
                help_text=pgettext_lazy("register entry", "The first day on which it is over."),
            )
            self.fields["note"] = forms.CharField(label=_("Why it changes"), max_length=200, min_length=4)

    def said(self) -> dict[str, Said]:
        """What was entered, as the core takes it."""
        found: dict[str, Said] = {}
        for field in self._asked:
            value = self.cleaned_data[field.name]
            if field.kind is Kind.DAY:
                value = value.isoformat() if value else ""
            elif field.kind in (Kind.ASSESSMENTS, Kind.PROCESSORS):
                value = registers.codes(value)
            found[field.name] = value
        return found


def _as_typed(entry: RegisterEntry) -> dict[str, Any]:
    """A version as the form shows it."""
    typed: dict[str, Any] = {"title": entry.title, "ended_on": entry.ended_on}
    for field in registers.FIELDS[Register(entry.register)]:
        said = entry.fields.get(field.name)
        named = field.kind in (Kind.ASSESSMENTS, Kind.PROCESSORS)
        typed[field.name] = "、".join(said or ()) if named else said
    return typed


def _asking(field: registers.Field, before: RegisterEntry | None) -> forms.Field:
    common: dict[str, Any] = {"label": field.label, "required": field.required, "help_text": field.help}
    if field.kind is Kind.YES_NO:
        return forms.BooleanField(**common)
    if field.kind is Kind.DAY:
        return forms.DateField(**common, widget=DayInput())
    if field.kind is Kind.RULES:
        offered = [*registers.rules_in_force(), *(before.fields.get(field.name, ()) if before else ())]
        return forms.MultipleChoiceField(
            **common,
            choices=[(rule, registers.rule_name(rule)) for rule in dict.fromkeys(offered)],
            widget=forms.CheckboxSelectMultiple,
        )
    if field.kind is Kind.WORDS:
        return forms.CharField(
            **common, max_length=registers.LONGEST[field.kind], widget=forms.Textarea(attrs={"rows": 3})
        )
    if field.kind is Kind.LINE:
        return forms.CharField(**common, max_length=registers.LONGEST[field.kind])
    common["help_text"] = _("Their codes, with spaces between them.")
    return forms.CharField(
        **common,
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class EndForm(forms.Form):
    """From when on an entry is over, and why."""

    ended_on = forms.DateField(
        label=_("Ends on"),
        widget=DayInput(),
        help_text=pgettext_lazy("register entry", "The first day on which it is over."),
    )
    note = forms.CharField(
        label=_("Why it ends"),
        max_length=200,
        min_length=4,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
