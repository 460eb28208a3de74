"""``lucheng registers …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lucheng.core.console import console, reporting

registers_app = typer.Typer(
    help="The registers of the rooms: centres and whatever else a city keeps lists of.", no_args_is_help=True
)

_Slug = Annotated[str, typer.Argument(help="Its name: lucheng registers list.")]
_Sheet = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An xlsx or CSV file.")]


@registers_app.command("list")
def list_registers() -> None:
    """The registers, how many entries of each are in force today, and who may write in them."""
    from django.utils import timezone

    from lucheng.core.registers.register import registers

    with reporting("counting"):
        day = timezone.localdate()
        table = Table("name", "what", "in force", "in all", "written with")
        for slug, register in registers().items():
            rows = register.rows(None)
            table.add_row(
                slug,
                str(register.about.name),
                f"{rows.as_of(day).count():,}",
                f"{rows.count():,}",
                register.about.edit,
            )
    console.print(table)


@registers_app.command()
def show(slug: _Slug, code: Annotated[str, typer.Argument(help="The entry's code.")]) -> None:
    """One entry, with who changed what when."""
    from django.utils import timezone

    from lucheng.core.registers import book
    from lucheng.core.registers.register import named

    with reporting("reading"):
        register = named(slug)
        entry = book.get(register, None, code)
        said = register.said(entry)
        changes = list(book.history(register, code))
    for name, column in register.by_name.items():
        console.print(f"{name}: {column.shown(said[name])}", markup=False, highlight=False)
    for change in changes:
        at = timezone.localtime(change.at).strftime("%Y-%m-%d %H:%M")
        who = change.by.username if change.by is not None else "the console"
        console.print(f"{at} {change.how} by {who}", markup=False, highlight=False)


@registers_app.command()
def template(slug: _Slug, out: Annotated[Path, typer.Option(help="Where the xlsx file goes.")]) -> None:
    """An empty sheet with a register's headers, and what may stand under them."""
    from lucheng.core.registers import exchange
    from lucheng.core.registers.register import named

    with reporting("writing"), out.open("wb") as file:
        exchange.template(named(slug), file)
    console.print(f"{out} is written", markup=False)


@registers_app.command()
def export(
    slug: _Slug,
    out: Annotated[Path, typer.Option(help="An xlsx or CSV file.")],
    place: Annotated[str, typer.Option(help="Only entries under this code of a place.")] = "",
) -> None:
    """Every entry of a register as a sheet, which import takes back."""
    from lucheng.core.registers import exchange
    from lucheng.core.registers.register import named

    with reporting("writing"), out.open("wb") as file:
        register = named(slug)
        kind = "csv" if out.suffix.lower() == ".csv" else "xlsx"
        rows = exchange.export(register, register.rows(None).under(place), file, kind=kind)
    console.print(f"{rows:,} rows in {out}", markup=False)


@registers_app.command("import")
def import_sheet(
    slug: _Slug,
    sheet: _Sheet,
    check: Annotated[bool, typer.Option("--check", help="Say what would happen, and write nothing.")] = False,
) -> None:
    """Write what a sheet says into a register, all or nothing. Prints the number by which it is taken back."""
    from django.utils import timezone

    from lucheng.core.faults import Faulty
    from lucheng.core.registers import exchange, imports
    from lucheng.core.registers.register import named

    with reporting(f"reading {sheet.name}") as report:
        register = named(slug)
        with sheet.open("rb") as file:
            rows, faults = exchange.read(register, file)
        if check or faults:
            found = exchange.check(register, rows, None, progress=report)
            if faults := sorted([*faults, *found.faults], key=lambda f: f.row):
                raise Faulty(faults)
            number = None
        else:
            made = imports.take_over_now(register, rows, sheet.name, timezone.now(), progress=report)
            found, number = made
    console.print(
        f"{len(found.added):,} added, {len(found.changed):,} changed, {found.unchanged:,} as they were"
    )
    if number is not None:
        console.print(f"To take it back: lucheng registers undo {slug} {number}", markup=False)


@registers_app.command()
def undo(slug: _Slug, number: Annotated[int, typer.Argument(help="The import's number.")]) -> None:
    """Take an import back: what it added goes, what it changed is as it was before."""
    from django.utils import timezone

    from lucheng.core.registers import imports
    from lucheng.core.registers.register import named

    with reporting("taking back"):
        imports.undo_now(named(slug), number, timezone.now())
    console.print(f"import {number} is taken back")


def register(app: typer.Typer) -> None:
    app.add_typer(registers_app, name="registers")
