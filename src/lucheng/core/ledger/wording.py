"""The words of outgoing messages: the pack ``national/messages.toml``, a city's own file over it, and over both what
people have worded on the page. A change on the page holds in every process within a second.
"""

from __future__ import annotations

import datetime as dt
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.errors import Conflict, Invalid, NotFound, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.ledger.models import MessageText
from lucheng.core.organisation.models import Person
from lucheng.core.revisions.snapshot import Snapshot, bump

PACK = Path(__file__).parents[2] / "packs" / "national" / "messages.toml"

_FIELDS = {
    "name": packs.Field(required=True, longest=40),
    "to": packs.Field(required=True),
    "zh": packs.Field(required=True, longest=500),
    "en": packs.Field(required=True, longest=500),
}
#: What a text may use beside the params of its message, by whom it is for.
_GIVEN = {"requester": {"number", "code"}, "unit": {"number"}}
#: What the sender of a message gives beyond that.
_PARAMS = {name: {"clock", "due"} for name in ("clock_warned", "clock_urged", "clock_escalated")} | {
    "one_time": {"digits"}
}


@dataclass(frozen=True)
class Wording:
    """One text in its languages. ``params`` are what its message must bring."""

    name: str
    to_requester: bool
    texts: Mapping[str, str]
    params: frozenset[str]

    def render(self, language: str, values: Mapping[str, str]) -> str:
        """The text in ``language``; in Chinese where that is not among its languages."""
        return self.texts.get(language[:2], self.texts["zh"]).format_map(values)


def _slots(text: str) -> set[str]:
    return {name for _literal, name, spec, conversion in string.Formatter().parse(text) if name is not None}


def read(path: Path) -> dict[str, Wording]:
    """The texts of one file by name.

    Raises Faulty naming each entry that is wrong, also one that uses something it may not.
    """
    found: dict[str, Wording] = {}
    faults: list[Fault] = []
    for row, entry in enumerate(packs.read(path, "message", _FIELDS, "name"), 1):
        if entry["to"] not in _GIVEN:
            faults.append(Fault(row, "to", _("write requester or unit")))
            continue
        params = _PARAMS.get(entry["name"], set())
        allowed = _GIVEN[entry["to"]] | params
        for language in ("zh", "en"):
            try:
                unknown = _slots(entry[language]) - allowed
            except ValueError:
                faults.append(Fault(row, language, _("a curly bracket does not close")))
                continue
            if unknown:
                faults.append(
                    Fault(
                        row,
                        language,
                        _("this text may not use %(names)s") % {"names": ", ".join(sorted(unknown))},
                    )
                )
        texts = {"zh": entry["zh"], "en": entry["en"]}
        found[entry["name"]] = Wording(entry["name"], entry["to"] == "requester", texts, frozenset(params))
    if faults:
        raise Faulty(faults)
    return found


@lru_cache(maxsize=2)
def _known(home: Path) -> dict[str, Wording]:
    known = read(PACK)
    own = home / "messages.toml"
    if own.exists():
        known |= read(own)
    return known


LANGUAGES = ("zh", "en")
LONGEST = 500
_REVISION = "messages"


def _newest() -> dict[tuple[str, str], MessageText]:
    """The last change of each text, by name and language."""
    rows = MessageText.objects.order_by("name", "language", "-id").distinct("name", "language")
    return {(row.name, row.language): row for row in rows}


def _worded() -> dict[tuple[str, str], str]:
    return {key: row.text for key, row in _newest().items() if row.text}


_held = Snapshot(_REVISION, _worded)


def of_pack(name: str) -> Wording:
    """The text called ``name`` as the packs have it. Raises KeyError where there is none."""
    return _known(settings.HOME)[name]


def wording(name: str) -> Wording:
    """The text called ``name`` as it holds now. Raises KeyError where there is none."""
    pack, own = of_pack(name), _held.get()
    texts = {language: own.get((name, language), text) for language, text in pack.texts.items()}
    return Wording(pack.name, pack.to_requester, texts, pack.params)


def names() -> frozenset[str]:
    return frozenset(_known(settings.HOME))


def check(name: str, params: Mapping[str, Any]) -> None:
    """Refuse a message that could not be rendered, while whoever causes it can still see the error.

    Raises KeyError for an unknown text, ValueError for a missing parameter.
    """
    if missing := of_pack(name).params - params.keys():
        raise ValueError(f"message {name} lacks {', '.join(sorted(missing))}")


def allowed(pack: Wording) -> frozenset[str]:
    """What a text may use in curly brackets."""
    return pack.params | _GIVEN["requester" if pack.to_requester else "unit"]


def needed(pack: Wording, language: str) -> frozenset[str]:
    """What a text must use: without its order number a unit, without its code a requester cannot find the case. The
    code is asked for only where the pack's own words give it."""
    return (
        frozenset({"code", "digits"} & _slots(pack.texts[language]))
        if pack.to_requester
        else frozenset({"number"})
    )


#: Seven digits and more, however they are grouped: a telephone, identity or order number. Short public numbers (110,
#: 12345) may stand in a text.
_LONG_NUMBER = re.compile(r"\d(?:[\s\-–—_.()（）]{0,3}\d){6,}")


def fault(pack: Wording, language: str, text: str) -> Text | None:
    """What is wrong with ``text`` as the words of a message."""
    if len(text) > LONGEST:
        return format_lazy(_("Write at most {longest} characters."), longest=LONGEST)
    if any(not c.isprintable() for c in text):
        return _("Write it in one paragraph: text messages have no line breaks.")
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return _("A curly bracket has no partner.")
    if any(spec or conversion for _literal, _name, spec, conversion in parsed):
        return _("Write nothing but a name between curly brackets.")
    slots = {name for _literal, name, _spec, _conversion in parsed if name is not None}
    if unknown := slots - allowed(pack):
        return format_lazy(
            _("This text may not use {unknown}. It may use {allowed}."),
            unknown=_braced(unknown),
            allowed=_braced(allowed(pack)),
        )
    if missing := needed(pack, language) - slots:
        return format_lazy(
            _("This text must use {missing}: without it the reader cannot find the case."),
            missing=_braced(missing),
        )
    if _LONG_NUMBER.search("".join(literal for literal, *_rest in parsed)):
        return _("A long number stands in this text. No text carries the number of a person or of a case.")
    return None


def _braced(slots: frozenset[str] | set[str]) -> str:
    return ", ".join(f"{{{slot}}}" for slot in sorted(slots))


def history(name: str) -> list[MessageText]:
    """Every change of the text called ``name``, the newest first."""
    return list(MessageText.objects.filter(name=name).select_related("by").order_by("-id")[:200])


def changed() -> dict[tuple[str, str], MessageText]:
    """The texts that hold in place of the pack's, by name and language."""
    return {key: row for key, row in _newest().items() if row.text}


def seen(name: str) -> int:
    """The last change of the text called ``name``, for :func:`word`; 0 where it never was changed."""
    return MessageText.objects.filter(name=name).order_by("-id").values_list("id", flat=True).first() or 0


def word(name: str, texts: Mapping[str, str], by: Person, now: dt.datetime, *, after: int) -> int:
    """Word the message called ``name`` anew in the languages of ``texts``; an empty text goes back to the pack's.

    ``after`` is the last change that the editor saw (:func:`seen`). Returns how many languages differ from before.

    Raises NotFound for an unknown message; Invalid at each language; Conflict where somebody else has worded it since.
    """
    if name not in names():
        raise NotFound(_("There is no such message."))
    pack = of_pack(name)
    cleaned = {language: texts[language].strip() for language in LANGUAGES if language in texts}
    wrong = {
        language: why for language, text in cleaned.items() if text and (why := fault(pack, language, text))
    }
    if wrong:
        raise Invalid(wrong)
    with transaction.atomic():
        bump(_REVISION)  # first: its row lock lets one change pass at a time
        if seen(name) != after:
            raise Conflict(_("Somebody has worded this message meanwhile. Look at it again."))
        own = changed()
        rows = []
        for language, text in cleaned.items():
            text = "" if text == pack.texts[language] else text
            before = own.get((name, language))
            if text != (before.text if before is not None else ""):
                rows.append(MessageText(name=name, language=language, text=text, at=now, by=by))
        MessageText.objects.bulk_create(rows)
        if rows:
            acts.wrote("message_worded", name, {"language": [row.language for row in rows]})
    return len(rows)


#: The characters that a text message carries as one seventh-bit unit each (3GPP TS 23.038), and those that take two.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("^{}\\[~]|€")


@dataclass(frozen=True)
class Length:
    """How long a text message is, in characters as networks count them, and in how many parts it is sent and paid."""

    characters: int
    parts: int


def length(text: str) -> Length:
    """The length of a text message: 160 characters in one part (153 where there are several) in the Latin alphabet of
    the standard, 70 (67) as soon as one character, such as any Chinese one, is outside it."""
    if all(c in _GSM or c in _GSM_TWO for c in text):
        count, one, each = sum(2 if c in _GSM_TWO else 1 for c in text), 160, 153
    else:
        count, one, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return Length(count, 1 if count <= one else -(-count // each))


#: Stands for a real message in a preview.
SAMPLE = {
    "number": "26030200000001",
    "code": "LC-7Q4K-29XM-5TAB",
    "due": "2026-03-05 18:00",
    "digits": "204816",
}


def preview(text: str, clock: str) -> str:
    """``text`` as a receiver would read it, with invented values; ``clock`` is the name of some clock. What cannot be
    filled in is left as it stands."""
    try:
        return text.format_map({**SAMPLE, "clock": clock})
    except (KeyError, ValueError, IndexError, AttributeError):
        return text
