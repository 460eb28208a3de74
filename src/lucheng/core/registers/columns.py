"""One field of a register as people write and read it: on a form, in a cell of a sheet, in the API."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Text
from lucheng.core.fields import PrefixField, words_for
from lucheng.core.labels import code_in
from lucheng.core.organisation.models import Unit
from lucheng.core.places import names
from lucheng.core.places.models import Division

#: Between several values in one cell.
BETWEEN = "、"
_SPLIT = re.compile(r"[、，,;；\s]+")
_DAY = re.compile(r"^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?$")
_YES = {"是", "yes", "true", "1", "有", "√"}
_NO = {"否", "no", "false", "0", "无", "×"}


class Wrong(Exception):  # noqa: N818 (what somebody wrote is wrong, not we)
    """A value that cannot be taken, with words that say what to write instead."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text


@dataclass
class Lookups:
    """What names and codes of other records mean, asked of the database once each."""

    found: dict[tuple[str, str], Any] = field(default_factory=dict)

    def once(self, what: str, text: str, find: Callable[[str], Any]) -> Any:
        key = (what, text)
        if key not in self.found:
            self.found[key] = find(text)
        value = self.found[key]
        if isinstance(value, Wrong):
            raise value
        return value


def _place(text: str) -> Any:
    code = code_in(text)
    if code.isascii() and code.isdecimal():
        if names.exists(code):
            return code
        return Wrong(format_lazy(_("There is no place with the code “{code}”."), code=code))
    found = list(Division.objects.filter(name=text, valid_to=None).values_list("code", flat=True)[:3])
    if not found:
        return Wrong(format_lazy(_("No place is called “{text}”. Write its code."), text=text))
    if len(found) > 1:
        return Wrong(
            format_lazy(
                _("Several places are called “{text}”. Write the code of one: {codes}"),
                text=text,
                codes=", ".join(sorted(found)),
            )
        )
    return found[0]


def _active(model: type[models.Model]) -> dict[str, Any]:
    return {"active": True} if model is Unit else {}


def _record(model: type[models.Model], text: str) -> Any:
    """A unit or an entry by its code or its name."""
    active = _active(model)
    code = code_in(text)
    found = list(model._default_manager.filter(code=code, **active)[:1]) or list(
        model._default_manager.filter(name=text, **active)[:2]
    )
    if not found:
        return Wrong(
            format_lazy(_("There is no “{text}” here. Write its code or its whole name."), text=text)
        )
    if len(found) > 1:
        return Wrong(format_lazy(_("Several are called “{text}”. Write the code of one."), text=text))
    return found[0]


def foresee(columns: Sequence[Column], rows: Sequence[Mapping[str, str]], lookups: Lookups) -> None:
    """Ask at once for the units and entries that many rows name by their codes; names are asked for as they come.
    ``rows`` hold text by the columns' headers."""
    for column in columns:
        if column.kind in ("unit", "entry"):
            model: Any = column.field.related_model
            codes = list({row.get(column.header, "") for row in rows} - {""})
            for at in range(0, len(codes), 20_000):
                records = model._default_manager.filter(code__in=codes[at : at + 20_000], **_active(model))
                lookups.found |= {(model._meta.label, record.code): record for record in records}


@dataclass(frozen=True)
class Column:
    """One field. ``name`` is its name for programs, ``header`` the one that stands on sheets."""

    field: models.Field[Any, Any]

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def label(self) -> Text:
        return cast(Text, self.field.verbose_name)

    @property
    def help(self) -> Text:
        return cast(Text, self.field.help_text)

    @cached_property
    def header(self) -> str:
        """As it stands on sheets, which offices exchange in the city's language."""
        with translation.override(settings.LANGUAGE_CODE):
            return str(self.field.verbose_name)

    @property
    def required(self) -> bool:
        """Whether something must be written. Nothing written for a yes or no is its default."""
        return not self.field.blank and not self.field.has_default() and self.kind != "yes"

    @cached_property
    def choices(self) -> list[tuple[Any, Any]]:
        of = self.field.base_field if isinstance(self.field, ArrayField) else self.field
        return [(value, label) for value, label in (of.choices or ())]

    @cached_property
    def _known(self) -> Mapping[str, Any]:
        return {word.casefold(): value for word, value in words_for(self.choices).items()}

    @cached_property
    def kind(self) -> str:
        """What it holds, for forms and programs: place, unit, entry, day, yes, number, choice, choices, words, text."""
        f = self.field
        if isinstance(f, models.ForeignKey):
            return "unit" if f.related_model is Unit else "entry"
        if isinstance(f, ArrayField):
            return "choices" if self.choices else "words"
        if self.choices:
            return "choice"
        if isinstance(f, PrefixField):
            return "place"
        kinds: tuple[tuple[Any, str], ...] = (
            (models.DateField, "day"),
            (models.BooleanField, "yes"),
            (models.IntegerField | models.FloatField | models.DecimalField, "number"),
        )
        return next((kind for of, kind in kinds if isinstance(f, of)), "text")

    @property
    def long(self) -> bool:
        """Whether it takes more than a line."""
        return isinstance(self.field, models.TextField)

    def longest(self) -> int:
        """The most characters that a cell of it may hold."""
        if self.kind in ("choices", "words"):
            return 2000
        if self.kind in ("place", "unit", "entry", "choice"):
            return 200  # in words
        return getattr(self.field, "max_length", None) or (10_000 if self.long else 200)

    def empty(self) -> Any:
        """What stands there where nothing was written."""
        if self.kind in ("choices", "words"):
            return []
        if self.kind == "yes" or self.field.has_default():
            return self.field.get_default()
        return None if self.field.null else ""

    def read(self, given: Any, lookups: Lookups) -> Any:
        """The value that ``given`` stands for: text as people write it, or the JSON value of the API. Of a unit or an
        entry it is the record itself, so that a rule may look at it without asking the database again.

        Raises Wrong with what to write instead.
        """
        if isinstance(given, str):
            given = given.strip()
        if given is None or given == "" or given == []:
            if self.required:
                raise Wrong(_("This may not be empty."))
            return self.empty()
        value = self._read(given, lookups)
        try:
            return self._cleaned(value)
        except ValidationError as error:
            raise Wrong(error.messages[0]) from error

    def _cleaned(self, value: Any) -> Any:
        if self.kind in ("unit", "entry"):
            return value
        # Choices have been found by their names already; the rest is the field's own business.
        value = self.field.to_python(value)
        if isinstance(value, float) and value != value:
            raise Wrong(_("Write a number."))
        self.field.run_validators(value)
        return value

    def _read(self, given: Any, lookups: Lookups) -> Any:
        if self.kind in ("choices", "words"):
            parts = _SPLIT.split(given) if isinstance(given, str) else given
            if not isinstance(parts, list) or not all(isinstance(p, str) for p in parts):
                raise Wrong(_("Write words, several separated by commas."))
            parts = list(dict.fromkeys(p for p in parts if p))
            return [self._choice(p) for p in parts] if self.choices else parts
        if self.kind == "choice":
            return self._choice(given)
        if self.kind == "yes":
            return given if isinstance(given, bool) else self._yes(str(given))
        if self.kind == "day":
            return self._day(given)
        if self.kind == "number":
            return self._number(given)
        if not isinstance(given, str):
            raise Wrong(_("Write this as text."))
        if self.kind == "place":
            return lookups.once("place", given, _place)
        if self.kind in ("unit", "entry"):
            model = cast(type[models.Model], self.field.related_model)
            return lookups.once(model._meta.label, given, lambda text: _record(model, text))
        if any(ord(c) < 32 and not (self.long and c in "\n\t\r") for c in given):
            raise Wrong(_("This holds control characters. Enter it again."))
        return given

    def _choice(self, given: Any) -> Any:
        value = self._known.get(str(given).casefold())
        if value is None:
            possible = lazy(lambda: BETWEEN.join(str(label) for _value, label in self.choices), str)()
            raise Wrong(
                format_lazy(
                    _("There is no “{given}” here. Possible: {possible}"), given=str(given), possible=possible
                )
            )
        return value

    @staticmethod
    def _yes(text: str) -> bool:
        if text.casefold() in _YES:
            return True
        if text.casefold() in _NO:
            return False
        raise Wrong(_("Write yes or no (是 or 否)."))

    @staticmethod
    def _day(given: Any) -> dt.date:
        match = _DAY.match(given) if isinstance(given, str) else None
        try:
            if isinstance(given, dt.date):
                return given
            assert match is not None
            return dt.date(*map(int, match.groups()))
        except (AssertionError, ValueError):
            raise Wrong(_("Write a day as 2026-03-01.")) from None

    def _number(self, given: Any) -> Any:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise Wrong(_("Write a number."))
        whole = isinstance(self.field, models.IntegerField)
        text = str(given).replace(",", "").replace("，", "")
        try:
            number = int(text) if whole else float(text)
        except ValueError:
            raise Wrong(_("Write a whole number.") if whole else _("Write a number.")) from None
        if abs(number) > 10**15:
            raise Wrong(_("This number is too large."))
        return text if isinstance(self.field, models.DecimalField) else number

    # --- the way back -----------------------------------------------------------------------------------------------

    def said(self, entry: models.Model) -> Any:
        """The value of ``entry`` as JSON, of another record its code: what the API gives and the history keeps."""
        value = getattr(entry, self.name)
        if self.kind in ("unit", "entry"):
            return value.code if value is not None else None
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(self.field, models.DecimalField) and value is not None:
            return str(value)
        return value

    def text(self, entry: models.Model) -> str:
        """The value of ``entry`` in a person's words and language."""
        return self.shown(self.said(entry))

    def shown(self, said: Any) -> str:
        """What :meth:`said` gave, in a person's words and language; a sheet takes it back."""
        if said is None or said == "" or said == []:
            return ""
        if self.kind == "yes":
            return str(_("yes") if said else _("no"))
        labels = dict(self.choices)
        if self.kind in ("choices", "words"):
            return BETWEEN.join(str(labels.get(v, v)) for v in said)
        return str(labels.get(said, said)) if self.choices else str(said)
