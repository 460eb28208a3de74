"""The ciphers under which values and keys are sealed, and the keyed hashes that go with them."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12  # bytes: the 96 bits for which GCM is made; drawn at random for every value
_TAG = 16


class Provider(Protocol):
    """An authenticated cipher under one key. ``decrypt`` raises InvalidTag where anything was changed."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...


class SM4GCM:
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
SUITES: dict[int, Callable[[bytes], Provider]] = {1: AESGCM, 2: SM4GCM}
NUMBERS = {"aes": 1, "sm4": 2}
#: The keyed hash of the blind index that goes with each suite: 32 bytes either way.
INDEXES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "aes": lambda key, text: hmac.digest(key, text, "sha256"),
    "sm4": _sm3,
}
