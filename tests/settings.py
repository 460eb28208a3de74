"""The settings of the tests: the same, with a home of their own, apart from any real installation's."""

import os
import tempfile
from pathlib import Path

_home = Path(
    os.environ.setdefault("LUCHENG_HOME", str(Path(tempfile.gettempdir()) / f"lucheng-test-{os.getuid()}"))
)
_home.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("LUCHENG_LOG", "ERROR")

from lucheng.settings import *  # noqa: E402, F403
