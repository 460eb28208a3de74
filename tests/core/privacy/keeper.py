"""Starting and stopping the key service of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOKEN = "a token of the tests"


@dataclass
class KeyService:
    """A key service that speaks transit: a process of its own, which can die and come back with its keys."""

    folder: Path
    tls: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "port").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.core.privacy.transit",
                str(self.folder),
                TOKEN,
                str(self.port),
                *self.tls,
            ],
            cwd=ROOT,
        )
        deadline = time.monotonic() + 60
        while not (self.folder / "port").exists():
            assert self.process.poll() is None and time.monotonic() < deadline, (
                "the key service does not start"
            )
            time.sleep(0.02)
        self.port = int((self.folder / "port").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def rotate(self) -> None:
        """Another version of its key, as ``vault write -f transit/keys/lucheng/rotate`` makes one."""
        made = len(list(self.folder.glob("lucheng.[0-9]*")))
        (self.folder / f"lucheng.{made + 1:03}").write_bytes(os.urandom(32))

    @property
    def asked(self) -> int:
        """How many requests it has had."""
        file = self.folder / "asked"
        return len(file.read_text().splitlines()) if file.exists() else 0
