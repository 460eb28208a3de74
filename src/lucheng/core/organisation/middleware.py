"""Puts the scope of the signed-in person on the request, computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from lucheng.core.organisation.access import NOBODY, Scope, scope_of
from lucheng.core.organisation.models import Person


def scope(request: HttpRequest) -> Scope:
    """The scope of whoever makes this request; nobody's where they are not signed in."""
    found: Scope | None = getattr(request, "_scope", None)
    if found is None:
        user = request.user
        found = scope_of(user) if isinstance(user, Person) else NOBODY
        request._scope = found  # type: ignore[attr-defined]
    return found


class ScopeMiddleware:
    """``request.scope`` for templates and pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = cast(Scope, SimpleLazyObject(lambda: scope(request)))  # type: ignore[attr-defined]
        return self.get_response(request)
