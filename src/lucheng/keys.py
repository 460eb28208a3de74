"""The secrets of an installation: made once, kept in files that only the owner may read."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from lucheng import files

SEALING_KEY_LENGTH = 32  # bytes


def _key(home: Path, name: str, size: int) -> bytes:
    """Read ``home/keys/name``, making it on first use. Two processes that start at once agree on one key."""
    folder = home / "keys"
    file = folder / name
    try:
        return file.read_bytes()
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(secrets.token_bytes(size))
        f.flush()
        os.fsync(f.fileno())
    try:
        os.link(draft, file)  # fails if another process was first; its key wins
        files.sync(folder)  # nothing may be sealed under a key that a power cut takes away
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()


def secret_key(home: Path) -> str:
    """Django's signing key."""
    return _key(home, "django", 48).hex()


def sealing_file(home: Path, number: int) -> Path:
    """Where a sealing key lies: ``keys/sealing`` is number 1, ``keys/sealing-2`` the next, and so on."""
    return home / "keys" / ("sealing" if number == 1 else f"sealing-{number}")


def sealing_key(home: Path, number: int) -> bytes:
    """A 256-bit key under which contact data is sealed (see lucheng.core.privacy.sealing).

    Raises FileNotFoundError where it is not here: a key that was lost is never replaced by another of its number.
    Raises ValueError where its file is not whole: somebody copies it just now, or cut it off.
    """
    file = sealing_file(home, number)
    key = file.read_bytes()
    if len(key) != SEALING_KEY_LENGTH:
        raise ValueError(f"{file} has {len(key)} bytes, not {SEALING_KEY_LENGTH}: it is not the whole key")
    return key


def newest_sealing_key(home: Path) -> int:
    """The highest number among the sealing keys; the first key is made where there is none."""
    found = [
        int(match[1] or 1)
        for file in (home / "keys").glob("sealing*")
        if (match := re.fullmatch(r"sealing(?:-([1-9][0-9]*))?", file.name))
    ]
    if not found:
        _key(home, "sealing", SEALING_KEY_LENGTH)
        return 1
    return max(found)


def new_sealing_key(home: Path) -> int:
    """Make the next sealing key beside the others; returns its number. From then on new values are sealed under it.

    Raises OverflowError after number 255: a sealed value has one byte for it.
    """
    number = newest_sealing_key(home) + 1
    if number > 255:
        raise OverflowError("there are 255 sealing keys, and no number for another")
    _key(home, sealing_file(home, number).name, SEALING_KEY_LENGTH)
    return number


def index_key(home: Path) -> bytes:
    """The key of the blind index, by which an exact telephone number can be found without opening any."""
    return _key(home, "index", 32)
