"""Every test runs against a real PostgreSQL: the server in DATABASE_URL, or an embedded one that is the tests' own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# Before Django reads its settings. The tests' own home keeps keys and attachments apart from a real installation's.
os.environ.setdefault("LUCHENG_HOME", str(Path(tempfile.gettempdir()) / f"lucheng-test-{os.getuid()}"))
os.environ.setdefault("LUCHENG_LOG", "ERROR")
Path(os.environ["LUCHENG_HOME"]).mkdir(parents=True, exist_ok=True)


def pytest_configure(config: pytest.Config) -> None:
    # With xdist the controller starts the server once, before its workers connect.
    if not hasattr(config, "workerinput") and not os.environ.get("DATABASE_URL"):
        from lucheng import embedded

        embedded.ensure_running(durable=False)
