"""``lucheng demo``: a whole city on this machine, from nothing to a page in the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from lucheng.cli import ensure_database
from lucheng.core.console import console

if TYPE_CHECKING:
    from lucheng.core.sheets import Progress as Report
    from lucheng.demo.accounts import Account
    from lucheng.demo.city import Step

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


def demo(
    port: Annotated[int, typer.Option(help="Port of the web server.")] = 8000,
    seed: Annotated[
        int, typer.Option(help="Seed number: the same seed and moment make the same city.")
    ] = 2021,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=_MOMENTS, help="The moment up to which cases have come in; this hour if not given."
        ),
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Share of the city, for trying things out.", min=0.002, max=1)
    ] = 1.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete everything in the database and begin anew.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    serve: Annotated[bool, typer.Option(help="Start web server and worker when the city stands.")] = True,
) -> None:
    """Make the demo city if it is not there yet, and open its doors: database, web server, worker. Stop with Ctrl-C.

    The city is invented, down to every name; see docs/demo.md. Its accounts are for looking around only: never let a
    real installation hold it.
    """
    from django.db import connection

    from lucheng.demo import accounts, city, serving

    if serve and serving.taken(port):
        console.print(f"Port {port} is taken. Choose another with --port.", style="red")
        raise typer.Exit(1)
    started = serving.database_starts()
    ensure_database()
    try:
        if fresh:
            if not yes:
                typer.confirm("This deletes everything in the database. Go on?", abort=True)
            city.clear()
            accounts.forget()
        _make(seed, _moment(as_of), scale)
        word, listed = accounts.password(), accounts.listed()
        if not serve:
            _show(word, listed)
            return
        with serving.Doors(port) as doors:
            with console.status("starting web server and worker"):
                doors.await_answer()
            _show(word, listed)
            console.print(f"Lucheng is open at [bold]http://127.0.0.1:{port}/[/bold]. Stop it with Ctrl-C.")
            console.print(f"A way through the ten projects: http://127.0.0.1:{port}/demo/", highlight=False)
            doors.wait()
    except serving.Failed as failed:
        console.print(str(failed), style="red")
        raise typer.Exit(1) from None
    finally:
        connection.close()
        with suppress(AttributeError):  # a database without a pool
            connection.close_pool()  # type: ignore[attr-defined]
        if started:
            serving.stop_database()


def _make(seed: int, until: dt.datetime, scale: float) -> None:
    """Bring the database up to date, and make the city where it does not stand yet."""
    from lucheng.demo import city

    with _steps() as step:
        with step("database: bringing it up to date"):
            city.migrate()
        if city.stands():
            return
        if not city.is_empty():
            console.print(
                "This database holds another city. Take another one (LUCHENG_HOME or DATABASE_URL), "
                "or delete what is there with --fresh.",
                style="red",
            )
            raise typer.Exit(1)
        city.prepare(until, step)
        made = city.make(seed, until, step, scale=scale)
        city.tidy_up(step)
    table = Table("made", "number", title="The demo city")
    for name, number in vars(made).items():
        table.add_row(name.replace("_", " "), f"{number:,}")
    console.print(table)


def _moment(given: dt.datetime | None) -> dt.datetime:
    from django.utils import timezone

    if given is not None:
        return timezone.make_aware(given)
    return timezone.localtime().replace(minute=0, second=0, microsecond=0)


@contextmanager
def _steps() -> Iterator[Step]:
    """Shows each long step as a bar of its own, with the time it took."""
    progress = Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )

    @contextmanager
    def step(name: str) -> Iterator[Report]:
        task = progress.add_task(name, total=None)
        last = [1, 1]

        def report(done: int, total: int) -> None:
            last[:] = [done, total]
            progress.update(task, completed=done, total=total)

        yield report
        total = max(last[1] or last[0], 1)
        progress.update(task, completed=total, total=total)

    with progress:
        yield step


def _show(word: str, listed: Iterable[Account]) -> None:
    table = Table("account", "role", "name", "unit", "place", title="Accounts for looking around")
    for account in listed:
        table.add_row(account.username, account.role, account.name, account.unit, account.place)
    console.print(table)
    console.print(
        f"Password of all of them: [bold]{word}[/bold]  (this installation's own; never for a real one)"
    )


def register(app: typer.Typer) -> None:
    app.command()(demo)
