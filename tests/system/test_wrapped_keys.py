"""Two web processes and a key service that comes and goes: what is asked for in the meantime, and what it answers."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.core.privacy.keeper import TOKEN, KeyService
from tests.system.installation import PATIENCE, Installation, apart


@dataclass
class Guarded(Installation):
    """An installation whose keys are wrapped by a key service."""

    url: str = ""

    @property
    def env(self) -> dict[str, str]:
        return {
            **super().env,
            "LUCHENG_WRAPPING": "vault",
            "LUCHENG_VAULT_URL": self.url,
            "LUCHENG_OUTGOING_HOSTS": "127.0.0.1,localhost",
            "LUCHENG_VAULT_TOKEN": TOKEN,
        }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[KeyService]:
    made = KeyService(tmp_path / "service")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def installation(service: KeyService) -> Iterator[Guarded]:
    with apart(Guarded, "keys") as made:
        made.url = service.url
        made.prepare(copied=False)
        yield made


def keys_of(installation: Guarded) -> set[int]:
    """Under which keys numbers are sealed."""
    code = "from lucheng.core.privacy.models import Contact\nprint([bytes(c.phone)[1] for c in Contact.objects.all()])"
    return set(map(int, installation.python(code).strip("[]").split(", ")))


def processes(installation: Guarded) -> list[int]:
    """The web processes under the one that was started."""
    assert installation.server is not None
    parent, found = installation.server.pid, []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


def test_work_goes_on_while_the_key_service_is_away_and_nothing_starts_without_it(
    installation: Guarded, service: KeyService
) -> None:
    installation.start()
    assert {installation.create(f"before-{n:04}", "路灯不亮")[0] for n in range(8)} == {201}

    # It goes away: both processes have what they need in their memory.
    service.stop()
    assert {installation.create(f"away-{n:04}", "路灯不亮")[0] for n in range(8)} == {201}

    # One that dies is started anew by its parent, which has the keys in its memory too.
    for pid in processes(installation):
        os.kill(pid, signal.SIGKILL)
    deadline, status = time.monotonic() + PATIENCE, 0
    while status != 201:
        assert time.monotonic() < deadline, status
        status, _body = installation.create("anew-0001", "路灯不亮")
    code, words = installation.lucheng("serve", "--port", "1")
    assert code == 1 and "does not answer" in words and "Nothing was started" in words
    service.start()

    # A new key, and a new version of the service's own: both processes take the one, neither needs the other.
    assert installation.command("privacy", "rotate") == 0
    service.rotate()
    assert installation.command("privacy", "rewrap") == 0
    service.stop()
    assert {installation.create(f"after-{n:04}", "路灯不亮")[0] for n in range(8)} == {201}
    service.start()
    assert {installation.create(f"later-{n:04}", "路灯不亮")[0] for n in range(16)} == {201}
    assert installation.command("privacy", "rotate", "--resume") == 0
    assert keys_of(installation) == {2}
    installation.kill()
    installation.start()
    assert installation.create("again-0001", "路灯不亮")[0] == 201
