"""The one command, ``lucheng``. Each room adds its own commands in a ``cli.py`` with ``register(app)``."""

from __future__ import annotations

import datetime as dt
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from lucheng.standby import Promotion

app = typer.Typer(
    name="lucheng",
    help="Lucheng (鹿城): the open platform on which a city runs its social governance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def ensure_database() -> None:
    """Start the embedded PostgreSQL unless ``DATABASE_URL`` names another server."""
    if not os.environ.get("DATABASE_URL"):
        import subprocess

        import psycopg

        from lucheng import embedded

        try:
            embedded.ensure_running()
        except embedded.Superseded as superseded:
            _refuse(str(superseded))
        except (subprocess.SubprocessError, psycopg.OperationalError) as error:
            _refuse(
                f"The database does not start; look into {embedded.data_folder() / 'log'}. {error}".strip()
            )


def ensure_primary() -> None:
    """Start the database as :func:`ensure_database` does, and go on only where it may take writes."""
    ensure_database()
    if not os.environ.get("DATABASE_URL"):
        from lucheng import backups, standby

        try:
            standby.ready_for_work()
        except backups.Failed as failed:
            _refuse(str(failed))


@app.command()
def migrate() -> None:
    """Bring the database to the shape that this version expects."""
    from django.core.management import call_command

    ensure_primary()
    call_command("migrate", interactive=False, verbosity=1)


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL. Its data stays where it is."""
    from lucheng import embedded

    typer.echo("stopped" if embedded.stop() else "was not running")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept; each becomes a folder of its own.")],
    keep: Annotated[int | None, typer.Option(help="Keep so many, and delete older ones.", min=1)] = None,
) -> None:
    """Back up the embedded database and the photographs while everything goes on. Keys are not in it."""
    from django.conf import settings
    from django.utils import timezone

    from lucheng import backups
    from lucheng.core.console import reporting

    _only_embedded()
    try:
        with reporting("backing up") as report:
            made = backups.take(folder, timezone.now(), settings.ATTACHMENTS, report)
    except backups.Failed as failed:
        _refuse(str(failed))
    typer.echo(f"{made.folder}: {made.size / 1024**2:,.0f} MB, checked")
    typer.echo(f"Keys are not in it. Keep a copy of {settings.HOME / 'keys'} apart from it.")
    for gone in backups.forget(folder, keep) if keep else []:
        typer.echo(f"deleted {gone}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="One backup, as `lucheng backup` made it.")],
    to: Annotated[
        dt.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"],
            help="As things stood at this moment, in the city's time; needs LUCHENG_ARCHIVE.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the embedded database. What lay there is moved aside, not deleted."""
    from django.conf import settings
    from django.utils import timezone

    from lucheng import backups, embedded

    _only_embedded()
    if not yes:
        typer.confirm(
            f"This stops the database in {embedded.data_folder()} and starts the backup in its place. Go on?",
            abort=True,
        )
    try:
        aside = backups.restore(
            folder, settings.ATTACHMENTS, timezone.now(), timezone.make_aware(to) if to is not None else None
        )
    except backups.Failed as failed:
        _refuse(str(failed))
    if aside is not None:
        typer.echo(f"what lay there before: {aside}")
    typer.echo("restored; now `lucheng privacy retention again`, then prove it with `lucheng ledger verify`")


following = typer.Typer(help="A second server that follows the embedded database.", no_args_is_help=True)
app.add_typer(following, name="standby")


@following.command()
def follow(
    source: Annotated[
        Path, typer.Argument(help="The folder of the primary's socket, or, on one machine, its LUCHENG_HOME.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make this installation's database a standby of another: a base backup, then its log as it comes."""
    from django.utils import timezone

    from lucheng import backups, embedded, standby
    from lucheng.core.console import copying

    _only_embedded()
    if embedded.data_folder().exists() and not yes:
        typer.confirm(
            f"This stops the database in {embedded.data_folder()} and moves it aside. Go on?", abort=True
        )
    try:
        with copying("copying") as report:
            aside = standby.follow(source.resolve(), timezone.now(), report)
    except backups.Failed as failed:
        _refuse(str(failed))
    if aside is not None:
        typer.echo(f"what lay there before: {aside}")
    typer.echo("follows; on the primary, `lucheng standby require` has every write wait for it")
    _keys_open()


@following.command()
def watch(
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Promote by itself where nothing acknowledged can be lost.")
    ] = False,
    after: Annotated[float, typer.Option(help="Seconds without the primary before that.", min=3)] = 30,
) -> None:
    """Keep the standby running, say how it does, and end when it has become the primary."""
    import signal
    import threading

    from lucheng import backups, standby

    _only_embedded()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if take_over:
        standby.start()
        _keys_open()
    try:
        made = standby.watch(
            stop, take_over=dt.timedelta(seconds=after) if take_over else None, say=typer.echo
        )
    except backups.Failed as failed:
        _refuse(str(failed))
    if made is not None:
        _promoted(made)


@following.command()
def promote(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Make this standby the primary, once the old one is gone or stopped."""
    from lucheng import backups, standby

    _only_embedded()
    try:
        standby.start()
        _keys_open()
        if not yes:
            typer.confirm(
                "Two primaries can never be put together again. Is the old one off, or stopped for good?",
                abort=True,
            )
        _promoted(standby.promote())
    except backups.Failed as failed:
        _refuse(str(failed))


@following.command()
def require() -> None:
    """On the primary: acknowledge nothing from now on that the standby has not on its disk."""
    from lucheng import backups, standby

    _only_embedded()
    ensure_database()
    try:
        standby.require()
    except backups.Failed as failed:
        _refuse(str(failed))
    typer.echo("every write waits for the standby; while it is away, writes wait: `lucheng standby release`")


@following.command()
def release(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """On the primary: go on without the standby; writes that wait for it are acknowledged."""
    from lucheng import standby

    _only_embedded()
    ensure_database()
    if not yes:
        typer.confirm(
            "If the standby has taken over, or still may (`watch --take-over`), this makes two primaries. "
            "Are you sure that it has not and cannot?",
            abort=True,
        )
    told = standby.release()
    typer.echo(
        "no write waits for the standby any more" + ("" if told else "; it was away and does not know")
    )


def _promoted(made: Promotion) -> None:
    from django.utils import timezone

    upto = "?" if made.upto is None else f"{timezone.localtime(made.upto):%Y-%m-%d %H:%M:%S}"
    if made.whole:
        typer.echo(f"promoted; the last commit is of {upto}, nothing acknowledged is lost")
    else:
        typer.secho(
            f"promoted; the last commit is of {upto}: what the old primary acknowledged afterwards is not here",
            fg="yellow",
        )
    typer.echo(
        "it stands alone now; start `lucheng serve` and `lucheng worker` here, then make a new standby"
    )


def _keys_open() -> None:
    """Refuse where this installation has not the primary's keys: it would seal under others."""
    from django.conf import settings

    from lucheng.core.privacy import contacts

    if not contacts.open_here():
        _refuse(
            f"It follows, but contacts do not open with the keys in {settings.HOME / 'keys'}: copy the primary's keys "
            "there, all of them, before it takes over."
        )


def _only_embedded() -> None:
    if os.environ.get("DATABASE_URL"):
        _refuse("DATABASE_URL names a server of your own: it has its own tools for this (docs/manual.md).")


def _open_keys() -> None:
    """Whoever serves must be able to seal: better not to start than to refuse every caller."""
    from lucheng.core.privacy.sealing import SealError, open_all
    from lucheng.core.privacy.wrapping import KeysAway

    try:
        open_all()
    except (KeysAway, SealError) as error:
        _refuse(f"The keys that seal personal data cannot be opened: {error}. Nothing was started.")


def _refuse(words: str) -> NoReturn:
    typer.secho(words, fg="red", err=True)
    raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes; one per core.")] = 2,
    threads: Annotated[int, typer.Option(help="Threads in each process.")] = 8,
) -> None:
    """Serve the pages and the API."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces

    ensure_primary()
    _open_keys()
    os.environ["LUCHENG_WALLED"] = "1"  # the server's processes take it from there (lucheng.wsgi)
    # The server's processes read the settings anew. Without TLS nothing stands in front that would hide the port.
    if urlsplit(settings.ADDRESS).scheme == "http":
        os.environ.setdefault("LUCHENG_ADDRESS", f"{settings.ADDRESS}:{port}")
    Granian(
        "lucheng.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backpressure=threads * 4,
        respawn_failed_workers=True,
        log_enabled=False,
    ).serve()


def main() -> None:
    """Set Django up, let every room add its commands, and run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django
    from django.apps import apps

    django.setup()
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.cli"):
            import_module(f"{config.name}.cli").register(app)
    app()
