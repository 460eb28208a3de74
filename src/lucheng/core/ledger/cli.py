"""``lucheng worker``, ``lucheng ledger …`` and ``lucheng messages …``."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from lucheng import embedded
from lucheng.cli import ensure_database, ensure_primary
from lucheng.core.console import console
from lucheng.core.errors import NotFound
from lucheng.core.ledger import acts, outbox, verifications
from lucheng.core.ledger.verifications import Result
from lucheng.core.ledger.verify import head as last_anchor
from lucheng.core.ledger.verify import read_witness
from lucheng.core.ledger.verify import verify as findings
from lucheng.core.ledger.worker import discover, work, work_once
from lucheng.postgresql.context import Context, wall
from lucheng.standby import follows

if TYPE_CHECKING:
    from lucheng.core.status import Standby

SHOWN = 200  # findings printed one by one; more are counted

ledger = typer.Typer(help="Prove that no event was changed, removed or put in.", no_args_is_help=True)
messages = typer.Typer(help="Messages on their way out.", no_args_is_help=True)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then stop.")] = False,
) -> None:
    """Watch deadlines, send messages, anchor the ledger: everything that happens by itself. Stop it with Ctrl-C."""
    ensure_primary()
    wall(Context({"everything": "the worker handles every case that falls due"}))
    sweeps = discover()
    if once:
        done = work_once(sweeps)
        table = Table("sweep", "rows handled")
        for name, handled in done.items():
            table.add_row(name, "failed, see the log" if handled is None else str(handled))
        console.print(table)
        raise typer.Exit(1 if None in done.values() else 0)

    # Each sweep keeps one connection of its own: a pool would hide an outage until its timeout.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    stop = threading.Event()

    def stopping(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, stopping)
    console.print(f"worker runs: {', '.join(s.name for s in sweeps)}")
    work(sweeps, stop, revive=None if os.environ.get("DATABASE_URL") else embedded.revive)
    console.print("worker stopped")


@ledger.command()
def verify(
    case: Annotated[str | None, typer.Option(help="Only the case with this order number.")] = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Only cases with an event since this day, from their first event on."
        ),
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="Read every photograph as well.")] = False,
    witness: Annotated[
        str | None, typer.Option(help="An anchor noted earlier, as `lucheng ledger head` printed it.")
    ] = None,
) -> None:
    """Check every link of every chain and every anchor, and name what is wrong. Exit code 1 where anything is.

    Where nothing narrows it, the result is kept for the page of verifications.
    """
    try:
        noted = read_witness(witness) if witness else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--witness") from None
    ensure_database()
    result = Result()
    tally, began, began_at = result.tally, time.monotonic(), timezone.now()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("verifying", total=None)
        try:
            for finding in findings(
                tally,
                number=case,
                since=timezone.make_aware(since) if since is not None else None,
                files=files,
                witness=noted,
                progress=lambda t: bar.update(task, completed=t.events, total=t.events_in_all),
            ):
                result.add(finding)
                if tally.findings <= SHOWN:
                    console.print(str(finding), style="red", markup=False, highlight=False)
        except NotFound as error:
            console.print(str(error.detail), style="red", markup=False)
            raise typer.Exit(1) from None
    if tally.findings > SHOWN:
        console.print(f"… and {tally.findings - SHOWN:,} more", style="red")
    seconds = time.monotonic() - began
    console.print(
        f"{tally.events:,} events of {tally.cases:,} cases, {tally.acts:,} acts, {tally.anchors:,} anchors in "
        f"{seconds:.1f} s; {tally.not_anchored:,} events are newer than the last anchor"
    )
    if case is None and since is None and not _follows():
        verifications.write(result, files=files, began_at=began_at, ended_at=timezone.now())
    if tally.findings:
        console.print(f"{tally.findings:,} findings", style="bold red")
        raise typer.Exit(1)
    console.print("nothing is wrong", style="bold green")


def _follows() -> bool:
    """Whether this database is a standby, which takes no writes."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


_DAYS = ["%Y-%m-%d"]


@ledger.command("acts")
def list_acts(
    person: Annotated[str, typer.Option(help="Name or user name, in full; or console.")] = "",
    action: Annotated[str, typer.Option(help="Code of what was done, such as unit_closed.")] = "",
    object_: Annotated[str, typer.Option("--object", help="A part of the name of what it was done to.")] = "",
    since: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="First day; 30 days back.")] = None,
    until: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="Last day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most, the newest.")] = 50,
) -> None:
    """List what administrators did, and whoever runs the system by commands."""
    ensure_database()
    asked = acts.Asked(
        person=person,
        action=action,
        object=object_,
        since=timezone.make_aware(since) if since is not None else timezone.now() - acts.USUAL_PERIOD,
        until=timezone.make_aware(until + dt.timedelta(days=1)) if until is not None else None,
    )
    table = Table("number", "when", "who", "role", "what", "to what", "details")
    for act in acts.find(asked)[:limit]:
        table.add_row(
            str(act.seq),
            timezone.localtime(act.at).strftime("%Y-%m-%d %H:%M:%S"),
            act.person.username if act.person is not None else "",
            act.role,
            act.action,
            escape(act.name),
            escape(acts.said(act)),
        )
    console.print(table)


@ledger.command()
def head() -> None:
    """Print the last anchor. Note it where nobody of this system can change it, and give it to `verify --witness`."""
    ensure_database()
    word = last_anchor()
    if not word:
        console.print("no anchor yet: it takes `lucheng worker` a minute or two", style="red")
        raise typer.Exit(1)
    typer.echo(word)


@messages.command()
def retry() -> None:
    """Send again what had been given up, for example after the gateway's address was corrected."""
    ensure_database()
    console.print(f"{outbox.retry(timezone.now()):,} messages will be tried again")


def status() -> None:
    """How the system does, as the page of jobs shows it. Exit code 1 where something waits for a person."""
    from lucheng.core.status import COUNT_LIMIT, disks
    from lucheng.core.status import status as read

    def many(count: int) -> str:
        return f"{count:,}" if count <= COUNT_LIMIT else f"{COUNT_LIMIT:,}+"

    def moment(at: dt.datetime | None) -> str:
        return "never" if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"

    for disk in disks():  # first: a full disk may be why the database does not start
        line = f"disk of {disk.holds}: {disk.free / 1024**3:,.1f} of {disk.size / 1024**3:,.1f} GB free"
        console.print(line, style="bold red" if disk.tight else "", markup=False, highlight=False)
    ensure_database()
    if not os.environ.get("DATABASE_URL") and follows():
        console.print("database: a standby; what follows is how the primary does, as far as it is known here")
    found = read(timezone.now())
    if found.alive:
        console.print(f"worker: runs, last sign of life {moment(found.seen_at)}")
    else:
        console.print(f"worker: does not run, last sign of life {moment(found.seen_at)}", style="bold red")
    table = Table("sweep", "every", "last run", "went well", "had work", "rows handled", "stands")
    for part in found.work:
        run = part.run
        stands = "late" if part.late else "goes"
        if run is not None and run.failures:
            stands = f"failed {run.failures} times in a row: {run.error}"
        table.add_row(
            part.name,
            f"{part.every:g} s",
            moment(run.at if run is not None else None),
            moment(run.went_at if run is not None else None),
            moment(run.worked_at if run is not None else None),
            f"{run.handled:,}" if run is not None else "0",
            stands,
        )
    console.print(table)
    for queue in found.queues:
        carried = "" if queue.leaves else " (shown on the pages only)"
        line = f"messages, {queue.channel}{carried}: {queue.waiting:,} due, {queue.failed:,} given up"
        console.print(line, style="red" if queue.failed else "")
    for reason in found.failed:
        console.print(f"  {reason.count:,} × {reason.error or '?'} ({reason.channel})", markup=False)
    if found.given_up:
        console.print("  try them again: lucheng messages retry")
    console.print(
        f"clocks: {many(found.late_clocks)} due, {many(found.parked_clocks)} left alone after failures"
    )
    if found.parked_clocks:
        console.print("  try them again: lucheng clocks retry")
    console.print(f"cases that no row of the catalogue fits: {many(found.alarms)}")
    anchored = moment(found.anchor.at if found.anchor is not None else None)
    console.print(f"ledger: last anchor {anchored}, {many(found.not_anchored)} newer events")
    console.print("  prove it: lucheng ledger verify")
    if found.standby is not None:
        _print_standby(found.standby, moment)
    raise typer.Exit(0 if found.well else 1)


def _print_standby(standby: Standby, moment: Callable[[dt.datetime | None], str]) -> None:
    required = "required" if standby.required else "not required"
    if standby.lost:
        console.print(
            "standby: was away too long, make it anew: lucheng standby follow", style="bold red", markup=False
        )
    elif standby.follows:
        console.print(f"standby: follows, {standby.behind:,} bytes behind, {required}")
    else:
        console.print(f"standby: away since {moment(standby.away_since)}, {required}", style="bold red")
    if standby.required and not standby.well:
        console.print("  until it is back every write waits; if it is gone: lucheng standby release")


def register(app: typer.Typer) -> None:
    app.command()(worker)
    app.command()(status)
    app.add_typer(ledger, name="ledger")
    app.add_typer(messages, name="messages")
