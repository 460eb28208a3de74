"""Web server and worker as child processes: started together, watched, stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NoReturn

_COMMAND = [sys.executable, "-c", "from lucheng.cli import main; main()"]
#: Seconds until the first answer; a cold start on a busy machine takes a third of it.
_PATIENCE = 60.0
#: Seconds that the children have to finish what they are at.
_GRACE = 15.0


class Failed(Exception):  # noqa: N818 (reads as a sentence where it is raised)
    """A child ended by itself, or never answered."""


def taken(port: int) -> bool:
    """Whether somebody listens on the port already."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def database_starts() -> bool:
    """Whether this command is the one that starts the embedded database, and should stop it again."""
    if os.environ.get("DATABASE_URL"):
        return False
    from lucheng import embedded

    return not embedded.is_running()


def stop_database() -> None:
    from lucheng import embedded

    embedded.stop()


class Doors(AbstractContextManager["Doors"]):
    """The two children. Entered or not, they run until they are closed; Ctrl-C or SIGTERM at any moment inside ``with``
    closes them in order and is no error."""

    def __init__(self, port: int) -> None:
        self._port = port
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        env = {**os.environ, "LUCHENG_DEMO": "1"}
        # Sessions of their own: Ctrl-C reaches this process alone, which stops them in order.
        self._children = {
            arguments[0]: subprocess.Popen([*_COMMAND, *arguments], start_new_session=True, env=env)
            for arguments in (["serve", "--port", str(port)], ["worker"])
        }

    def await_answer(self) -> None:
        """Return at the first answer. Raises Failed where there is none in time, or only an error."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            self._check()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=10):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
                raise Failed(f"the first page answers with error {error.code}") from error
            except OSError:
                time.sleep(0.1)
        raise Failed(f"the web server did not answer within {_PATIENCE:.0f} seconds")

    def wait(self) -> NoReturn:
        """Wait for Ctrl-C or SIGTERM, which ends the ``with``. Raises Failed where a child ends by itself."""
        while True:
            self._check()
            time.sleep(0.5)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.close()
        return kind is KeyboardInterrupt

    def close(self) -> None:
        """Ask both to stop, and see to it that they do."""
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        end = time.monotonic() + _GRACE
        for child in self._children.values():
            try:
                child.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _check(self) -> None:
        for name, child in self._children.items():
            if child.poll() is not None:
                raise Failed(f"`lucheng {name}` ended with exit code {child.returncode}")
