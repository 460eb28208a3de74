"""Make the virtual environment with uv in it, with nothing but Python's standard library.

Debian keeps ``ensurepip`` in a package of its own, so ``python3 -m venv`` alone may fail on a fresh machine. In that
case pip's wheel is taken from the package index that pip itself would use (``PIP_INDEX_URL`` or PyPI) and run as it
lies.

    python3 tools/bootstrap.py .venv
"""

from __future__ import annotations

import html.parser
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path

UV = "uv>=0.6"


class _Links(html.parser.HTMLParser):
    """The addresses of the wheels on an index page (PEP 503), yanked ones apart."""

    def __init__(self) -> None:
        super().__init__()
        self.wheels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        href = found.get("href") or ""
        if (
            tag == "a"
            and urllib.parse.urlsplit(href).path.endswith("-py3-none-any.whl")
            and "data-yanked" not in found
        ):
            self.wheels.append(href)


def pip_wheel(folder: Path) -> Path:
    """Fetch pip's newest listed wheel into ``folder``."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    with urllib.request.urlopen(index) as page:
        links = _Links()
        links.feed(page.read().decode())
    address = urllib.parse.urljoin(index, links.wheels[-1])
    file = folder / Path(urllib.parse.urlsplit(address).path).name
    with urllib.request.urlopen(address) as body:
        file.write_bytes(body.read())
    return file


def main(target: Path) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this runs on whatever Python the machine has)
        sys.exit(
            f"Lucheng needs Python 3.11 or later; this is {sys.version.split()[0]}. Try: make PYTHON=python3.11"
        )
    python = target / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(with_pip=False, symlinks=True).create(target)
    if (target / "bin" / "uv").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        if find_spec("ensurepip"):
            subprocess.run(
                [python, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL
            )
            pip = [python, "-m", "pip"]
        else:
            pip = [python, str(pip_wheel(Path(folder)) / "pip")]
        subprocess.run([*pip, "install", "--quiet", UV], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
