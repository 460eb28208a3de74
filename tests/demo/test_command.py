"""``lucheng demo`` as somebody types it: whole on a machine of its own, and its refusals."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from django.contrib.auth import authenticate
from django.test import override_settings
from typer.testing import CliRunner

from lucheng.core.organisation.models import Person
from lucheng.core.revisions.models import Revision
from lucheng.demo import accounts, city, cli, serving
from tests import factories

UNTIL = dt.datetime(2026, 3, 18, 15, 0, tzinfo=dt.UTC)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stands in for ``lucheng serve`` and ``lucheng worker``: what each child runs, by its name."""
    script = [""]
    plain = subprocess.Popen

    def started(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return plain([sys.executable, "-c", script[0], *command[3:]])

    monkeypatch.setattr(serving.subprocess, "Popen", started)
    yield script


SERVES = """
import http.server, sys, time
if sys.argv[1] == "worker":
    time.sleep(60)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_both_children_run_from_the_first_answer_on_and_end_together(children: list[str]) -> None:
    children[0] = SERVES
    with serving.Doors(free_port()) as doors:
        doors.await_answer()
        assert all(c.poll() is None for c in doors._children.values())
    assert all(c.poll() is not None for c in doors._children.values())


def test_a_child_that_ends_by_itself_is_named(children: list[str]) -> None:
    children[0] = "import sys, time; time.sleep(60) if sys.argv[1] == 'serve' else sys.exit(3)"
    with (
        serving.Doors(free_port()) as doors,
        pytest.raises(serving.Failed, match=r"`lucheng worker` .* code 3"),
    ):
        doors.await_answer()


def test_a_server_that_never_answers_is_given_up(
    children: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    children[0] = "import time; time.sleep(60)"
    monkeypatch.setattr(serving, "_PATIENCE", 0.3)
    with serving.Doors(free_port()) as doors, pytest.raises(serving.Failed, match="did not answer"):
        doors.await_answer()


def test_a_port_that_is_taken_is_refused_before_anything_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "ensure_database", lambda: pytest.fail("the database was touched"))
    app = typer.Typer()
    cli.register(app)
    app.callback()(lambda: None)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        result = CliRunner().invoke(app, ["demo", "--port", str(port)])
    assert result.exit_code == 1
    assert f"Port {port} is taken" in result.output


@pytest.mark.django_db
def test_a_database_that_holds_another_city_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.city()
    monkeypatch.setattr(city, "migrate", lambda: None)
    monkeypatch.setattr(city, "make", lambda *a, **k: pytest.fail("it was made all the same"))
    with pytest.raises(typer.Exit) as refused:
        cli._make(2021, UNTIL, 0.01)
    assert refused.value.exit_code == 1


@pytest.mark.django_db
def test_a_city_that_stands_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    Revision.objects.create(name="demo city", number=1)
    monkeypatch.setattr(city, "migrate", lambda: None)
    monkeypatch.setattr(city, "prepare", lambda *a: pytest.fail("it was made again"))
    cli._make(2021, UNTIL, 0.01)


@pytest.mark.django_db
def test_the_password_is_made_once_for_an_installation_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    Person.objects.create_user("operator", None, name="某某")
    Person.objects.create_user("somebody", None, name="某某")
    with override_settings(HOME=tmp_path):
        word = accounts.password()
        assert accounts.password() == word
        assert (tmp_path / "demo-password").stat().st_mode & 0o777 == 0o600
        assert authenticate(username="operator", password=word) is not None
        assert authenticate(username="somebody", password=word) is None
        assert Person.objects.get(for_show=True).username == "operator"  # and need not replace it
        assert Person.objects.get(username="operator").password_given_at is None
        Person.objects.get(username="operator").delete()
        Person.objects.create_user("operator", None, name="某某")  # the city was made anew
        assert accounts.password() == word
        assert authenticate(username="operator", password=word) is not None
        accounts.forget()
        assert accounts.password() != word


def _run(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "LUCHENG_HOME": str(home), "COLUMNS": "160"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.Popen(
        [sys.executable, "-c", "from lucheng.cli import main; main()", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _until_open(process: subprocess.Popen[str], port: int) -> str:
    """What the command says up to the address, at which a page is then found."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "is open at" in line:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return said
    raise AssertionError(f"it ended: {said}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest


@pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="the command starts a database of its own")
def test_from_nothing_to_the_first_page_and_again() -> None:
    with tempfile.TemporaryDirectory(prefix="lc-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)  # as root the database runs under another user, who must be able to pass
        port = free_port()
        first = _run(home, "demo", "--scale", "0.003", "--port", str(port), "--as-of", "2026-03-18")
        said = _until_open(first, port)
        _stop(first)
        word = re.search(r"Password of all of them: (\S+)", said)
        assert word is not None
        again = _run(home, "demo", "--port", str(port))
        said = _until_open(again, port)
        _stop(again)
        assert word[1] in said
        assert "planning" not in said
        assert not (home / "postgres" / "postmaster.pid").exists()
