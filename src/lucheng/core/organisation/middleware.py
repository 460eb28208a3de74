"""Who makes a request: the member of staff whose session still lasts, and the scope of their posts, before the
application and before the database.

Whoever has something to do before they may begin counts as nobody everywhere but on the pages where they do it, so
that no other page and no address of the interface can forget to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from lucheng.core.organisation import factors, sessions, signing_in, walls
from lucheng.core.organisation.access import NOBODY, Scope, scope_of
from lucheng.core.organisation.models import Person, SignIn
from lucheng.postgresql import context

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

#: What a page sends along when it asks by itself, without anybody having touched it.
BY_ITSELF = "X-Live"

_ENDED = _(
    "Your session had ended. Sign in again: you come back to where you were, and what you typed is kept."
)


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


def opens_early(view: View) -> View:
    """Mark a view that knows people who still have something to do before they may begin (see :func:`first`)."""
    view.opens_early = True  # type: ignore[attr-defined]
    return view


def first(request: HttpRequest, person: Person) -> str:
    """The name of the page on which ``person`` has something to do before they may begin; empty where nothing is left
    to do.

    A password that somebody else knows is replaced before anything else (GB/T 22239-2019 8.1.4.2 b). Whoever holds the
    rights of an administrator sets a second factor up (8.1.4.1 d); accounts of the demo city need not.
    """
    if person.password_given_at is not None:
        return "own-password"
    if sessions.proven(request.session) or person.for_show:
        return ""
    if not hasattr(request, "_scope"):
        set_scope(request, scope_of(person))
    return "second-factor" if factors.compulsory(scope(request)) else ""


def _present(request: HttpRequest, user: Any) -> Person | AnonymousUser:
    """The person whose session this is, while it lasts and if they may begin. Whatever they ask for keeps it; what a
    page asks by itself does not."""
    if not user.is_authenticated:
        return AnonymousUser()
    now = timezone.now()
    if sessions.over(request.session, now):
        signing_in.note(SignIn.Outcome.ENDED, cast(Person, user), now=now)
        request.session.flush()
        messages.info(request, _ENDED)
        return AnonymousUser()
    if request.headers.get(BY_ITSELF) != "1":
        sessions.touch(request.session, now)
    if first(request, user) and not getattr(request, "_early", False):
        set_scope(request, NOBODY)
        return AnonymousUser()
    return cast(Person, user)


class PresenceMiddleware:
    """``request.user`` is nobody once a session is over, or before its holder may begin. Looked at when first asked
    for, as Django's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.user
        request.user = cast(Any, SimpleLazyObject(lambda: _present(request, signed_in)))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any) -> None:
        request._early = getattr(view, "opens_early", False)  # type: ignore[attr-defined]


class ScopeMiddleware:
    """``request.scope`` for templates and pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.scope = cast(Scope, SimpleLazyObject(lambda: scope(request)))  # type: ignore[attr-defined]
        return self.get_response(request)


class WallMiddleware:
    """A request begins with nothing in sight, and leaves nothing in sight behind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with context.within(context.NOTHING):
            return self.get_response(request)
