"""The one command, ``lucheng``. Each room adds its own commands in a ``cli.py`` with ``register(app)``."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

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
