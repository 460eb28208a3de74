"""Commands for the working calendar, the table of limits, and clocks that were left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lucheng.cli import ensure_database

calendar = typer.Typer(
    name="calendar", help="The working calendar: hours of business, holidays, swapped workdays."
)
limits = typer.Typer(
    name="limits", help="The table of time limits for dispatching, signing, replying and so on."
)
clocks = typer.Typer(name="clocks", help="The clocks that run on cases.")

_WEEKDAYS = "一二三四五六日"


def register(app: typer.Typer) -> None:
    for room in (calendar, limits, clocks):
        app.add_typer(room)


@contextmanager
def _refusing() -> Iterator[None]:
    """Show what is wrong with a file, fault by fault, instead of a traceback."""
    from lucheng.core.faults import Faulty

    try:
        yield
    except Faulty as faulty:
        for fault in faulty.faults:
            typer.echo(str(fault), err=True)
        if faulty.total > len(faulty.faults):
            typer.echo(f"… and {faulty.total - len(faulty.faults)} more", err=True)
        typer.echo("Nothing was loaded.", err=True)
        raise typer.Exit(1) from None


@calendar.command("load")
def load_calendar(
    file: Annotated[Path | None, typer.Argument(help="TOML file; without it, the national pack.")] = None,
) -> None:
    """Replace the years that FILE names, and the hours of business where it gives them. All or nothing."""
    from lucheng.core.clocks import holidays

    ensure_database()
    with _refusing():
        loaded = holidays.load(file or holidays.NATIONAL)
    for years, what in ((loaded.changed, "loaded"), (loaded.unchanged, "as it was")):
        for year in years:
            typer.echo(f"{year}: {what}")
    if loaded.hours:
        typer.echo("hours of business: loaded")


@calendar.command("show")
def show_calendar(year: Annotated[int, typer.Argument(help="The year, such as 2026.")]) -> None:
    """Show the days of YEAR that do not follow their weekday."""
    from lucheng.core.clocks.models import CalendarDay, CalendarYear, WorkingSpan

    ensure_database()
    known = CalendarYear.objects.filter(year=year).first()
    if known is None:
        typer.echo(f"Nothing is loaded for {year}: every Monday to Friday counts as a working day.", err=True)
        raise typer.Exit(1)
    typer.echo(f"hours of business: {', '.join(map(str, WorkingSpan.objects.order_by('opens')))}")
    typer.echo(known.notice or "not announced yet: only what the law itself names, no swaps")
    table = Table("day", "weekday", "", "name")
    days = CalendarDay.objects.filter(year=known).order_by("day")
    for day in days:
        table.add_row(
            day.day.isoformat(), "周" + _WEEKDAYS[day.day.weekday()], "班" if day.working else "休", day.name
        )
    Console().print(table)
    off = sum(not d.working for d in days)
    typer.echo(f"{off} days off, {len(days) - off} swapped workdays")


@limits.command("load")
def load_limits(
    file: Annotated[
        Path | None, typer.Argument(help="xlsx, csv or TOML file; without it, the national pack.")
    ] = None,
) -> None:
    """Make the table of limits what FILE says; limits that it does not have are removed. All or nothing."""
    from lucheng.core.clocks import limits as table

    ensure_database()
    with _refusing():
        loaded = table.load(file or table.NATIONAL)
    typer.echo(
        f"{loaded.added} added, {loaded.changed} changed, {loaded.removed} removed, {loaded.unchanged} as they were"
    )
    for note in loaded.idle:
        typer.echo(f"note: {note}")


@limits.command("export")
def export_limits(
    file: Annotated[Path, typer.Argument(help="Where to write: a name ending in .xlsx or .toml.")],
) -> None:
    """Write the table of limits to FILE, ready to be edited and loaded again."""
    from lucheng.core.clocks import limits as table

    writers = {".xlsx": table.export_sheet, ".toml": table.export_toml}
    write = writers.get(file.suffix.lower())
    if write is None:
        typer.echo("Give FILE a name that ends in .xlsx or .toml.", err=True)
        raise typer.Exit(2)
    ensure_database()
    with file.open("wb") as out:
        rows = write(out)
    typer.echo(f"{rows} limits written to {file}")


@clocks.command("retry")
def retry_clocks() -> None:
    """Let the worker try clocks again that it had left alone after failing on them too often."""
    from lucheng.core.clocks import sweep

    ensure_database()
    typer.echo(f"{sweep.retry(dt.datetime.now(dt.UTC))} clocks will be tried again")
