"""The one command, ``lucheng``. Each room adds its own commands in a ``cli.py`` with ``register(app)``."""

from __future__ import annotations

import datetime as dt
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer

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
        from lucheng import embedded

        embedded.ensure_running()


@app.command()
def migrate() -> None:
    """Bring the database to the shape that this version expects."""
    from django.core.management import call_command

    ensure_database()
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
    typer.echo("restored; now prove it with `lucheng ledger verify`")


def _only_embedded() -> None:
    if os.environ.get("DATABASE_URL"):
        _refuse("DATABASE_URL names a server of your own: back it up with its own tools (docs/manual.md).")


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
    from granian import Granian
    from granian.constants import Interfaces

    ensure_database()
    _open_keys()
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
