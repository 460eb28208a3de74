"""Sealing: authenticated encryption of the few fields that say who asked.

A sealed value is ``suite (1 byte) · key (1 byte) · nonce (12) · ciphertext and tag``. The first two bytes say
which algorithm and which key open it, so that either can be replaced while old values stay readable.
They are authenticated together with the *purpose*, a short name of what the value is for: a value moved to
another place, where another purpose is asked for, does not open.

New values are sealed with the suite that ``LUCHENG_SEALING`` names, under the newest key. A process that runs sees
a new key as soon as its file lies there; nothing needs to be started again. How the keys themselves are kept is
:mod:`lucheng.core.privacy.wrapping`'s.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from django.conf import settings

from lucheng import keys
from lucheng.core.privacy import wrapping
from lucheng.core.privacy.ciphers import INDEXES, NONCE, NUMBERS, SUITES, Provider
from lucheng.core.privacy.wrapping import KeysAway

HEADER = 2
#: A sealed value has one byte for the number of its key.
_MOST = 255


class SealError(Exception):
    """A sealed value does not open: it was changed, belongs to another purpose, or its key is not here."""


#: The newest key of a home, and the file in which the next one would lie.
_newest: dict[Path, tuple[int, str]] = {}


#: The newest key of a home that this process has opened.
_in_hand: dict[Path, int] = {}


def file(home: Path, number: int) -> Path:
    """Where a sealing key lies: ``keys/sealing`` is number 1, ``keys/sealing-2`` the next, and so on."""
    return keys.folder(home) / keys.name("sealing", number)


def newest(home: Path) -> int:
    """The highest number among the sealing keys; the first key is made where there is none. Raises KeysAway."""
    numbers = keys.numbers(keys.folder(home), "sealing")
    if not numbers:
        wrapping.made(home, "sealing")
    return numbers[-1] if numbers else 1


def new(home: Path) -> int:
    """Make the next sealing key beside the others; returns its number. From then on new values are sealed under it.

    Raises OverflowError after number 255, KeysAway where it cannot be wrapped.
    """
    number = newest(home) + 1
    if number > _MOST:
        raise OverflowError("there are 255 sealing keys, and no number for another")
    wrapping.made(home, keys.name("sealing", number))
    return number


def _newest_key(home: Path) -> int:
    """The number of the key for new values. One look at the disk each time finds a key that was made meanwhile."""
    known = _newest.get(home)
    if known is None or os.access(known[1], os.F_OK):
        number = newest(home)
        _newest[home] = known = number, str(file(home, number + 1))
    return known[0]


@cache
def _key(home: Path, number: int) -> bytes:
    # What raises is not remembered: a key that comes later is found.
    try:
        key = wrapping.opened(home, keys.name("sealing", number))
    except FileNotFoundError:
        raise SealError(f"no key {number} in this installation") from None
    except ValueError as error:
        raise SealError(str(error)) from None
    _in_hand[home] = max(number, _in_hand.get(home, 0))
    return key


@cache
def _provider(suite: int, key: int, home: Path) -> Provider:
    if suite not in SUITES:
        raise SealError(f"no suite {suite} in this version")
    return SUITES[suite](_key(home, key))


@cache
def _index_key(home: Path) -> bytes:
    try:
        return wrapping.made(home, "index")
    except ValueError as error:
        raise SealError(str(error)) from None


def open_all() -> None:
    """Have every key in memory from the start, so that nothing later depends on what keeps them.

    Raises KeysAway where one cannot be had now, SealError where one is not whole.
    """
    home = settings.HOME
    newest(home)
    for number in keys.numbers(keys.folder(home), "sealing"):
        _key(home, number)
    _index_key(home)


def forget() -> None:
    """Let go of every key in memory, as a new process has none."""
    for known in (_key, _provider, _index_key):
        known.cache_clear()
    _newest.clear()
    _in_hand.clear()


def blind_index(text: str) -> bytes:
    """The keyed hash by which new values are found again. Its key is not rotated: all of them stay comparable."""
    return INDEXES[settings.SEALING](_index_key(settings.HOME), text.encode())


def blind_indexes(text: str) -> list[bytes]:
    """What a value may have as its blind index, whichever suite it was sealed with."""
    return [index(_index_key(settings.HOME), text.encode()) for index in INDEXES.values()]


def header() -> bytes:
    """The first bytes of every value that is sealed now: suite and key.

    Raises OSError where the keys cannot be read.
    """
    return bytes((NUMBERS[settings.SEALING], _newest_key(settings.HOME)))


def seal(plain: str, purpose: str) -> bytes:
    """Seal a text. Two seals of the same text differ. ``purpose`` must be the same again to open it.

    Raises SealError where the newest key's file is not whole: nothing is sealed under half a key. Raises KeysAway where
    no key is at hand.
    """
    now, home = header(), settings.HOME
    try:
        provider = _provider(*now, home)
    except KeysAway:
        if home not in _in_hand:
            raise
        # A key was made while what keeps it is out of reach: work goes on under the newest that is in memory.
        now = bytes((now[0], _in_hand[home]))
        provider = _provider(*now, home)
    nonce = os.urandom(NONCE)
    return now + nonce + provider.encrypt(nonce, plain.encode(), now + purpose.encode())


def unseal(sealed: bytes | memoryview, purpose: str) -> str:
    """Open what :func:`seal` closed.

    Raises SealError where the value was changed, was sealed for another purpose, or under a key that is not
    here. Raises KeysAway where its key cannot be unwrapped now.
    """
    value = bytes(sealed)
    head, nonce, body = value[:HEADER], value[HEADER : HEADER + NONCE], value[HEADER + NONCE :]
    if len(nonce) < NONCE:
        raise SealError("too short to be a sealed value")
    try:
        plain = _provider(*head, settings.HOME).decrypt(nonce, body, head + purpose.encode())
    except InvalidTag:
        raise SealError("changed, or sealed for another purpose or under another key") from None
    return plain.decode()
