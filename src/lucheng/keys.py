"""The secrets of an installation: made once, kept in files that only the owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


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
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_bytes()


def secret_key(home: Path) -> str:
    """Django's signing key."""
    return _key(home, "django", 48).hex()


def sealing_key(home: Path) -> bytes:
    """The 256-bit key under which contact data is sealed (see lucheng.core.privacy.sealing)."""
    return _key(home, "sealing", 32)


def index_key(home: Path) -> bytes:
    """The key of the blind index, by which an exact telephone number can be found without opening any."""
    return _key(home, "index", 32)
