"""Who makes a request: a program by its key, or a signed-in browser by its session and a CSRF token.

A key is looked up at most every few seconds, together with the posts of its person; so a key withdrawn, or a post
ended, works on for up to :data:`KEPT` seconds in processes that have just used it.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja.security import APIKeyCookie, HttpBearer

from lucheng.channels.api.problems import Unauthenticated
from lucheng.core.organisation import tokens
from lucheng.core.organisation.access import Scope, scope_of
from lucheng.core.organisation.middleware import set_scope
from lucheng.core.organisation.models import Person

#: Seconds for which a key and the posts behind it are kept in memory.
KEPT = 5.0
_MOST = 10_000  # keys kept; more than a city has programs


@dataclass(frozen=True, slots=True)
class Identity:
    """A person and what their posts allow today."""

    person: Person
    scope: Scope


_known: dict[str, tuple[float, Identity]] = {}


def forget() -> None:
    """Ask the database again about every key."""
    _known.clear()


def identify(key: str, now: dt.datetime) -> Identity:
    """Whose key this is. Raises Unauthenticated where it is unknown, expired, or of somebody who has left."""
    at = time.monotonic()
    found = _known.get(key)
    if found is not None and at - found[0] < KEPT:
        return found[1]
    person = tokens.person_for(key, now)
    if person is None:
        _known.pop(key, None)
        raise Unauthenticated(_("This key is unknown, has expired or was withdrawn."))
    identity = Identity(person, scope_of(person, timezone.localdate(now)))
    if len(_known) >= _MOST:
        _known.clear()
    _known[key] = (at, identity)
    return identity


def bearer(header: str) -> str | None:
    """The key in an Authorization header; None where the header is of another kind.

    >>> bearer("Bearer lck_abc"), bearer("Basic eDp5")
    ('lck_abc', None)
    """
    scheme, _space, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


class Key(HttpBearer):
    """``Authorization: Bearer lck_…``"""

    def authenticate(self, request: HttpRequest, token: str) -> Person:
        identity = identify(token.strip(), timezone.now())
        request.user = identity.person
        set_scope(request, identity.scope)
        return identity.person


class Session(APIKeyCookie):
    """The session of a signed-in browser; unsafe methods also need the header X-CSRFToken."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # Who has no session has nothing to forge: they hear that they must say who they are.
        return super()._get_key(request) if self.param_name in request.COOKIES else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return request.user if isinstance(request.user, Person) else None
