"""Reading a data pack: a TOML file that holds one list of entries, ``[[matter]]`` or ``[[role]]``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty

PACKS = Path(__file__).resolve().parents[1] / "packs"
#: Where the demo city's packs lie.
DEMO_CITY = PACKS / "baotou_demo"


@cache
def of_demo_city(name: str) -> dict[str, Any]:
    """A TOML file of the demo city's packs. Held in memory: read it, do not change it."""
    return tomllib.loads((DEMO_CITY / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Field:
    """What an entry may say under one key: a text, a list of texts, yes and no, or a whole number."""

    kind: type[str] | type[list[str]] | type[bool] | type[int] = str
    required: bool = False
    longest: int = 10_000  # characters of each text

    def fault(self, value: Any) -> Text | None:
        texts = value if self.kind is not str and isinstance(value, list) else [value]
        if self.kind is bool:
            return None if isinstance(value, bool) else _("write true or false")
        if self.kind is int:
            whole = isinstance(value, int) and not isinstance(value, bool)
            return None if whole else _("write a whole number")
        if self.kind is not str and not isinstance(value, list):
            return _("write a list of texts")
        if not all(isinstance(t, str) for t in texts):
            return _("write a text in quotation marks")
        if self.required and not all(t.strip() for t in texts):
            return _("this may not be empty")
        if any(len(t) > self.longest for t in texts):
            return format_lazy(_("at most {longest} characters"), longest=self.longest)
        return None


def parse(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises Faulty where it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Faulty(
            [Fault(0, path.name, format_lazy(_("this file cannot be read: {error}"), error=str(error)))]
        ) from error


def read(path: Path, table: str, fields: Mapping[str, Field], key: str) -> list[dict[str, Any]]:
    """The entries of the list ``table``, in order, each with only the keys it gives.

    Raises Faulty with all faults at once: a file that cannot be read or is not TOML; an entry with an unknown
    key, without a required one, or with a value of the wrong kind; two entries with the same ``key``.
    """
    parsed = parse(path)
    entries = parsed.pop(table, None)
    if parsed or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise Faulty(
            [Fault(0, path.name, format_lazy(_("write [[{table}]] entries and nothing else"), table=table))]
        )
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for row, entry in enumerate(entries, 1):
        faults += [Fault(row, k, _("there is no such key")) for k in entry if k not in fields]
        for name, field in fields.items():
            if name not in entry:
                if field.required:
                    faults.append(Fault(row, name, _("this is missing")))
            elif fault := field.fault(entry[name]):
                faults.append(Fault(row, name, fault))
        value = entry.get(key)
        if isinstance(value, str):
            if value in seen:
                faults.append(Fault(row, key, format_lazy(_("the same as in entry {row}"), row=seen[value])))
            seen.setdefault(value, row)
    if faults:
        raise Faulty(faults)
    return entries
