"""The keys that seal are themselves kept sealed: each lies in its file wrapped under a key-encryption key, which stays
where its keeper has it, in a folder apart or in a key management service.

A file in ``LUCHENG_HOME/keys`` holds either 32 bytes, a key as release 0.1.0 wrote it, or an :class:`Envelope`. Both
open; ``lucheng privacy rewrap`` brings all of them under what ``LUCHENG_WRAPPING`` says, without touching a value that
they seal. A key is unwrapped once for each process and then kept in its memory.

Sources: NIST SP 800-57 part 1 rev. 5, 5.3.5 and 6.2.1.3 (keys wrapped by keys, cryptoperiods); the transit engine of
Vault and OpenBao (``POST /v1/transit/encrypt/<key>`` and ``…/decrypt/<key>``).
"""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import ssl
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from lucheng import keys
from lucheng.core import outgoing
from lucheng.core.errors import Unavailable
from lucheng.core.privacy import ciphers

log = logging.getLogger(__name__)

KEY_LENGTH = 32  # bytes


class KeysAway(Unavailable):
    """A key cannot be unwrapped now, and may be later: its keeper does not answer, or does not let us in.

    ``why`` is for whoever runs the system, ``detail`` for whoever wanted something.
    """

    def __init__(self, why: str) -> None:
        super().__init__(
            _(
                "The keys of personal data cannot be reached: nothing was stored or shown. Try again in a moment."
            )
        )
        self.why = why

    def __str__(self) -> str:
        return self.why


class Envelope(msgspec.Struct):
    """A wrapped key: by which kind of keeper, under which of its keys, and the wrapped bytes as the keeper writes
    them."""

    wrapping: str
    key: str
    wrapped: str


class Wrapping(Protocol):
    """A keeper of key-encryption keys. ``purpose`` is the name of what is wrapped: it does not open under another."""

    def wrap(self, key: bytes, purpose: str) -> Envelope:
        """Raises KeysAway."""
        ...

    def unwrap(self, envelope: Envelope, purpose: str) -> bytes:
        """Raises KeysAway; ValueError where the envelope was changed, or is not of this keeper."""
        ...


class FileWrapping:
    """Key-encryption keys in files, ``wrapping``, ``wrapping-2``, …: the newest wraps, each unwraps its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = settings.WRAPPING_KEYS or keys.folder(home)

    def new(self) -> int:
        """Make another key, under which everything is wrapped from then on; returns its number."""
        number = max(keys.numbers(self._folder, "wrapping"), default=0) + 1
        keys.put(self._folder, keys.name("wrapping", number), lambda: secrets.token_bytes(KEY_LENGTH))
        return number

    def _cipher(self, suite: int, number: int) -> ciphers.Provider:
        file = self._folder / keys.name("wrapping", number)
        try:
            return ciphers.SUITES[suite](_whole(file, file.read_bytes()))
        except FileNotFoundError:
            raise KeysAway(f"{file} is not here, and a key is wrapped under it: put it back") from None
        except OSError as error:
            raise KeysAway(f"{file} cannot be read: {error.strerror}") from None

    def wrap(self, key: bytes, purpose: str) -> Envelope:
        made = keys.numbers(self._folder, "wrapping")
        if not made and any(e.wrapping == "file" for _name, e in envelopes(self._home) if e is not None):
            # Another key of the same number would hide that the right one is lost.
            raise KeysAway(
                f"there is no wrapping key in {self._folder}, and a key is wrapped under one: put it back"
            )
        number = made[-1] if made else self.new()
        suite, nonce = ciphers.NUMBERS[settings.SEALING], os.urandom(ciphers.NONCE)
        wrapped = self._cipher(suite, number).encrypt(nonce, key, purpose.encode())
        return Envelope("file", str(number), base64.b64encode(bytes([suite]) + nonce + wrapped).decode())

    def unwrap(self, envelope: Envelope, purpose: str) -> bytes:
        held = base64.b64decode(envelope.wrapped, validate=True)
        suite, nonce, wrapped = held[:1], held[1 : 1 + ciphers.NONCE], held[1 + ciphers.NONCE :]
        if not wrapped or suite[0] not in ciphers.SUITES:
            raise ValueError("is wrapped in a way that this version does not have")
        try:
            return self._cipher(suite[0], int(envelope.key)).decrypt(nonce, wrapped, purpose.encode())
        except InvalidTag:
            raise ValueError(f"was changed, or is not wrapped under wrapping key {envelope.key}") from None


class VaultWrapping:
    """A key-encryption key that never leaves a service which speaks Vault's transit protocol.

    The token is read anew for every request, so that one which is renewed in its file is used at once.
    """

    TIMEOUT = 5.0
    #: Seconds for which a service that did not answer is not asked again: requests must not queue up behind it.
    PAUSE = 3.0
    _silent: tuple[float, str] = (0.0, "")

    def __init__(self) -> None:
        self._key = settings.VAULT_KEY
        self._base = f"{settings.VAULT_URL.rstrip('/')}/v1/{quote(settings.VAULT_MOUNT)}"
        self._tls: ssl.SSLContext | None = None
        if urlsplit(settings.VAULT_URL).scheme == "https":
            try:
                self._tls = ssl.create_default_context(cafile=settings.VAULT_CA or None)
                if settings.VAULT_CERT:
                    self._tls.load_cert_chain(settings.VAULT_CERT, settings.VAULT_CERT_KEY or None)
            except OSError as error:
                raise KeysAway(f"a certificate for the key service cannot be read: {error}") from None

    def _headers(self) -> dict[str, str]:
        token = settings.VAULT_TOKEN
        if settings.VAULT_TOKEN_FILE:
            try:
                token = Path(settings.VAULT_TOKEN_FILE).read_text().strip()
            except OSError as error:
                raise KeysAway(f"{settings.VAULT_TOKEN_FILE} cannot be read: {error.strerror}") from None
        return {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def _ask(self, what: str, key: str, body: dict[str, str]) -> dict[str, Any]:
        until, why = VaultWrapping._silent
        if time.monotonic() < until:
            raise KeysAway(why)
        url = f"{self._base}/{what}/{quote(key, safe='')}"
        try:
            answer = outgoing.call(
                "POST", url, json.dumps(body).encode(), self._headers(), timeout=self.TIMEOUT, tls=self._tls
            )
        except outgoing.Unreachable as error:
            why = f"the key service at {self._base} does not answer: {error}"
            VaultWrapping._silent = time.monotonic() + self.PAUSE, why
            raise KeysAway(why) from None
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise ValueError(f"is refused by the key service at {self._base} (400)")
        if answer.status != HTTPStatus.OK:
            reason = {
                403: "it does not take our token, or its policy forbids this (403)",
                404: "it has no such key (404)",
            }
            said = reason.get(answer.status, f"it answered {answer.status}")
            raise KeysAway(f"the key service at {self._base}: {said}")
        try:
            data: dict[str, Any] = json.loads(answer.body)["data"]
        except (ValueError, KeyError, TypeError):
            raise KeysAway(
                f"the key service at {self._base} answered something else than it should"
            ) from None
        return data

    def wrap(self, key: bytes, purpose: str) -> Envelope:
        body = {"plaintext": _b64(key), "associated_data": _b64(purpose.encode())}
        try:
            wrapped = str(self._ask("encrypt", self._key, body).get("ciphertext", ""))
        except ValueError as error:
            raise KeysAway(f"a key to be wrapped {error}") from None
        return Envelope("vault", self._key, wrapped)

    def unwrap(self, envelope: Envelope, purpose: str) -> bytes:
        body = {"ciphertext": envelope.wrapped, "associated_data": _b64(purpose.encode())}
        plain = self._ask("decrypt", envelope.key, body).get("plaintext", "")
        return base64.b64decode(plain, validate=True)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def keeper(kind: str, home: Path) -> Wrapping:
    """The keeper of a kind, ``file`` or ``vault``. Raises KeysAway where it is not set up here."""
    if kind == "file":
        return FileWrapping(home)
    if kind == "vault" and settings.VAULT_URL:
        return VaultWrapping()
    raise KeysAway(
        f"a key is wrapped by “{kind}”, which is not set up here (LUCHENG_VAULT_URL, docs/security.md)"
    )


def _purpose(name: str) -> str:
    return f"lucheng key {name}"


def _whole(file: Path, key: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise ValueError(f"{file} has {len(key)} bytes, not {KEY_LENGTH}: it is not the whole key")
    return key


def _envelope(held: bytes) -> Envelope | None:
    try:
        return msgspec.json.decode(held, type=Envelope) if len(held) != KEY_LENGTH else None
    except msgspec.DecodeError:
        return None


def _wrapped(home: Path, name: str, key: bytes) -> bytes:
    return msgspec.json.encode(keeper(settings.WRAPPING, home).wrap(key, _purpose(name)))


def _opened(home: Path, name: str, held: bytes) -> bytes:
    file, envelope = keys.folder(home) / name, _envelope(held)
    if envelope is None:
        return _whole(file, held)
    try:
        return _whole(file, keeper(envelope.wrapping, home).unwrap(envelope, _purpose(name)))
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None


def made(home: Path, name: str) -> bytes:
    """The key in ``keys/<name>``, drawn and wrapped on first use. Two processes that start at once agree on one.

    Raises KeysAway; ValueError where the file is not whole or was changed.
    """
    return _opened(home, name, keys.put(keys.folder(home), name, lambda: fresh(home, name)))


def fresh(home: Path, name: str) -> bytes:
    """What the file of a new key of that name holds: the key, drawn and wrapped. Raises KeysAway."""
    return _wrapped(home, name, secrets.token_bytes(KEY_LENGTH))


def opened(home: Path, name: str) -> bytes:
    """The key in ``keys/<name>``, whichever way it is kept.

    Raises FileNotFoundError where it is not here: a key that was lost is never replaced by another of its name. Raises
    KeysAway; ValueError where the file is not whole or was changed.
    """
    return _opened(home, name, (keys.folder(home) / name).read_bytes())


def names(home: Path) -> list[str]:
    """The files of the keys that are kept wrapped: those that seal, and that of the blind index."""
    where = keys.folder(home)
    sealing = [keys.name("sealing", n) for n in keys.numbers(where, "sealing")]
    return [*sealing, *(["index"] if (where / "index").exists() else [])]


def envelopes(home: Path) -> list[tuple[str, Envelope | None]]:
    """How each key is kept; None where it lies bare. Nothing is unwrapped."""
    return [(name, _envelope((keys.folder(home) / name).read_bytes())) for name in names(home)]


def rewrap(home: Path) -> list[str]:
    """Wrap every key anew, as ``LUCHENG_WRAPPING`` says, and return the names of those that do not open.

    What they seal is not touched, and a process that runs has them in its memory. No file is replaced before what
    replaces it has been opened again. It may be stopped at any moment: each file is the old one or the new one.

    Raises KeysAway.
    """
    shut = []
    for name in names(home):
        try:
            key = opened(home, name)
        except ValueError:
            shut.append(name)
            continue
        held = _wrapped(home, name, key)
        if _opened(home, name, held) != key:
            raise KeysAway(
                f"what the keeper wrapped for {name} opens to something else; nothing was replaced"
            )
        keys.replace(keys.folder(home), name, held)
    return shut
