"""Puts the scope of the signed-in person on the request, computed when first asked for, and before the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from lucheng.core.organisation import walls
from lucheng.core.organisation.access import NOBODY, Scope, scope_of
from lucheng.core.organisation.models import Person
from lucheng.postgresql import context


def scope(request: HttpRequest) -> Scope:
    """The scope of whoever makes this request; nobody's where they are not signed in."""
    found: Scope | None = getattr(request, "_scope", None)
    if found is None:
        user = request.user
        found = scope_of(user) if isinstance(user, Person) else NOBODY
        set_scope(request, found)
    return found


def set_scope(request: HttpRequest, found: Scope) -> None:
    """Let this request be made with the rights of ``found``, in the application and in the database."""
    request._scope = found  # type: ignore[attr-defined]
    walls.read_as(found)


class WallMiddleware:
    """A request begins with nothing in sight, and leaves nothing in sight behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with context.within(context.NOTHING):
            return self.get_response(request)


class ScopeMiddleware:
    """``request.scope`` for templates and pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = cast(Scope, SimpleLazyObject(lambda: scope(request)))  # type: ignore[attr-defined]
        return self.get_response(request)
