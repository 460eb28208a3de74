"""What is entered at a callback, and the table of the sample plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lucheng.core.cases import callbacks
from lucheng.core.cases.lifecycle import FIELDS
from lucheng.core.cases.models import Case, Nature
from lucheng.core.dispatch import matters
from lucheng.core.errors import Invalid
from lucheng.core.places import names
from lucheng.web import numbers

_YES_NO = (("true", gettext_lazy("yes")), ("false", gettext_lazy("no")))
_NOT_REACHED = "0"


class _ByDigit(forms.RadioSelect):
    """Radio buttons of which each is chosen by a digit: its own value, or its place in the list."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        value = str(option["value"])
        option["digit"] = value if value.isdecimal() else str(int(option["index"]) + 1)
        option["attrs"]["data-digit"] = option["digit"]
        return option


class CallbackForm(forms.Form):
    """The three questions, the note, and when to try again. The engine checks; this form carries its refusals."""

    contacted = forms.ChoiceField(
        label=gettext_lazy("Did the unit contact you?"), choices=_YES_NO, widget=_ByDigit, required=False
    )
    solved = forms.ChoiceField(
        label=gettext_lazy("Is it solved?"), choices=_YES_NO, widget=_ByDigit, required=False
    )
    satisfaction = forms.ChoiceField(
        label=gettext_lazy("Are you satisfied?"),
        choices=[c for c in FIELDS["satisfaction"].choices if c[0] != _NOT_REACHED],
        widget=_ByDigit,
        required=False,
    )
    note = forms.CharField(
        label=cast(Any, FIELDS["note"].label),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    again = forms.ChoiceField(
        label=cast(Any, FIELDS["again"].label), choices=FIELDS["again"].choices, required=False
    )

    def __init__(self, case: Case, data: Any = None) -> None:
        super().__init__(data)
        self.case = case
        self.unreached = False
        if case.is_verified:
            self.fields["solved"].label = _("Is it solved on site?")
        if data is None:
            # What was answered online stands there to be confirmed, not asked again.
            self.initial = {
                name: str(value).lower()
                for name, value in (
                    ("contacted", case.contacted),
                    ("solved", case.solved),
                    ("satisfaction", case.satisfaction),
                )
                if value is not None
            }
        self.fields["version"] = forms.CharField(widget=forms.HiddenInput, initial=str(case.version))

    def offer_unreached(self, offered: bool) -> None:
        """Whether the page offers to close without having reached anybody."""
        self.unreached = offered

    def version(self) -> int:
        return numbers.whole(self.data.get("version"))

    def _answered(self, *names_: str) -> dict[str, Any]:
        return {n: self.data[n] for n in names_ if self.data.get(n)}

    def step(self) -> tuple[str, dict[str, Any]]:
        """The action and its fields that the pressed button stands for.

        Raises Invalid where what the step needs was not said.
        """
        match self.data.get("do", ""):
            case "try_callback":
                return "try_callback", self._answered("again", "note")
            case "unreached":
                return "close", {"satisfaction": _NOT_REACHED, **self._answered("note")}
            case "rate":
                return "rate", self._answered("satisfaction", "contacted", "solved", "note")
            case "send_back":
                return "send_back", {"reason": self._reason()}
            case "verify":
                if not self.data.get("solved"):
                    raise Invalid({"solved": _("Say whether it is solved.")})
                return "verify", self._answered("solved", "note")
            case _:
                if not self.data.get("solved"):
                    raise Invalid({"solved": _("Ask whether it is solved.")})
                return "close", self._answered("satisfaction", "contacted", "solved", "note")

    def _reason(self) -> str:
        """Why an order goes back, for its unit: what the requester answered, and the note."""
        note = str(self.data.get("note", "")).strip()
        if not note:
            raise Invalid({"note": _("Say for the unit what is missing and what is to be done.")})
        answers = []
        if self.data.get("solved") == "false":
            answers.append(_("not solved"))
        if self.data.get("contacted") == "false":
            answers.append(_("was not contacted"))
        said = dict(FIELDS["satisfaction"].choices).get(str(self.data.get("satisfaction", "")))
        if said:
            answers.append(str(said))
        heading = _("Callback")
        return f"{heading}：{'，'.join(answers)}。{note}" if answers else note

    def show(self, refused: Invalid) -> None:
        """Carry refusals, each at its field: what is asked as a reason is written in the note here."""
        self.full_clean()
        for name, text in refused.fields.items():
            at = "note" if name == "reason" else name
            self.errors.pop(at, None)
            self.add_error(at if at in self.fields else None, str(text))

    def renew(self, case: Case) -> None:
        """Keep what was entered, and go on from the version that the case has now."""
        self.data = {**{n: self.data.get(n, "") for n in self.data}, "version": str(case.version)}


#: So many empty rows stand below the table, so that it can grow without script.
_SPARE = 3


class SharesForm(forms.Form):
    """All rows of the plan at once, with a few empty ones below. A row without a share is left out."""

    def __init__(self, data: Mapping[str, Any] | None, *, shares: Sequence[callbacks.Share]) -> None:
        super().__init__(data)
        rows = len(shares) + _SPARE
        if data is not None:
            rows = min(numbers.whole(data.get("rows")), callbacks.MOST_SHARES + _SPARE)
        self.rows = rows
        natures = [("", _("any")), *((n.value, n.label) for n in Nature if n is not Nature.FINDING)]
        small = matters.choices()[1:]
        classes = [("", _("any")), *((code, str(matters.name(code))) for code in _classes()), *small]
        places = [("", _("anywhere")), *((p.code, p.name) for p in _places())]
        for n in range(rows):
            share = shares[n] if data is None and n < len(shares) else None
            self.fields[f"nature-{n}"] = forms.ChoiceField(
                label=_("What is wanted"),
                choices=natures,
                required=False,
                initial=share.nature if share else "",
            )
            self.fields[f"matter-{n}"] = forms.ChoiceField(
                label=_("Category"), choices=classes, required=False, initial=share.matter if share else ""
            )
            self.fields[f"place-{n}"] = forms.ChoiceField(
                label=_("Place"), choices=places, required=False, initial=share.place if share else ""
            )
            self.fields[f"percent-{n}"] = forms.CharField(
                label=_("Share called (percent)"),
                required=False,
                initial=str(share.percent) if share else "",
                widget=forms.NumberInput(attrs={"min": 0, "max": 100, "inputmode": "numeric"}),
            )
        self.fields["rows"] = forms.CharField(widget=forms.HiddenInput, initial=str(rows))
        self.fields["note"] = forms.CharField(label=_("Why the plan changes"), max_length=200)

    def lines(self) -> list[dict[str, Any]]:
        """The rows as bound fields, with their number for people."""
        return [
            {"n": n + 1, "fields": [self[f"{f}-{n}"] for f in ("nature", "matter", "place", "percent")]}
            for n in range(self.rows)
        ]

    def shares(self) -> list[callbacks.Share]:
        """The rows that say something.

        Raises Invalid at ``shares`` for a share that is no whole number.
        """
        found = []
        for n in range(self.rows):
            percent = str(self.data.get(f"percent-{n}", "")).strip()
            if not percent:
                continue
            if not (percent.isascii() and percent.isdecimal() and len(percent) < 4):
                raise Invalid({"shares": _("A share is a whole number from 0 to 100.")})
            found.append(
                callbacks.Share(
                    nature=str(self.data.get(f"nature-{n}", "")),
                    matter=str(self.data.get(f"matter-{n}", "")),
                    place=str(self.data.get(f"place-{n}", "")),
                    percent=int(percent),
                )
            )
        return found

    def show(self, refused: Invalid) -> None:
        """Carry refusals: of the rows above the table, of the note at its field."""
        self.full_clean()
        for name, text in refused.fields.items():
            self.errors.pop(name, None)
            self.add_error(name if name in self.fields else None, str(text))


def _classes() -> list[str]:
    return [code for code in sorted(matters.known()) if len(code) == 2]


def _places() -> list[names.Place]:
    root = names.root()
    return names.children(root) if root else []
