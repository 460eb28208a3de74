"""``lucheng privacy …``: the keys under which requesters' contacts are sealed."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, NoReturn

import typer
from django.conf import settings
from django.utils import timezone
from rich.markup import escape
from rich.table import Table

from lucheng.cli import ensure_database
from lucheng.core.console import console, reporting
from lucheng.core.privacy import ciphers, rotation, sealing, wrapping
from lucheng.core.privacy import looks as register_of_looks
from lucheng.core.privacy.models import Reveal

SHOWN = 20
_DAYS = ["%Y-%m-%d"]

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


@privacy.command()
def rewrap(
    new: Annotated[
        bool, typer.Option("--new", help="Make a new wrapping key file first, and wrap under it.")
    ] = False,
) -> None:
    """Wrap the keys anew as LUCHENG_WRAPPING says: under the newest wrapping key, or by another keeper.

    No sealed value is touched and nothing that runs is disturbed. Exit code 1 where a key does not open or cannot be
    wrapped.
    """
    home = settings.HOME
    try:
        if new:
            if settings.WRAPPING != "file":
                _fail(
                    "The key service makes its own new keys: rotate the key there, then rewrap without --new."
                )
            console.print(f"wrapping key {wrapping.FileWrapping(home).new()} is made; keep a copy of it")
        shut = wrapping.rewrap(home)
    except wrapping.KeysAway as error:
        _fail(f"{error}. What was not rewrapped is as it was.")
    _show_wrapped()
    if shut:
        _fail(f"These do not open and are left as they are: {', '.join(shut)}.")


def _fail(words: str) -> NoReturn:
    console.print(words, style="red")
    raise typer.Exit(1)


def _show_wrapped() -> None:
    table = Table("key", "wrapped by", "under")
    for name, envelope in wrapping.envelopes(settings.HOME):
        if envelope is None:
            table.add_row(name, "nobody: it lies bare", "")
        else:
            version = "".join(envelope.wrapped.split(":")[1:2]) if envelope.wrapping == "vault" else ""
            table.add_row(name, envelope.wrapping, f"{envelope.key} {version}".strip())
    console.print(table)


@privacy.command("keys")
def show_keys() -> None:
    """Show how each key is kept, and count the sealed fields of contacts by suite and key. Reads the whole table."""
    _show_wrapped()
    ensure_database()
    _show()


def _show() -> None:
    suites = {number: name for name, number in ciphers.NUMBERS.items()}
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


@privacy.command()
def looks(
    person: Annotated[str, typer.Option(help="Name or user name, in full.")] = "",
    unit: Annotated[str, typer.Option(help="Name or code of a unit, in full.")] = "",
    case: Annotated[str, typer.Option(help="Order number.")] = "",
    reason: Annotated[str, typer.Option(help="Words of the reason.")] = "",
    since: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="First day; 30 days back.")] = None,
    until: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="Last day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most, the newest.")] = 50,
    unusual: Annotated[bool, typer.Option("--unusual", help="Unusual days of units instead.")] = False,
) -> None:
    """List who looked at sealed data, of which order, and why. What was opened is not shown."""
    ensure_database()
    now = timezone.now()
    if unusual:
        days = Table("day", "unit", "looks", "usual")
        for u in register_of_looks.unusual(Reveal.objects.all(), now):
            days.add_row(u.day.isoformat(), u.unit, str(u.looks), f"{u.usual:g}")
        console.print(days)
        return
    first = timezone.make_aware(since) if since is not None else now - register_of_looks.USUAL_PERIOD
    asked = register_of_looks.Asked(
        person=person,
        unit=unit,
        number=case,
        reason=reason,
        since=first,
        until=timezone.make_aware(until + dt.timedelta(days=1)) if until is not None else None,
    )
    table = Table("when", "who", "unit", "order", "opened", "reason")
    for look in register_of_looks.find(Reveal.objects.all(), asked)[:limit]:
        table.add_row(
            timezone.localtime(look.at).strftime("%Y-%m-%d %H:%M"),
            f"{look.person.name} ({look.person.username})",
            look.unit.name if look.unit is not None else "",
            look.number,
            ", ".join(look.fields),
            escape(look.reason),
        )
    console.print(table)


def register(app: typer.Typer) -> None:
    app.add_typer(privacy)
