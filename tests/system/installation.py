"""A whole installation of its own for tests that kill things: database, web server, and a small city in it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import fasteners

ROOT = Path(__file__).parents[2]
#: Longest wait for a server to answer; it answers in a second or two unless something is wrong.
PATIENCE = 60.0

#: Names the folder, empty at first, of the installation that others are copied from. Whoever begins a run sets it,
#: before there are other processes, and removes the folder at the end.
PREPARED = "LUCHENG_TEST_PREPARED"

Made = TypeVar("Made", bound="Installation")

# Runs in a process of its own: this test's Django is bound to the suite's database.
_PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests import factories
city = factories.city()
from django.utils import timezone
from lucheng.core.organisation import tokens
print(tokens.issue(city.people["operator"], "system test", timezone.now()))
"""


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Installation:
    """An installation under ``home``; ``start`` and ``kill`` act on the real processes."""

    home: Path
    port: int = field(default_factory=_free_port)
    token: str = ""
    server: subprocess.Popen[bytes] | None = None
    #: Where the server's log goes; None where nobody reads it.
    log: Path | None = None

    @property
    def env(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        return env | {
            "LUCHENG_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "lucheng.settings",
            "PYTHONPATH": str(ROOT),
            "LUCHENG_LOG": "CRITICAL",
        }

    def python(self, code: str) -> str:
        """Run code with Django set up against this installation; its output."""
        setup = "import django; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", setup + code],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def light(self, code: str) -> str:
        """Run code without Django against this installation, in a fraction of the time; its output, or "refused: "
        and the words with which it was refused."""
        around = (
            "from lucheng import backups, embedded, standby\n"
            "try:\n    " + code.replace("\n", "\n    ") + "\n"
            "except (backups.Failed, embedded.Superseded) as refused:\n    print('refused:', refused)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", around],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def lucheng(self, *arguments: str) -> tuple[int, str]:
        """Exit code and words of one ``lucheng`` command."""
        done = subprocess.run(
            [sys.executable, "-m", "lucheng", *arguments],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def command(self, *arguments: str) -> int:
        """The exit code of one ``lucheng`` command; a failing test shows its words."""
        code, words = self.lucheng(*arguments)
        print(words)  # noqa: T201
        return code

    def database(self, *, running: bool, hard: bool = False) -> None:
        """Start the database, or stop it the hard way: no goodbye to anybody, as after a power cut.

        With ``hard`` by kill -9 for the server and every process of it, in one moment.
        """
        code = "from lucheng import embedded; embedded.ensure_running()"
        if running:
            subprocess.run([sys.executable, "-c", code], env=self.env, check=True, timeout=120)
            return
        pid = int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        pids = [pid, *children(pid)]
        if hard:
            kill_all(pids)
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + PATIENCE
        # While one of them lives, it holds the server's shared memory.
        while any(alive(pid) for pid in pids):
            assert time.monotonic() < deadline, "the database does not stop"
            time.sleep(0.05)

    def prepare(self, *, copied: bool = True) -> None:
        """Put the small city here and start the database: made once for the whole run and then copied, unless this
        installation is set up in a way of its own from the beginning."""
        if copied:
            made = _prepared()
            subprocess.run(["cp", "-a", f"{made.home}/.", str(self.home)], check=True)
            self.token = made.token
            self.database(running=True)
        else:
            self.database(running=True)
            self.token = self.python(_PREPARE).splitlines()[-1]

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one ``lucheng`` command that runs on, in a process group of its own."""
        log = self.log.open("ab") if self.log is not None else subprocess.DEVNULL
        return subprocess.Popen(
            [sys.executable, "-m", "lucheng", *arguments],
            env=self.env,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start(self) -> None:
        """Start the web server and wait for its first answer."""
        self.server = self.spawn("serve", "--port", str(self.port), "--workers", "2", "--threads", "4")
        deadline = time.monotonic() + PATIENCE
        while not _answers(self.port):
            assert time.monotonic() < deadline, "the web server does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 for the web server and all its workers."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait(PATIENCE)
        # The workers die a moment after their parent; until then the port is still theirs.
        deadline = time.monotonic() + PATIENCE
        while _answers(self.port):
            assert time.monotonic() < deadline, "the workers do not die"
            time.sleep(0.02)

    def create(self, key: str, content: str, **changes: Any) -> tuple[int, dict[str, Any]]:
        """One create over HTTP; status 0 where no answer came."""
        body = json.dumps(
            {
                "kind": "command_centre.order",
                "nature": "help",
                "channel": "phone",
                "content": content,
                "phone": "13800000000",
                "place": "990101001001001",
                "matter": "010201",
                "dispatch": True,
                **changes,
            }
        ).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", "/api/v1/cases", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return 0, {}
        finally:
            connection.close()

    def remove(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.kill()
        if (self.home / "postgres" / "postmaster.pid").exists():
            self.database(running=False)


def _prepared() -> Installation:
    """The installation that others are copied from, at rest. The first process that needs it makes it."""
    above = Path(os.environ[PREPARED])
    above.chmod(0o755)
    made, token = Installation(above / "home"), above / "token"
    with fasteners.InterProcessLock(above / "lock"):
        if not token.exists():
            made.home.mkdir()
            made.prepare(copied=False)
            made.light("embedded.stop()")
            token.write_text(made.token)
    made.token = token.read_text()
    return made


@contextmanager
def apart(kind: type[Made], name: str) -> Iterator[Made]:
    """An installation in a folder of its own, with nothing in it yet; gone at the end.

    Not pytest's own folder: a socket's path is short, and the database's system user must be able to pass.
    """
    above = Path(tempfile.mkdtemp(prefix=f"lucheng-{name}-"))
    above.chmod(0o755)
    made = kind(above / "home")
    made.home.mkdir()
    try:
        yield made
    finally:
        made.remove()
        shutil.rmtree(above, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def children(pid: int) -> list[int]:
    """The processes that a process has started; none where it has ended."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def kill_all(pids: list[int]) -> None:
    """kill -9 for every one of these that still lives."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        # A zombie has ended: it only waits to be reaped by whoever is its parent now.
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
