"""The secrets of an installation: made once, kept in files that only the owner may read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from lucheng import files


def folder(home: Path) -> Path:
    return home / "keys"


def put(where: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """Read ``where/name``, making it on first use. Two processes that start at once agree on one."""
    file = where / name
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    content = make()
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(where, name, content)
    try:
        os.link(draft, file)  # fails if another process was first; its key wins
        files.sync(where)  # nothing may be sealed under a key that a power cut takes away
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()


def replace(where: Path, name: str, content: bytes) -> None:
    """Put ``content`` in the place of a file. Whoever reads it meanwhile, or after a power cut, finds either whole."""
    _draft(where, name, content).replace(where / name)
    files.sync(where)


def _draft(where: Path, name: str, content: bytes) -> Path:
    draft = where / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(content)
        f.flush()
        os.fsync(f.fileno())
    return draft


def name(stem: str, number: int) -> str:
    """What a numbered key's file is called: ``sealing`` is number 1, ``sealing-2`` the next, and so on."""
    return stem if number == 1 else f"{stem}-{number}"


def numbers(where: Path, stem: str) -> list[int]:
    """The numbers of the keys ``stem`` that lie in a folder, in order."""
    found = (re.fullmatch(rf"{stem}(?:-([1-9][0-9]*))?", file.name) for file in where.glob(f"{stem}*"))
    return sorted(int(match[1] or 1) for match in found if match)


def secret_key(home: Path) -> str:
    """Django's signing key."""
    return put(folder(home), "django", lambda: secrets.token_bytes(48)).hex()
