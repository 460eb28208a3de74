"""Sealing: authenticated encryption of the few fields that say who asked.

A sealed value is ``suite (1 byte) · key (1 byte) · nonce (12) · ciphertext and tag``. The first two bytes say
which algorithm and which key open it, so that either can be replaced while old values stay readable.
They are authenticated together with the *purpose*, a short name of what the value is for: a value moved to
another place, where another purpose is asked for, does not open.

New values are sealed with the suite that ``LUCHENG_SEALING`` names, under the newest key. A process that runs sees
a new key as soon as its file lies there; nothing needs to be started again.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from lucheng import keys

_NONCE = 12  # bytes: the 96 bits for which GCM is made; drawn at random for every value
_TAG = 16
HEADER = 2


class Provider(Protocol):
    """An authenticated cipher under one key. ``decrypt`` raises InvalidTag where anything was changed."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class SealError(Exception):
    """A sealed value does not open: it was changed, belongs to another purpose, or its key is not here."""


class _SM4GCM:
    """SM4 (GB/T 32907-2016) in GCM (RFC 8998). Its 128-bit key is derived by SM3 from the key in the file."""

    def __init__(self, key: bytes) -> None:
        self._sm4 = algorithms.SM4(HKDF(hashes.SM3(), 16, None, b"lucheng sealing SM4-GCM").derive(key))

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        cipher = Cipher(self._sm4, modes.GCM(nonce)).encryptor()
        cipher.authenticate_additional_data(associated_data)
        return cipher.update(data) + cipher.finalize() + cipher.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        if len(data) < _TAG:
            raise InvalidTag
        cipher = Cipher(self._sm4, modes.GCM(nonce, data[-_TAG:])).decryptor()
        cipher.authenticate_additional_data(associated_data)
        return cipher.update(data[:-_TAG]) + cipher.finalize()


def _sm3(key: bytes, text: bytes) -> bytes:
    mac = HMAC(key, hashes.SM3())
    mac.update(text)
    return mac.finalize()


#: Algorithms by the number that sealed values carry. A number once used is never given to another algorithm.
_SUITES: dict[int, Callable[[bytes], Provider]] = {1: AESGCM, 2: _SM4GCM}
NUMBERS = {"aes": 1, "sm4": 2}
#: The keyed hash of the blind index that goes with each suite: 32 bytes either way.
_INDEXES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "aes": lambda key, text: hmac.digest(key, text, "sha256"),
    "sm4": _sm3,
}

#: The newest key of a home, and the file in which the next one would lie.
_newest: dict[Path, tuple[int, str]] = {}


def _newest_key(home: Path) -> int:
    """The number of the key for new values. One look at the disk each time finds a key that was made meanwhile."""
    known = _newest.get(home)
    if known is None or os.access(known[1], os.F_OK):
        number = keys.newest_sealing_key(home)
        _newest[home] = known = number, str(keys.sealing_file(home, number + 1))
    return known[0]


@lru_cache(maxsize=64)
def _provider(suite: int, key: int, home: Path) -> Provider:
    # What raises is not remembered: a key that comes later is found.
    if suite not in _SUITES:
        raise SealError(f"no suite {suite} in this version")
    try:
        return _SUITES[suite](keys.sealing_key(home, key))
    except FileNotFoundError:
        raise SealError(f"no key {key} in this installation") from None
    except ValueError as error:
        raise SealError(str(error)) from None


@lru_cache(maxsize=2)
def _index_key(home: Path) -> bytes:
    return keys.index_key(home)


def blind_index(text: str) -> bytes:
    """The keyed hash by which new values are found again. Its key is not rotated: all of them stay comparable."""
    return _INDEXES[settings.SEALING](_index_key(settings.HOME), text.encode())


def blind_indexes(text: str) -> list[bytes]:
    """What a value may have as its blind index, whichever suite it was sealed with."""
    return [index(_index_key(settings.HOME), text.encode()) for index in _INDEXES.values()]


def header() -> bytes:
    """The first bytes of every value that is sealed now: suite and key.

    Raises OSError where the keys cannot be read.
    """
    return bytes((NUMBERS[settings.SEALING], _newest_key(settings.HOME)))


def seal(plain: str, purpose: str) -> bytes:
    """Seal a text. Two seals of the same text differ. ``purpose`` must be the same again to open it.

    Raises SealError where the newest key's file is not whole: nothing is sealed under half a key.
    """
    now = header()
    nonce = os.urandom(_NONCE)
    return now + nonce + _provider(*now, settings.HOME).encrypt(nonce, plain.encode(), now + purpose.encode())


def unseal(sealed: bytes | memoryview, purpose: str) -> str:
    """Open what :func:`seal` closed.

    Raises SealError where the value was changed, was sealed for another purpose, or under a key that is not
    here.
    """
    value = bytes(sealed)
    head, nonce, body = value[:HEADER], value[HEADER : HEADER + _NONCE], value[HEADER + _NONCE :]
    if len(nonce) < _NONCE:
        raise SealError("too short to be a sealed value")
    try:
        plain = _provider(*head, settings.HOME).decrypt(nonce, body, head + purpose.encode())
    except InvalidTag:
        raise SealError("changed, or sealed for another purpose or under another key") from None
    return plain.decode()
