"""``lucheng catalogue …`` and ``lucheng matters …``."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lucheng.core.console import console, reporting

catalogue = typer.Typer(
    help="The dispatch catalogue: editions, sheets, trial, publication.", no_args_is_help=True
)
matters = typer.Typer(help="The classes of matter.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="Number of the edition, as `lucheng catalogue list` shows it.")]


@catalogue.command("list")
def list_editions() -> None:
    """All editions, the newest first."""
    from django.db.models import Count

    from lucheng.core.dispatch.models import Version

    with reporting("reading"):
        versions = list(Version.objects.annotate(rows=Count("rules")).order_by("-number"))
    table = Table("number", "state", "rows", "made", "published", "by", "note")
    for v in versions:
        table.add_row(
            str(v.number),
            v.get_state_display(),
            str(v.rows),
            f"{v.created_at:%Y-%m-%d}",
            f"{v.published_at:%Y-%m-%d}" if v.published_at else "",
            v.published_by.username if v.published_by else "",
            v.note,
        )
    console.print(table)


@catalogue.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="The xlsx file to write.")],
    number: Annotated[int | None, typer.Option(help="Edition; the one in force if not given.")] = None,
) -> None:
    """Write an edition as an xlsx sheet, for offices to read and edit."""
    from lucheng.core.dispatch import editions, exchange
    from lucheng.core.errors import NotFound

    with reporting("writing") as report:
        version = editions.in_force() if number is None else editions.get(number)
        if version is None:
            raise NotFound("no edition is in force: name one with --number")
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
            rows = exchange.export_xlsx(version, draft, progress=report)
        Path(draft.name).replace(file)
    console.print(f"edition {version.number}: {rows} rows in {file}")


@catalogue.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The xlsx file to read.", exists=True, dir_okay=False)],
    note: Annotated[str, typer.Option(help="What this draft is for.")] = "",
) -> None:
    """Make a draft of an xlsx sheet. Any fault is shown at its row and column, and nothing is written."""
    from django.utils import timezone

    from lucheng.core.dispatch import exchange

    with reporting("checking") as report, file.open("rb") as sheet:
        version = exchange.import_xlsx(sheet, note or file.name, timezone.now(), progress=report)
    console.print(f"draft {version.number}: {version.rules.count()} rows")


@catalogue.command("try")
def try_(
    number: Number,
    since: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the past cases.")],
    until: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The day after the last.")],
) -> None:
    """Run an edition over past cases and show which would have gone elsewhere. Changes nothing."""
    from django.utils import timezone

    from lucheng.core.cases.models import Case
    from lucheng.core.dispatch import editions, matters, trial
    from lucheng.core.places.names import place_name

    with reporting("trying"):
        result = trial.try_on(
            editions.get(number), Case.objects.all(), timezone.make_aware(since), timezone.make_aware(until)
        )
    console.print(
        f"{result.cases} cases: {result.same} as before, {result.moved} elsewhere, {result.unmatched} without a unit"
    )
    moves = Table("cases", "had", "would get", "for example")
    for move in result.moves:
        moves.add_row(str(move.line.cases), move.before, move.after, " ".join(move.line.samples))
    gaps = Table("cases", "no unit for", "at", "for example")
    for gap in result.gaps:
        gaps.add_row(
            str(gap.line.cases),
            str(matters.name(gap.matter)),
            place_name(gap.place),
            " ".join(gap.line.samples),
        )
    for table in (moves, gaps):
        if table.row_count:
            console.print(table)


@catalogue.command("publish")
def publish(
    number: Number,
    by: Annotated[str, typer.Option(help="User name of whoever publishes it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a draft in force; the edition before it is retired and stays readable."""
    from django.utils import timezone

    from lucheng.core.dispatch import editions
    from lucheng.core.errors import NotFound
    from lucheng.core.organisation.models import Person

    with reporting("comparing"):
        version, current = editions.get(number), editions.in_force()
        person = Person.objects.filter(username=by, is_active=True).first()
        if person is None:
            raise NotFound(f"there is no active person called {by}")
        changes = editions.diff(current, version)
    replaced = f"edition {current.number}" if current else "nothing"
    console.print(f"draft {number} differs from {replaced} in {len(changes)} rows")
    if not yes:
        typer.confirm("Put it in force?", abort=True)
    with reporting("publishing"):
        editions.publish(version, person, timezone.now(), replaces=current.number if current else 0)
    console.print(f"edition {number} is in force")


@matters.command("load")
def load(
    file: Annotated[Path | None, typer.Argument(help="A TOML pack; the national one if not given.")] = None,
) -> None:
    """Add and change the matters of a pack. None is ever deleted: cases keep the code they were decided with."""
    from lucheng.core.dispatch import matters as room

    with reporting("loading"):
        loaded = room.load(file or room.NATIONAL)
    console.print(f"{loaded.added} added, {loaded.changed} changed, {loaded.unchanged} as before")
    if loaded.kept:
        console.print(f"kept though the pack does not name them: {' '.join(loaded.kept)}")


@matters.command("list")
def list_matters() -> None:
    """All matters with their codes."""
    from lucheng.core.dispatch.matters import known

    with reporting("reading"):
        rows = known()
    table = Table("code", "name", "in English", "grass roots", "urgency")
    for code, m in rows.items():
        table.add_row(code, m.name, m.name_en, "yes" if m.grassroots else "", m.urgency)
    console.print(table)


def register(app: typer.Typer) -> None:
    app.add_typer(catalogue, name="catalogue")
    app.add_typer(matters, name="matters")
