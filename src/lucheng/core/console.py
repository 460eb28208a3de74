"""How a command shows a long step, and how it fails: in words, at row and column, with exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress

from lucheng.core.errors import Refused
from lucheng.core.faults import Faulty

if TYPE_CHECKING:  # sheets bring a second of imports, and most commands read none
    from lucheng.core.sheets import Progress as Report

console = Console()


@contextmanager
def copying(what: str) -> Iterator[Report]:
    """Show a progress bar called ``what``; yields what tells it (done, total)."""
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def reporting(what: str) -> Iterator[Report]:
    """Start the database and show a progress bar called ``what``; yields what tells it (done, total).

    A refusal is printed, every fault of a file on a line of its own, and ends the command with exit code 1.
    """
    from lucheng.cli import ensure_database

    ensure_database()
    try:
        with copying(what) as report:
            yield report
    except Faulty as faulty:
        for fault in faulty.faults:
            console.print(str(fault), style="red", markup=False, highlight=False)
        console.print(f"{faulty.total} faults, nothing was written", style="bold red")
        raise typer.Exit(1) from None
    except Refused as refused:
        console.print(str(refused.detail), style="red", markup=False)
        raise typer.Exit(1) from None
