"""Every test runs against a real PostgreSQL: the server in DATABASE_URL, or an embedded one that is the tests' own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.system.installation import PREPARED

if TYPE_CHECKING:
    from tests.factories import City

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    # With xdist the controller starts the server once, before its workers connect.
    if not hasattr(config, "workerinput") and not os.environ.get("DATABASE_URL"):
        from lucheng import embedded

        embedded.ensure_running(durable=False)
    if not hasattr(config, "workerinput"):
        os.environ[PREPARED] = tempfile.mkdtemp(prefix="lucheng-prepared-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(PREPARED, ""), ignore_errors=True)


@pytest.fixture(autouse=True)
def _fresh_snapshots() -> None:
    """A rolled-back test leaves revision numbers as they were; nothing held in memory may outlive it."""
    from lucheng.core.revisions import snapshot

    snapshot.forget()


@pytest.fixture(autouse=True)
def _in_the_citys_language() -> None:
    """The language of a request stays with its thread until the next one; a test begins in the city's."""
    from django.conf import settings
    from django.utils import translation

    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _walls_stay_with_their_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that a test runs in this process walls it in."""
    from lucheng.postgresql import context

    monkeypatch.setattr(context, "_process", context.process())


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_the_ledger() -> Iterator[None]:
    """Tests that commit are cleaned up by TRUNCATE, which the ledger refuses: for that alone, triggers rest.

    For the whole session: the clean-up comes after a test's own fixtures are gone.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    plain = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: object, **kwargs: object) -> list[str]:
        statements: list[str] = plain(self, *args, **kwargs)  # type: ignore[arg-type]
        if not statements:
            return statements
        return [
            "set session_replication_role = replica",
            *statements,
            "set session_replication_role = origin",
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def _let_in_wholly(monkeypatch: pytest.MonkeyPatch) -> None:
    """``client.force_login`` stands for everything that signing in asks, a second factor among it."""
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.test import Client

    from lucheng.core.organisation import sessions

    plain = Client.force_login

    def force_login(self: Client, user: AbstractBaseUser, backend: str | None = None) -> None:
        plain(self, user, backend)  # type: ignore[arg-type]
        session = self.session
        sessions.prove(session)
        session.save()

    monkeypatch.setattr(Client, "force_login", force_login)


@pytest.fixture
def city(db: None) -> City:
    """The small city of ``tests.factories``, for tests that change nothing of it before they begin."""
    from tests import factories  # not before Django is set up

    return factories.city()
