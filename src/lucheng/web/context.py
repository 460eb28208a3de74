"""What every page may show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from lucheng import __version__
from lucheng.core.organisation.middleware import first
from lucheng.core.organisation.models import Person
from lucheng.web import nav

#: What a reader may choose; without a choice the page follows their device.
THEMES = ("light", "dark")


def _begun(request: HttpRequest) -> bool:
    """Whether a member of staff makes this request who has nothing left to do before they begin."""
    return isinstance(request.user, Person) and not first(request, request.user)


def page(request: HttpRequest) -> dict[str, Any]:
    scope = getattr(request, "scope", None)
    return {
        "version": __version__,
        "scope": scope,
        "now": timezone.now(),
        "nav": nav.items(scope) if scope is not None and _begun(request) else [],
        "large": request.COOKIES.get("large") == "1",
        "theme": theme if (theme := request.COOKIES.get("theme")) in THEMES else "",
    }
