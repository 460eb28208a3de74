"""``lucheng privacy …``: the keys under which requesters' contacts are sealed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from lucheng.cli import ensure_database
from lucheng.core.console import console, reporting
from lucheng.core.privacy import rotation, sealing

SHOWN = 20

privacy = typer.Typer(
    name="privacy", help="The keys under which requesters' contacts are sealed.", no_args_is_help=True
)


@privacy.command()
def rotate(
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Make no new key: go on with what was stopped, or change the suite only."
        ),
    ] = False,
) -> None:
    """Make a new sealing key and reseal every contact under it, while everything goes on.

    Exit code 1 where contacts are left under another key.
    """
    if not resume:
        with reporting("making a key"):
            made = rotation.new_key()
        console.print(f"key {made} is made; copy LUCHENG_HOME/keys to where its copies are kept")
    with reporting("resealing") as progress:
        outcome = rotation.reseal(progress)
    console.print(f"{outcome.resealed:,} contacts resealed")
    _show()
    if outcome.shut:
        shown = ", ".join(map(str, outcome.shut[:SHOWN])) + (", …" if len(outcome.shut) > SHOWN else "")
        console.print(
            f"{len(outcome.shut):,} contacts do not open and are left as they are: changed, or their key is not "
            f"here. Ids of their cases: {shown}",
            style="red",
        )
    if outcome.left > len(outcome.shut):
        console.print(
            f"{outcome.left - len(outcome.shut):,} contacts were written meanwhile under another key or suite. "
            "Look whether every process has the same LUCHENG_HOME and LUCHENG_SEALING, then: "
            "lucheng privacy rotate --resume",
            style="red",
        )
    if outcome.left:
        raise typer.Exit(1)


@privacy.command("keys")
def show_keys() -> None:
    """Count the sealed names and numbers of contacts by suite and key. Reads the whole table."""
    ensure_database()
    _show()


def _show() -> None:
    suites = {number: name for name, number in sealing.NUMBERS.items()}
    suite, key = sealing.header()
    now = (suite, key)
    table = Table("suite", "key", "sealed values", "")
    for (suite, key), count in sorted(({now: 0} | rotation.tally()).items()):
        table.add_row(
            suites.get(suite, f"unknown ({suite})"),
            str(key),
            f"{count:,}",
            "new values" if (suite, key) == now else "",
        )
    console.print(table)


def register(app: typer.Typer) -> None:
    app.add_typer(privacy)
