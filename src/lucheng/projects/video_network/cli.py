"""``lucheng cameras …``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from lucheng.core.console import console, reporting

cameras_app = typer.Typer(help="The video network as property: never a picture.", no_args_is_help=True)


@cameras_app.callback()
def _cameras() -> None:
    """Keeps the word for the command, of which there is one."""


@cameras_app.command()
def states(
    sheet: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="An xlsx or CSV file with DeviceID and Status."),
    ],
    day: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day of the check; without it, today."),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="The list names every device: cameras that it leaves out are offline."),
    ] = False,
) -> None:
    """Let outages begin and end as the shared platform's list of devices says. Nothing is asked of any device."""
    from django.utils import timezone

    from lucheng.projects.video_network import states as of_devices

    with reporting(f"reading {sheet.name}"):
        with sheet.open("rb") as file:
            found = of_devices.read(file)
        on = day.date() if day is not None else timezone.localdate()
        taken = of_devices.take(found, on, sheet.name, timezone.now(), whole=whole)
    console.print(
        f"{taken.online:,} online, {taken.offline:,} offline; {taken.begun:,} outages began, {taken.ended:,} ended; "
        f"{taken.silent:,} networked cameras are not in it, {taken.unknown:,} devices are no networked camera",
        soft_wrap=True,
    )
    if taken.number is not None:
        console.print(f"To take it back: lucheng registers undo camera-faults {taken.number}", markup=False)


def register(app: typer.Typer) -> None:
    app.add_typer(cameras_app, name="cameras")
