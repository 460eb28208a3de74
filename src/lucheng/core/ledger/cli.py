"""``lucheng worker`` and ``lucheng ledger …``."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

console = Console()


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then stop.")] = False,
) -> None:
    """Watch deadlines, send messages, anchor the ledger: everything that happens by itself. Stop it with
    Ctrl-C."""
    from django.conf import settings

    from lucheng.cli import ensure_database
    from lucheng.core.ledger.worker import discover, work, work_once

    ensure_database()
    # Each sweep keeps one connection of its own: a pool would hide an outage until its timeout.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    sweeps = discover()
    if once:
        done = work_once(sweeps)
        table = Table("sweep", "rows handled")
        for name, handled in done.items():
            table.add_row(name, "failed, see the log" if handled is None else str(handled))
        console.print(table)
        raise typer.Exit(1 if None in done.values() else 0)

    stop = threading.Event()

    def stopping(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, stopping)
    console.print(f"worker runs: {', '.join(s.name for s in sweeps) or 'nothing declared'}")
    work(sweeps, stop)
    console.print("worker stopped")


def register(app: typer.Typer) -> None:
    app.command()(worker)
