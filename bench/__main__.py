"""Runs benchmarks one after another, in a process each, and says on what machine.

    python -m bench [NAME…]

A benchmark is a module of this folder with ``main()``; its first line of documentation says what it measures.
"""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def benchmarks() -> dict[str, str]:
    """Name and first line of every benchmark."""
    found = {}
    for file in sorted(HERE.glob("[a-z]*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[file.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _field(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def machine() -> str:
    """What the figures were measured on."""
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0] or 0) // 1024**2
    load = os.getloadavg()[0]
    return (
        f"{_field('/proc/cpuinfo', 'model name') or platform.processor()}, {os.cpu_count()} cores, {memory} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, load before {load:.1f}"
    )


def main() -> None:
    known = benchmarks()
    wanted = sys.argv[1:] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        lines = [f"  {name:<10} {says}" for name, says in known.items()]
        sys.exit("There is no benchmark " + ", ".join(unknown) + ". There are:\n" + "\n".join(lines))
    print(machine(), flush=True)
    failed = []
    for name in wanted:
        print(f"\n== {name}: {known[name]}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=HERE.parent).returncode != 0:
            failed.append(name)
    if failed:
        sys.exit("failed: " + ", ".join(failed))


if __name__ == "__main__":
    main()
