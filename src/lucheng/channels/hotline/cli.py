"""``lucheng replay``."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lucheng.channels.hotline import replay as replaying
from lucheng.core.organisation import tokens
from lucheng.core.organisation.models import Person


def replay(
    file: Annotated[
        Path, typer.Argument(help="CSV file of messages, UTF-8, with a header.", exists=True, dir_okay=False)
    ],
    rate: Annotated[float, typer.Option(help="Messages a second.", min=0.1)] = 20.0,
    address: Annotated[str, typer.Option(help="Where Lucheng is served.")] = "http://127.0.0.1:8000",
    operator: Annotated[str, typer.Option("--as", help="Username of the operator to act as.")] = "operator",
    limit: Annotated[int, typer.Option(help="Stop after so many messages; 0 means all.")] = 0,
    workers: Annotated[int, typer.Option(help="Calls taken at the same time.", min=1, max=64)] = 4,
) -> None:
    """Send real messages through the front door as calls, and say what became of each."""
    from lucheng.cli import ensure_database

    out = Console()
    ensure_database()
    person = Person.objects.filter(username=operator, is_active=True).first()
    if person is None:
        out.print(f"[red]There is no active person “{operator}”.[/] Name one with --as.")
        raise typer.Exit(2)
    try:
        rows = list(replaying.messages(file))
        replaying.Door(address, "")
    except replaying.NotReplayable as e:
        out.print(f"[red]{e}[/]")
        raise typer.Exit(2) from None
    rows = rows[:limit] if limit else rows
    token = tokens.issue(person, "replay", timezone.now(), timezone.now() + dt.timedelta(days=1))
    try:
        tally = _run(rows, address, token, replaying.run_name(file), rate, workers, out)
    finally:
        tokens.revoke(person, "replay")
    _report(tally, out)
    if tally.count("failed"):
        raise typer.Exit(1)


def _run(
    rows: list[replaying.Message],
    address: str,
    token: str,
    name: str,
    rate: float,
    workers: int,
    out: Console,
) -> replaying.Tally:
    tally = replaying.Tally()
    waiting: queue.Queue[replaying.Message | None] = queue.Queue(maxsize=workers)

    def work() -> None:
        door = replaying.Door(address, token)
        while (message := waiting.get()) is not None:
            tally.add(replaying.send(door, message, name))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for t in threads:
        t.start()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task("calls", total=len(rows))
        started = time.monotonic()
        for n, message in enumerate(rows):
            time.sleep(max(0.0, started + n / rate - time.monotonic()))
            waiting.put(message)
            if n % 10 == 0:
                progress.update(task, completed=len(tally.outcomes), description=_line(tally))
        for _ in threads:
            waiting.put(None)
        for t in threads:
            t.join()
        progress.update(task, completed=len(tally.outcomes), description=_line(tally))
    return tally


def _line(tally: replaying.Tally) -> str:
    return (
        f"calls · dispatched {tally.count('rule')} · merged {tally.count('merged_into')} "
        f"· left {tally.count('left')} · not taken {tally.count('failed')}"
    )


def _report(tally: replaying.Tally, out: Console) -> None:
    for o in sorted(tally.outcomes, key=lambda o: o.message.row):
        for odd in o.message.complaints:
            out.print(f"row {o.message.row}: {odd}", highlight=False)
        if o.failed:
            out.print(f"[red]row {o.message.row}: not taken: {o.failed}[/]", highlight=False)
    table = Table(title="What became of the messages")
    table.add_column("")
    table.add_column("messages", justify="right")
    for label, number in [
        ("sent", len(tally.outcomes)),
        ("received", tally.count("number")),
        ("located", tally.count("located")),
        ("category proposed", tally.count("matter")),
        ("dispatched", tally.count("rule")),
        ("merged into an open order", tally.count("merged_into")),
        ("left for a person", tally.count("left")),
        ("not taken", tally.count("failed")),
    ]:
        table.add_row(label, f"{number:,}")
    table.add_section()
    table.add_row("time for a message, p50", f"{tally.milliseconds(0.5):,.0f} ms")
    table.add_row("time for a message, p99", f"{tally.milliseconds(0.99):,.0f} ms")
    out.print(table)
    for title, name in [
        ("Dispatched, by rule of the catalogue", "rule"),
        ("Left for a person, and why", "left"),
    ]:
        counts = tally.by(name)
        if counts:
            table = Table(title=title)
            table.add_column(name)
            if name == "rule":
                table.add_column("unit")
            table.add_column("messages", justify="right")
            units = {str(o.rule): o.unit for o in tally.outcomes if o.rule}
            for value, number in counts.most_common(20):
                table.add_row(*([value, units[value]] if name == "rule" else [value]), f"{number:,}")
            if len(counts) > 20:
                rest = sum(n for _v, n in counts.most_common()[20:])
                table.add_row(*["…", ""][: 2 if name == "rule" else 1], f"{rest:,}")
            out.print(table)


def register(app: typer.Typer) -> None:
    app.command()(replay)
