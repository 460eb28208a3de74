"""``lucheng triage …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lucheng.core.console import console, reporting

triage = typer.Typer(help="Advice on what a text is about.", no_args_is_help=True)
templates = typer.Typer(help="Replies to start from.", no_args_is_help=True)
triage.add_typer(templates, name="templates")


@triage.command()
def train(
    seed: Annotated[int, typer.Option(help="How examples are dealt into folds; same seed, same model.")] = 0,
) -> None:
    """Train the category model on the classes of matter and on what people decided, and put it in force."""
    from django.utils import timezone

    from lucheng.core.triage import training

    with reporting("training") as report:
        trained = training.train(timezone.now(), seed=seed, progress=report)
    console.print(
        f"model {trained.version}: {trained.classes} classes, {trained.words} characters and pairs, "
        f"{trained.samples} texts, {trained.cases} of them decided cases"
    )
    console.print(f"of {trained.held_out} texts, each held out once:")
    table = Table("digits of the code", "best guess right", "proposed", "of these right", "sure from")
    for level in trained.levels:
        table.add_row(
            str(level.digits),
            f"{level.accuracy:.1%}",
            str(level.proposed),
            f"{level.right / level.proposed:.1%}" if level.proposed else "",
            f"{level.threshold:.2f}" if level.proposed else "never",
        )
    console.print(table)
    console.print(f"{trained.coverage:.1%} get a proposal, {trained.right:.1%} of these are right")


@triage.command()
def explain(text: Annotated[str, typer.Argument(help="What somebody says.")]) -> None:
    """What would be proposed for a text, how sure, and by which words."""
    from lucheng.core.dispatch import matters
    from lucheng.core.errors import Conflict
    from lucheng.core.triage import classify, urgent

    with reporting("reading"):
        proposal = classify.propose_matter(text)
        if not proposal.model_version:
            raise Conflict("there is no model yet: train one with `lucheng triage train`")
        if proposal.matter:
            console.print(f"{proposal.matter} {matters.name(proposal.matter)}: {proposal.probability:.0%}")
        else:
            console.print(f"not sure enough to propose anything (best guess {proposal.probability:.0%})")
        for word, weight in proposal.words:
            console.print(f"  {word} {weight:+.2f}", markup=False)
        for code, probability in proposal.alternatives:
            console.print(f"or {code} {matters.name(code)}: {probability:.0%}")
        for found in urgent.words_in(text):
            console.print(f"urgent: {found.word}, call {found.number}", style="bold red", markup=False)
        console.print(f"model {proposal.model_version}")


@templates.command("load")
def load(
    file: Annotated[Path | None, typer.Argument(help="A TOML pack; the national one if not given.")] = None,
) -> None:
    """Add and change the reply templates of a pack. The units' own stay as they are."""
    from django.utils import timezone

    from lucheng.core.triage import templates as room

    with reporting("loading"):
        loaded = room.load(timezone.now(), file or room.NATIONAL)
    console.print(f"{loaded.added} added, {loaded.changed} changed, {loaded.unchanged} as before")
    if loaded.kept:
        console.print(f"kept though the pack does not name them: {' '.join(loaded.kept)}")


def register(app: typer.Typer) -> None:
    app.add_typer(triage, name="triage")
