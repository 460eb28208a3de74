"""Sealing: authenticated encryption of the few fields that say who asked.

A sealed value is ``suite (1 byte) · key (1 byte) · nonce (12) · ciphertext and tag``. The first two bytes say
which algorithm and which key open it, so that either can be replaced later while old values stay readable.
They are authenticated together with the *purpose*, a short name of what the value is for: a value moved to
another place, where another purpose is asked for, does not open.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from lucheng import keys

_NONCE = 12  # bytes: the 96 bits for which GCM is made; drawn at random for every value
_HEADER = 2


class Provider(Protocol):
    """An authenticated cipher under one key. ``decrypt`` raises InvalidTag where anything was changed."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class SealError(Exception):
    """A sealed value does not open: it was changed, belongs to another purpose, or its key is not here."""


#: Algorithms by the number that sealed values carry. A number once used is never given to another algorithm.
_SUITES: dict[int, Callable[[bytes], Provider]] = {1: AESGCM}
_SUITE = 1  # AES-256-GCM
_KEY = 1  # the key that new values are sealed under


@lru_cache(maxsize=8)
def _provider(suite: int, key: int, home: Path) -> Provider:
    if suite not in _SUITES or key != _KEY:
        raise SealError(f"no key {key} for suite {suite} in this installation")
    return _SUITES[suite](keys.sealing_key(home))


def seal(plain: str, purpose: str) -> bytes:
    """Seal a text. Two seals of the same text differ. ``purpose`` must be the same again to open it."""
    header = bytes((_SUITE, _KEY))
    nonce = os.urandom(_NONCE)
    provider = _provider(_SUITE, _KEY, settings.HOME)
    return header + nonce + provider.encrypt(nonce, plain.encode(), header + purpose.encode())


def unseal(sealed: bytes | memoryview, purpose: str) -> str:
    """Open what :func:`seal` closed.

    Raises SealError where the value was changed, was sealed for another purpose, or under a key that is not
    here.
    """
    value = bytes(sealed)
    header, nonce, body = value[:_HEADER], value[_HEADER : _HEADER + _NONCE], value[_HEADER + _NONCE :]
    if len(nonce) < _NONCE:
        raise SealError("too short to be a sealed value")
    try:
        plain = _provider(*header, settings.HOME).decrypt(nonce, body, header + purpose.encode())
    except InvalidTag:
        raise SealError("changed, or sealed for another purpose or under another key") from None
    return plain.decode()
