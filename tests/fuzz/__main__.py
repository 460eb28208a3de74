"""``python -m tests.fuzz [TARGET…] [--seconds N | --runs N]``: look for inputs that a parser does not stand.

Each target runs in a process of its own; what breaks it is written to ``tests/fuzz/corpus/<target>/`` and is from then
on an ordinary test. Exit code 1 where something broke.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
#: Memory of one target's process; what takes more is a finding.
_MEGABYTES = 2048


def main() -> int:
    """Run the targets one after another."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("targets", nargs="*", help="all, if none is named")
    asked.add_argument("--seconds", type=int, default=0, help="for each target")
    asked.add_argument("--runs", type=int, default=0, help="for each target; the same ones each time")
    given = asked.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import atheris
    import django

    with atheris.instrument_imports(include=["lucheng"]):
        django.setup()
        from tests.fuzz.targets import TARGETS
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if unknown := set(given.targets) - set(TARGETS):
        asked.error(f"no such target: {', '.join(sorted(unknown))}")
    broken = []
    for name in given.targets or TARGETS:
        kept = CORPUS / name
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for n, seed in enumerate(TARGETS[name][1]):
                (Path(folder) / f"seed-{n}").write_bytes(seed)
            for case in kept.iterdir():
                (Path(folder) / case.name).write_bytes(case.read_bytes())
            child = os.fork()
            if child == 0:
                _run(name, Path(folder), given.seconds, given.runs)
            _pid, status = os.waitpid(child, 0)
        if not any(kept.iterdir()):
            kept.rmdir()
        if status:
            broken.append(name)
        sys.stdout.write(f"{name}: {'BROKEN' if status else 'stands'}\n")
        sys.stdout.flush()
    return 1 if broken else 0


def _run(name: str, folder: Path, seconds: int, runs: int) -> None:
    """Run one target in this process, which ends with it. What breaks it goes to its folder of cases."""
    import atheris

    from tests.fuzz.targets import TARGETS

    options = [
        f"-artifact_prefix={CORPUS / name}/",
        f"-rss_limit_mb={_MEGABYTES}",
        "-timeout=60",
        "-max_len=20000",
        "-verbosity=0",
    ]
    if runs:
        options += [f"-runs={runs}", "-seed=1"]
    if seconds:
        options.append(f"-max_total_time={seconds}")
    atheris.Setup([sys.argv[0], *options, str(folder)], TARGETS[name][0])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
