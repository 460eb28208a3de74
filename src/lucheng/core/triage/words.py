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
_WORD = re.compile("[㐀-鿿]{3,}|[a-z][a-z0-9]+")


def plain(text: str, longest: int) -> str:
    """The first ``longest`` characters in one width and case, so that ＡＰＰ and app are the same word.

    Half a character, as JSON may carry one, is dropped.
    """
    whole = text[:longest].encode(errors="ignore").decode()
    return unicodedata.normalize("NFKC", whole).lower()


def cut(text: str) -> list[str]:
    """The words of a text, as a reader would cut them."""
    words: list[str] = rjieba.cut(text)
    return words


def features(text: str) -> Counter[str]:
    """How often each Chinese character, each pair of them and each longer word occurs in a plain text.

    Words of Latin letters count from two letters (app, wifi). Digits and signs say nothing of the matter, and house
    and telephone numbers are nobody's business: they are left out.
    """
    counts: Counter[str] = Counter()
    for run in _CHINESE.findall(text):
        counts.update(run)
        counts.update(map(add, run, run[1:]))
    counts.update(filter(_WORD.fullmatch, cut(text)))
    return counts
