"""Numbers of persons in free text: telephones, identity cards and bank cards, however people write them.

Sources: numbers of identity cards: GB 11643-1999 (18 digits, check digit by ISO 7064 MOD 11-2) and GB 11643-1989 (15
digits, out of use since 2013); bank cards: GB/T 19584 and ISO/IEC 7812-1 (up to 19 digits, check digit by Luhn); mobile
numbers: 11 digits from 13 to 19; area codes: 010, 02x, 03xx to 09xx. What only looks like one, such as an order number,
an amount, a date or the code of a camera, is left alone. No names are looked for: surnames are ordinary words.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

#: What stands in place of a number. No digit is left: the last ones open a case (lucheng.core.cases.following).
MASK = "****"


class Kind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    IDENTITY = "identity"
    CARD = "card"


#: What no reply needs; the landline of an office may stand in one.
OF_A_PERSON = frozenset({Kind.MOBILE, Kind.IDENTITY, Kind.CARD})


@dataclass(frozen=True, slots=True)
class Found:
    """One number in a text: ``text[start:end]`` as it was written."""

    kind: Kind
    start: int
    end: int


_SPOKEN = {**dict(zip("零一二三四五六七八九", "0123456789", strict=True)), "〇": "0", "○": "0", "幺": "1"}
#: Between two groups of one number: blanks, dashes, dots and what cannot be seen.
_BETWEEN = r"[\s\-‐-―－.．·・_()（）\u200b-\u200f\u2060\ufeff]{1,3}"
_WRITTEN = re.compile(rf"\d+(?:{_BETWEEN}\d+)*(?:(?:{_BETWEEN})?[xXｘＸ](?![A-Za-z]))?")
_ALSO_SPOKEN = re.compile(
    rf"[\d{''.join(_SPOKEN)}]+(?:{_BETWEEN}[\d{''.join(_SPOKEN)}]+)*(?:[xXｘＸ](?![A-Za-z]))?"
)
_GROUP = re.compile(rf"[\d{''.join(_SPOKEN)}]+|[xXｘＸ]")
_NUMERAL = re.compile(f"[{''.join(_SPOKEN)}]")
#: How long a number can be, by its first digit: all else need not be looked at.
_LENGTHS: dict[str, frozenset[int]] = {
    "0": frozenset(range(10, 16)),
    "1": frozenset({11, 15, 18}),
    "3": frozenset({7, 8, 15, 16, 18}),
    "4": frozenset({7, 8, 15, 16, 18}),
    "5": frozenset({7, 8, 15, 16, 18}),
    "6": frozenset({7, 8, *range(15, 20)}),
    "8": frozenset({7, 8, *range(11, 14), 15, 18}),
    "X": frozenset(),
    **dict.fromkeys("27", frozenset({7, 8, 15, 18})),
    "9": frozenset({15, 18}),
}
#: The most groups of one number: one for each digit of an identity card.
_GROUPS = 19

_AREA = r"0(?:10|2\d|[3-9]\d\d)"
_MOBILE = re.compile(r"(?:(?:00)?86)?1[3-9]\d{9}")
_LANDLINE = re.compile(rf"(?:00)?(?:86{_AREA[1:]}|{_AREA})[2-8]\d{{6,7}}")
_SHORT_LANDLINE = re.compile(r"(?!20\d\d[01])[2-8]\d{6,7}")
_CALLED = re.compile(
    r"(?:电话|座机|固话|致电|拨打|来电|回电|号码|tel|phone|call)[^\d\n]{0,4}$", re.IGNORECASE
)
#: Without its check digit an old identity number looks like the code of a grid: the words before it have to say so.
_CARD_NAMED = re.compile(r"(?:身份证|证件|证号|老证|\bID)[^\d\n]{0,5}$", re.IGNORECASE)
#: Provinces and the like: the first two digits of an identity number (GB/T 2260).
_PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_OLD = re.compile(rf"(?:{_PROVINCES.pattern})\d{{13}}")
#: UnionPay, Visa, Mastercard, American Express, JCB.
_CARD = re.compile(r"62\d{14,17}|4\d{15}|5[1-5]\d{14}|3[47]\d{13}|35\d{14}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
#: What comes right after an amount, and a letter right before a part number or code.
_AMOUNT = re.compile(r"\s?(?:元|块|万|亿|千|米|公里|吨|斤|度|平|%|％|年|月|日)|[A-Za-z]")
_AFTER_A_POINT = re.compile(r"\d\.$")
_IN_A_CODE = re.compile(r"[A-Za-z_/]$")
_WORD = re.compile(r"(?:tel|phone|mobile|call|no)$", re.IGNORECASE)


def _born(digits: str) -> bool:
    """Whether eight digits are a day on which somebody who lives may have been born."""
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1880 <= day.year <= 2100


def identity_check(first17: str) -> str:
    """The check digit of an identity number (GB 11643-1999), 0 to 9 or X.

    >>> identity_check("11010519491231002")
    'X'
    """
    return _CHECKS[sum(w * int(d) for w, d in zip(_WEIGHTS, first17, strict=True)) % 11]


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).

    >>> luhn("4539578763621486"), luhn("4539578763621487")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _kind(digits: str) -> Kind | None:
    """What a run of digits, perhaps with a last X, is by itself."""
    if (
        len(digits) == 18
        and digits[:17].isdecimal()
        and _PROVINCES.match(digits)
        and _born(digits[6:14])
        and identity_check(digits[:17]) == digits[17]
    ):
        return Kind.IDENTITY
    if not digits.isdecimal():
        return None
    if _MOBILE.fullmatch(digits):
        return Kind.MOBILE
    if _LANDLINE.fullmatch(digits):
        return Kind.LANDLINE
    return Kind.CARD if _CARD.fullmatch(digits) and luhn(digits) else None


def _written_so(kind: Kind, groups: list[str]) -> bool:
    """Whether anybody writes such a number in these groups. A date, or two numbers in a row, are written otherwise."""
    if len(groups) == 1 or kind is Kind.IDENTITY:
        return True
    first, sizes = groups[0], [len(group) for group in groups]
    if kind is Kind.LANDLINE and sum(sizes) <= 8:
        return max(sizes) == 1 or (len(sizes) == 2 and sizes[1] == 4)
    if max(sizes) <= 2:  # spelt out
        return True
    if _YEAR.fullmatch(first) and sizes[1] <= 2:
        return False
    if kind is Kind.CARD:
        return set(sizes[:-1]) == {4}
    return first in ("86", "0086") or 3 <= sizes[0] <= 4


def _plain(written: str) -> str:
    """The digits that were written or spoken, in ASCII, with an X."""
    return "".join("X" if c in "xXｘＸ" else _SPOKEN.get(c) or str(unicodedata.decimal(c)) for c in written)


def _in_run(text: str, run: re.Match[str]) -> Iterator[Found]:
    """The numbers in one run of groups, from the left, the longest first."""
    groups = [(m.start(), m.end()) for m in _GROUP.finditer(text, run.start(), run.end())]
    plain = [_plain(text[start:end]) for start, end in groups]
    upto = list(accumulate((len(group) for group in plain), initial=0))
    first = 0
    while first < len(groups):
        start, lengths = groups[first][0], _LENGTHS[plain[first][0]]
        last = min(len(groups), first + _GROUPS)
        while last > first:
            if upto[last] - upto[first] in lengths:
                kind = _judged(text, start, groups[last - 1][1], plain[first:last])
                if kind is not None:
                    yield Found(kind, start, groups[last - 1][1])
                    break
            last -= 1
        first = last if last > first else first + 1


def _judged(text: str, start: int, end: int, groups: list[str]) -> Kind | None:
    """What ``groups``, which stand at ``text[start:end]``, are together and where they stand."""
    digits = "".join(groups)
    kind = _kind(digits)
    before = text[max(0, start - 12) : start]
    if kind is None and len(digits) <= 8 and _SHORT_LANDLINE.fullmatch(digits) and _CALLED.search(before):
        kind = Kind.LANDLINE
    if kind is None and len(digits) == 15 and _OLD.fullmatch(digits) and _CARD_NAMED.search(before):
        kind = Kind.IDENTITY if _born("19" + digits[6:12]) else None
    if kind is None or not _written_so(kind, groups):
        return None
    if _IN_A_CODE.search(before) and not _WORD.search(before):
        return None
    if len(groups) == 1 and _AFTER_A_POINT.search(before):
        return None
    if kind in (Kind.MOBILE, Kind.LANDLINE) and _AMOUNT.match(text[end : end + 3]):
        return None
    return kind


def _long(run: re.Match[str]) -> bool:
    return run.end() - run.start() >= 7


def find(text: str) -> list[Found]:
    """The numbers of persons in ``text``, from the left, without overlap."""
    found = [hit for run in _WRITTEN.finditer(text) if _long(run) for hit in _in_run(text, run)]
    spoken = [run for run in _ALSO_SPOKEN.finditer(text) if _long(run) and _NUMERAL.search(run.group())]
    if spoken:
        taken = {i for hit in found for i in range(hit.start, hit.end)}
        for run in spoken:
            found += [h for h in _in_run(text, run) if not taken.intersection(range(h.start, h.end))]
    return sorted(found, key=lambda hit: hit.start)


def cover(text: str, kinds: Iterable[Kind] = frozenset(Kind)) -> str:
    """``text`` with its numbers of these kinds covered. Covering twice changes nothing more.

    >>> cover("请打138 0013 2210，3号楼")
    '请打****，3号楼'
    """
    wanted = frozenset(kinds)
    parts, at = [], 0
    for hit in find(text):
        if hit.kind in wanted:
            parts += [text[at : hit.start], MASK]
            at = hit.end
    return "".join([*parts, text[at:]])


_LONG = re.compile(r"\d[\d\s-]{5,}\d[xX]?")


def cover_all(text: str) -> str:
    """:func:`cover`, and every other long number as well: for the requester's own words on a page that a code opens,
    where a number too few would be worse than one too many.

    >>> cover_all("尾号写错的身份证15020319900101123X，3号楼")
    '尾号写错的身份证****，3号楼'
    """
    return _LONG.sub(MASK, cover(text))
