"""What the house counts in a text: its characters, pairs of characters and longer words.

Chinese writes without spaces, and a cutter of words is wrong just where it matters (a new estate, a brand, a
mis-typed word). Characters and pairs never miss, words read well; a linear model and a cosine can have all three.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from operator import add

import rjieba

_CHINESE = re.compile("[㐀-鿿]+")
_WORD = re.compile("[㐀-鿿]+|[a-z][a-z0-9]+")
#: Full-width letters and digits; and half characters, as JSON may carry them, which no cutter of words can read.
_ODD = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ud800-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")


def plain(text: str, longest: int) -> str:
    """The first ``longest`` characters in one width and case, so that ＡＰＰ and app are the same word."""
    text = text[:longest]
    if _ODD.search(text):
        text = unicodedata.normalize("NFKC", _HALF.sub("", text))
    return text.lower()


def cut(text: str) -> list[str]:
    """The words of a text, as a reader would cut them."""
    words: list[str] = rjieba.cut(text)
    return words


def _grams(text: str) -> list[str]:
    found: list[str] = []
    for run in _CHINESE.findall(text):
        found += run
        found += map(add, run, run[1:])
    return found


def grams(text: str) -> Counter[str]:
    """How often each Chinese character and each pair of neighbours occurs in a plain text.

    Digits, letters and signs say little, and house and telephone numbers are nobody's business: they are left out.
    """
    return Counter(_grams(text))


def features(text: str) -> Counter[str]:
    """The :func:`grams` of a plain text and its longer words, Chinese or Latin, from three characters."""
    found = _grams(text)
    found += [word for word in cut(text) if len(word) > 2 and _WORD.fullmatch(word)]
    return Counter(found)
