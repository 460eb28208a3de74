"""The embedded database comes back where it ended by itself, and stays away where it was told to go."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.system.installation import Installation, apart


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with apart(Installation, "alone") as made:
        made.database(running=True)
        yield made


def test_a_server_that_was_killed_is_started_again_and_one_that_was_stopped_is_not(
    installation: Installation,
) -> None:
    assert installation.light("print(embedded.revive())") == "False", "it runs"
    installation.database(running=False, hard=True)
    assert installation.light("print(embedded.revive())") == "True"
    assert installation.light("print(embedded.is_running(), embedded.stop())") == "True True"
    assert installation.light("print(embedded.revive(), embedded.is_running())") == "False False"


def test_a_lock_that_names_another_program_by_now_keeps_no_server_from_starting(
    installation: Installation,
) -> None:
    installation.database(running=True)
    lock = installation.home / "postgres" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    installation.database(running=False, hard=True)
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    installation.light("embedded.ensure_running()")
    assert int(lock.read_text().splitlines()[0]) != os.getpid()
