"""What every page may show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from lucheng import __version__


def page(request: HttpRequest) -> dict[str, Any]:
    return {"version": __version__, "scope": getattr(request, "scope", None)}
