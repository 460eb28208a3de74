"""``lucheng api …``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

api = typer.Typer(help="The interface for other programs.", no_args_is_help=True)


@api.callback()
def _group() -> None:
    """The interface for other programs."""


def text() -> str:
    """The OpenAPI document as it is kept in docs/openapi.json."""
    from lucheng.channels.api.v1 import api as v1

    return json.dumps(v1.get_openapi_schema(path_prefix="api/v1/"), ensure_ascii=False, indent=1) + "\n"


@api.command()
def document(
    out: Annotated[
        Path | None, typer.Option(help="File to write; without it the document is printed.")
    ] = None,
) -> None:
    """Write the OpenAPI document of the interface."""
    if out is None:
        typer.echo(text(), nl=False)
    else:
        out.write_text(text(), encoding="utf-8")


def register(app: typer.Typer) -> None:
    app.add_typer(api, name="api")
