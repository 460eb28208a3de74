"""``lucheng knowledge …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lucheng.core.console import console, reporting

knowledge_app = typer.Typer(help="The knowledge base of the hotline.", no_args_is_help=True)


@knowledge_app.command()
def load(file: Annotated[Path, typer.Argument(help="A TOML file with [[article]] entries.")]) -> None:
    """Add and change the articles that a file names; all or none. Articles that it does not name stay."""
    from django.utils import timezone

    from lucheng.projects.command_centre import knowledge

    with reporting("loading"):
        loaded = knowledge.load(file, timezone.now(), timezone.localdate())
    console.print(f"{loaded.added} added, {loaded.changed} changed, {loaded.unchanged} unchanged")


@knowledge_app.command()
def find(words: Annotated[str, typer.Argument(help="What somebody asks.")]) -> None:
    """Which articles answer a question today, how well, and by which words."""
    from django.utils import timezone

    from lucheng.projects.command_centre import search

    with reporting("searching"):
        found = search.find(words, day=timezone.localdate(), least=search.SHOWN, limit=10)
    for f in found:
        console.print(f"{f.likeness:.0%} {f.entry.code} {f.entry.title} ({'、'.join(f.words)})", markup=False)
    if not found:
        console.print("nothing found")


def register(app: typer.Typer) -> None:
    app.add_typer(knowledge_app, name="knowledge")
