"""What the house counts in a text: its characters and the pairs of neighbours among them, as numbers.

Chinese writes without spaces, and a cutter of words is wrong just where it matters (a new estate, a brand, a
mis-typed word). Characters and pairs never miss, and as numbers they cost a text of 300 characters some fifty
microseconds; words are cut only to be shown to people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import rjieba
from numpy.typing import NDArray

Codes = NDArray[np.uint32]

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


def code(gram: str) -> int:
    """The number of one character or of a pair.

    >>> hex(code("灯")), hex(code("路灯"))
    ('0x706f', '0x8def706f')
    """
    return ord(gram) if len(gram) == 1 else ord(gram[0]) << 16 | ord(gram[1])


def parts(word: str) -> set[int]:
    """The numbers of the characters and pairs of a word."""
    return {code(word[i : i + n]) for n in (1, 2) for i in range(len(word) - n + 1)}


def grams(texts: Sequence[str]) -> tuple[NDArray[np.intp], Codes, NDArray[np.intp]]:
    """(Owner, code, count) of each distinct character and pair of each plain text, sorted by owner and code.

    Chinese characters and Latin letters count. Digits and signs say nothing of a matter, and house and telephone
    numbers are nobody's business: they are left out, and no pair reaches over them.
    """
    joined = np.frombuffer("\n".join(texts).encode("utf-32-le"), np.uint32)
    letter = ((joined >= 0x3400) & (joined <= 0x9FFF)) | ((joined >= 0x61) & (joined <= 0x7A))
    pair = letter[:-1] & letter[1:]
    codes = np.concatenate((joined[letter], (joined[:-1][pair] << 16) | joined[1:][pair]))
    if len(texts) == 1:
        keys = codes.astype(np.uint64)
    else:
        owner = np.repeat(np.arange(len(texts), dtype=np.uint64), [len(text) + 1 for text in texts])[:-1]
        keys = np.concatenate((owner[letter], owner[:-1][pair])) << np.uint64(32) | codes
    keys.sort()
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
    counts = np.diff(first, append=len(keys))
    keys = keys.take(first)
    return (keys >> np.uint64(32)).astype(np.intp), keys.astype(np.uint32), counts
