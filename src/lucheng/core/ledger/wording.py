"""The words of outgoing messages, from the pack ``national/messages.toml`` and a city's own file."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.faults import Fault, Faulty

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
_PARAMS = {name: {"clock", "due"} for name in ("clock_warned", "clock_urged", "clock_escalated")}


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


def wording(name: str) -> Wording:
    """The text called ``name``. Raises KeyError where there is none."""
    return _known(settings.HOME)[name]


def names() -> frozenset[str]:
    return frozenset(_known(settings.HOME))


def check(name: str, params: Mapping[str, Any]) -> None:
    """Refuse a message that could not be rendered, while whoever causes it can still see the error.

    Raises KeyError for an unknown text, ValueError for a missing parameter.
    """
    if missing := wording(name).params - params.keys():
        raise ValueError(f"message {name} lacks {', '.join(sorted(missing))}")
