"""What a division is and what it is called, told from its name; the endings stand in packs/national/divisions.toml.

A banner is a banner, a sumu a sumu, a gacha a gacha: each ending names the kind that people use.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import lucheng
from lucheng.core.places.models import LEVELS, Kind

_LEVEL_OF = {digits: level for level, digits in LEVELS.items()}

#: Digits of a code that are its own, at each level.
OWN_DIGITS = {4: 2, 6: 2, 9: 3, 12: 3, 15: 3}


@dataclass(frozen=True)
class _Rules:
    placeholders: frozenset[str]
    endings: dict[int, tuple[tuple[str, Kind], ...]]
    """For each length of code: ending and kind, longest ending first."""
    ranges: dict[int, tuple[tuple[int, int, Kind], ...]]


@functools.cache
def _rules() -> _Rules:
    pack = Path(lucheng.__file__).parent / "packs" / "national" / "divisions.toml"
    parsed = tomllib.loads(pack.read_text(encoding="utf-8"))
    endings: dict[int, list[tuple[str, Kind]]] = {}
    ranges: dict[int, list[tuple[int, int, Kind]]] = {}
    for rule in parsed["rule"]:
        digits, kind = LEVELS[rule["level"]], Kind(rule["kind"])
        endings.setdefault(digits, []).extend((e, kind) for e in rule["endings"])
        if "range" in rule:
            first, last = rule["range"]
            ranges.setdefault(digits, []).append((first, last, kind))
    return _Rules(
        placeholders=frozenset(parsed["placeholders"]),
        endings={d: tuple(sorted(e, key=lambda x: -len(x[0]))) for d, e in endings.items()},
        ranges={d: tuple(r) for d, r in ranges.items()},
    )


def is_placeholder(name: str) -> bool:
    """Whether a row of a code list stands for no place (市辖区): what is in brackets after the name does not count."""
    return re.split("[(（]", name)[0] in _rules().placeholders


def kind_of(code: str, name: str) -> Kind:
    """The kind of the division ``code`` (without trailing zeros) from how ``name`` ends, else from its own digits.

    Raises ValueError where neither tells.
    """
    if is_placeholder(name):
        return Kind.PLACEHOLDER
    rules = _rules()
    for ending, kind in rules.endings.get(len(code), ()):
        if name.endswith(ending):
            return kind
    if own := OWN_DIGITS.get(len(code)):
        number = int(code[-own:])
        for first, last, kind in rules.ranges.get(len(code), ()):
            if first <= number <= last:
                return kind
    raise ValueError(f"the kind of {name} ({code}) cannot be told from its name or its code")


def forms(level: int, name: str) -> tuple[str, ...]:
    """The name and what remains of it when generic endings are taken off one by one, longest first.

    ``level`` is the length of the code. At least two characters always remain.

    >>> forms(12, "胜利社区居委会")
    ('胜利社区居委会', '胜利社区', '胜利')
    """
    found = [name]
    endings = [e for e, _ in _rules().endings.get(level, ())]
    # "社区居委会" is an ending as a whole and also 居委会 after 社区: take off the shortest, so that no form is lost.
    while True:
        rest = max(
            (found[-1][: -len(e)] for e in endings if found[-1].endswith(e) and len(found[-1]) - len(e) >= 2),
            key=len,
            default=None,
        )
        if rest is None:
            return tuple(found)
        found.append(rest)


@functools.lru_cache(maxsize=1 << 14)
def stem(level: int, name: str) -> str:
    """The name without any generic ending: what stays when a village's committee is written another way.

    >>> stem(12, "银匠窑村村委会") == stem(12, "银匠窑村委会")
    True
    """
    return forms(level, name)[-1]
