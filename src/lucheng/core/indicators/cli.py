"""``lucheng indicators …``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lucheng.core.console import console, reporting

indicators_app = typer.Typer(help="Figures: what they come to, and their history.", no_args_is_help=True)


@indicators_app.command("list")
def list_indicators(
    period: Annotated[
        str, typer.Option(help="2020, 2020-Q3, 2020-07 or 2020-07-23; without it, today.")
    ] = "",
    place: Annotated[str, typer.Option(help="Code of a place; without it, the city.")] = "",
) -> None:
    """Every figure at a place in a period, with what it is counted from."""
    from django.utils import timezone

    from lucheng.core.indicators.indicator import indicators
    from lucheng.core.indicators.periods import window
    from lucheng.core.places import names

    with reporting("counting"):
        today = timezone.localdate()
        at = window(period or today.isoformat(), today)
        table = Table("id", "figure", "value", "counted", "over", "unit")
        for indicator in indicators().values():
            value = indicator.value(at, place or names.root())
            table.add_row(
                indicator.id,
                str(indicator.name),
                "–" if value.value is None else f"{value.value:,.{indicator.digits}f}",
                f"{value.numerator:,.0f}",
                "" if value.denominator is None else f"{value.denominator:,.0f}",
                str(indicator.unit),
            )
    console.print(table)


@indicators_app.command()
def keep(
    since: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")],
    until: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day.")],
) -> None:
    """Reckon the history of a stretch of days anew, after records of the past were corrected."""
    from lucheng.core.indicators import history

    with reporting("reckoning") as report:
        days = (until.date() - since.date()).days + 1
        for n in range(days):
            report(n, days)
            history.keep(since.date() + dt.timedelta(days=n))
    console.print(f"{max(days, 0)} days are kept anew")


@indicators_app.command()
def verify(
    day: Annotated[dt.datetime, typer.Option(formats=["%Y-%m-%d"], help="The day to count again.")],
) -> None:
    """Count a day again and name every figure whose history says something else. Exit code 1 where one does."""
    from lucheng.core.indicators import history
    from lucheng.core.indicators.indicator import indicators
    from lucheng.core.indicators.models import Day

    wrong = 0
    with reporting("counting"):
        for indicator in indicators().values():
            kept = {d.place: d for d in Day.objects.filter(indicator=indicator.id, day=day.date())}
            for place, value in history.of_day(indicator, day.date()).items():
                row = kept.get(place)
                if row is None or (row.numerator, row.denominator) != (value.numerator, value.denominator):
                    wrong += 1
                    said = "nothing" if row is None else f"{row.numerator:g}/{row.denominator}"
                    console.print(
                        f"{indicator.id} at {place}: kept {said}, counted {value.numerator:g}/{value.denominator}",
                        style="red",
                        markup=False,
                    )
    if wrong:
        raise typer.Exit(1)
    console.print("every figure of that day is what its records say")


@indicators_app.command()
def compare(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Columns: id, relation, value.")],
    period: Annotated[str, typer.Option(help="2020, 2020-Q3, 2020-07 or 2020-07-23.")],
    place: Annotated[str, typer.Option(help="Code of a place; without it, the city.")] = "",
) -> None:
    """Published figures against what the records come to. Exit code 1 where one does not hold."""
    from django.utils import timezone

    from lucheng.core.indicators import compare as room
    from lucheng.core.indicators.periods import window
    from lucheng.core.places import names

    with reporting("counting"):
        found = room.compare(file, window(period, timezone.localdate()), place or names.root())
    table = Table("id", "figure", "published", "counted", "")
    for one in found:
        value = "–" if one.value is None else f"{one.value:,.{one.indicator.digits}f}"
        holds = "" if one.holds else "differs"
        published = f"{one.relation} {one.published:,.{one.indicator.digits}f}"
        table.add_row(one.indicator.id, str(one.indicator.name), published, value, holds)
    console.print(table)
    wrong = sum(not one.holds for one in found)
    console.print(f"{len(found) - wrong} of {len(found)} hold")
    if wrong:
        raise typer.Exit(1)


bulletin_app = typer.Typer(
    help="The bulletin: the city's own sentences over figures.", invoke_without_command=True
)


@bulletin_app.callback()
def bulletin(
    context: typer.Context,
    period: Annotated[str, typer.Option(help="2020, 2020-Q3, 2020-07 or 2020-07-23.")] = "",
    form: Annotated[str, typer.Option("--format", help="docx, pdf, html or json.")] = "docx",
    place: Annotated[str, typer.Option(help="Code of a place; without it, the city.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file; without it, bulletin-PERIOD.FORMAT.")] = None,
) -> None:
    """Write the bulletin of a period, every figure counted now from its records."""
    if context.invoked_subcommand is not None:
        return
    from django.utils import timezone

    from lucheng.core.indicators import bulletin as room
    from lucheng.core.indicators import documents
    from lucheng.core.indicators.periods import window
    from lucheng.core.places import names

    if form not in documents.FORMATS:
        raise typer.BadParameter(f"write one of {', '.join(documents.FORMATS)}", param_hint="--format")
    file = out or Path(f"bulletin-{period}.{form}")
    with reporting("counting"):
        at = window(period, timezone.localdate())
        made = room.compose(room.current().text, at, place or names.root())
        with file.open("wb") as opened:
            documents.FORMATS[form](made, opened)
    console.print(f"{file} is written: {len(list(made.figures()))} figures", markup=False)


@bulletin_app.command("load")
def load_bulletin(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A TOML file.")],
) -> None:
    """Put a template of the bulletin in force. Figures are named in it, never typed."""
    from django.utils import timezone

    from lucheng.core.indicators import bulletin as room

    with reporting("reading"):
        loaded = room.load(file, timezone.now())
    console.print(f"edition {loaded.number} is in force")


def register(app: typer.Typer) -> None:
    app.add_typer(indicators_app, name="indicators")
    app.add_typer(bulletin_app, name="bulletin")
