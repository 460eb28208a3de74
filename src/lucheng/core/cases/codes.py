"""The two names of a case: the order number for staff and the tracking code for its requester."""

from __future__ import annotations

import datetime as dt
import secrets
import threading

from django.db import connection
from django.utils import timezone

# Crockford's base 32: no I, L, O or U, so a code read over the telephone is not misheard.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("ILO", "110")
_RANDOM = 11  # symbols: 55 bits
#: How many numbers one step of the sequence case_block gives.
BLOCK = 64


def _check(symbols: str) -> str:
    """The check symbol: a weighted sum modulo the prime 31, which shows any one mistyped or two swapped symbols
    (only 0 for Z or Z for 0 passes)."""
    total = sum((i + 2) * _ALPHABET.index(s) for i, s in enumerate(symbols))
    return _ALPHABET[total % 31]


def new_code() -> str:
    """A fresh tracking code as stored: 12 symbols, the last one a check.

    >>> len(new_code())
    12
    """
    return of_bits(secrets.randbits(5 * _RANDOM))


def of_bits(bits: int) -> str:
    """The tracking code that 55 bits stand for. Codes that people are given come from :func:`new_code` alone.

    >>> of_bits(0)
    '000000000000'
    """
    symbols = "".join(_ALPHABET[bits >> 5 * i & 31] for i in range(_RANDOM))
    return symbols + _check(symbols)


def written(code: str) -> str:
    """The code as people see it.

    >>> written("7Q4K29XM5TAB")
    'LC-7Q4K-29XM-5TAB'
    """
    return "LC-" + "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def read(text: str) -> str | None:
    """The stored form of a code as typed, in any case, with or without dashes and prefix; None where it has a typo."""
    symbols = "".join(ch for ch in text.upper() if ch.isalnum())
    if len(symbols) == _RANDOM + 3 and symbols.startswith("LC"):
        symbols = symbols[2:]
    symbols = symbols.translate(_ALIKE)
    if len(symbols) != _RANDOM + 1 or any(s not in _ALPHABET for s in symbols):
        return None
    return symbols if _check(symbols[:-1]) == symbols[-1] else None


def number(case_id: int, now: dt.datetime) -> str:
    """The order number: local date and case id, 14 digits for the first hundred million cases."""
    return f"{now.astimezone(timezone.get_default_timezone()):%y%m%d}{case_id:08d}"


class Numbers:
    """Hands out case ids from blocks of the sequence, so that most creates need no round trip for theirs.

    Ids are unique, never reused, and not dense: a process that ends leaves the rest of its block unused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = self._end = 0

    def take(self) -> int:
        with self._lock:
            if self._next == self._end:
                with connection.cursor() as cursor:
                    cursor.execute("select nextval('case_block')")
                    self._next = cursor.fetchone()[0]
                self._end = self._next + BLOCK
            taken = self._next
            self._next += 1
            return taken


NUMBERS = Numbers()
