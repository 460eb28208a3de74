"""Words that mean: telephone first. They bring "call 110, 119 or 120 now" to the top before anything else.

A list that a city can read and change, not a model: a missed fire is worse than a needless line on the screen.
Source: State Council General Office document 国办发〔2022〕12号 (12345 and 110 hand over to each other at once).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lucheng.core.triage.words import plain

NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "urgent.toml"

_LONGEST = 50_000
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Urgent:
    """A word found and the number that helps."""

    word: str
    number: str


@dataclass(frozen=True)
class _List:
    numbers: dict[str, str]
    """Word → number."""
    found: re.Pattern[str]
    harmless: re.Pattern[str] | None


def _any(words: list[str]) -> re.Pattern[str]:
    """Matches any of the words, the longest first."""
    return re.compile("|".join(re.escape(w) for w in sorted(words, key=lambda w: (-len(w), w))))


@cache
def _list() -> _List:
    pack = tomllib.loads(NATIONAL.read_text(encoding="utf-8"))
    numbers = {word: group["number"] for group in pack["group"] for word in group["words"]}
    return _List(numbers, _any(list(numbers)), _any(pack["harmless"]) if pack["harmless"] else None)


def words_in(text: str) -> tuple[Urgent, ...]:
    """The urgent words of a text with their numbers, each once, in the order in which they stand.

    Turns of phrase that hold such a word and mean something else (消防演练, 防溺水宣传) are passed over; a sentence
    that denies one ("没有着火") still counts, since who asks may be wrong.
    """
    words = _list()
    told = _SPACES.sub("", plain(text, _LONGEST))
    if words.harmless is not None:
        told = words.harmless.sub(" ", told)
    found = dict.fromkeys(words.found.findall(told))
    return tuple(Urgent(word, words.numbers[word]) for word in found)
