"""The city's single sign-on: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636), state and nonce.

It says who somebody is, never what they may do: whoever it names must have an account here already.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from joserfc.errors import JoseError
from requests import ConnectionError as RequestsConnectionError
from requests import PreparedRequest, RequestException, Response
from requests.adapters import BaseAdapter

from lucheng.core import outgoing
from lucheng.core.organisation.models import Person

log = logging.getLogger("lucheng.administration")

#: In the session: where somebody wanted to go before they were sent to the provider.
WANTED = "sign_on_next"
#: Seconds for which the provider may keep us waiting.
_PATIENCE = 5

_AWAY = _("The city's single sign-on does not answer. Try again in a moment, or sign in with your password.")
_FAILED = _("Single sign-on did not succeed. Try again.")
_UNKNOWN = _("Single sign-on knows you, but there is no open account for you here. Ask an administrator.")

#: What goes wrong on the way: no line, an answer that is no JSON, or one that does not hold what it must.
_LINE = (RequestException, OSError)
_ANSWER = (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, RuntimeError)


class _OneWayOut(BaseAdapter):
    """Carries the library's requests out by the house's one way (lucheng.core.outgoing)."""

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # type: ignore[override]
        body = request.body.encode() if isinstance(request.body, str) else request.body
        try:
            answer = outgoing.call(
                request.method or "GET", request.url or "", body, request.headers, timeout=_PATIENCE
            )
        except outgoing.Unreachable as error:
            raise RequestsConnectionError(str(error)) from None
        response = Response()
        response.status_code, response.request, response.url = answer.status, request, request.url or ""
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self) -> None:
        """Nothing is kept open."""


class _Session(OAuth2Session):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scheme in ("https://", "http://"):
            self.mount(scheme, _OneWayOut())


class _App(DjangoOAuth2App):  # type: ignore[misc]
    client_cls = _Session


class _OAuth(OAuth):  # type: ignore[misc]
    oauth2_client_cls = _App


class Failed(Exception):  # noqa: N818 (it did)
    """Nobody is signed in, and why, for whoever reads the page. ``person`` is whose locked account was named."""

    def __init__(self, words: str | Promise, person: Person | None = None) -> None:
        super().__init__(words)
        self.words, self.person = words, person


@lru_cache(maxsize=2)
def _provider(issuer: str, client: str, secret: str, scope: str) -> Any:
    """The provider by its own description, which is fetched when it is first needed and kept."""
    return _OAuth().register(
        "city",
        client_id=client,
        client_secret=secret or None,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": scope,
            "code_challenge_method": "S256",
            "default_timeout": _PATIENCE,
            **({} if secret else {"token_endpoint_auth_method": "none"}),
        },
    )


def _city() -> Any:
    if not settings.OIDC_ISSUER:
        raise Http404
    provider = _provider(
        settings.OIDC_ISSUER, settings.OIDC_CLIENT, settings.OIDC_SECRET, settings.OIDC_SCOPE
    )
    if provider.load_server_metadata().get("issuer", "").rstrip("/") != settings.OIDC_ISSUER:
        raise ValueError("the provider calls itself by another name than LUCHENG_OIDC_ISSUER")
    return provider


def _refuse(request: HttpRequest, words: str | Promise) -> HttpResponse:
    messages.error(request, str(words))
    return HttpResponseRedirect(reverse("sign-in"))


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    try:
        answer: HttpResponse = _city().authorize_redirect(
            request, request.build_absolute_uri(reverse("sign-on-back"))
        )
    except _LINE as error:
        log.warning("single sign-on does not answer: %s", type(error).__name__)
        return _refuse(request, _AWAY)
    except _ANSWER as error:
        log.error("single sign-on answers with something else: %s", type(error).__name__)
        return _refuse(request, _AWAY)
    request.session[WANTED] = request.GET.get("next", "")
    return answer


def who(request: HttpRequest) -> Person:
    """Whom the provider has sent back. Raises Failed where nobody may be let in."""
    try:
        claims: dict[str, Any] = _city().authorize_access_token(request).get("userinfo") or {}
    except _LINE as error:
        log.warning("single sign-on does not answer: %s", type(error).__name__)
        raise Failed(_AWAY) from None
    except _ANSWER as error:
        log.warning("single sign-on failed: %s", type(error).__name__)
        raise Failed(_FAILED) from None
    named, audience = claims.get(settings.OIDC_CLAIM), claims.get("aud")
    if settings.OIDC_CLIENT not in (audience if isinstance(audience, list) else [audience]):
        raise Failed(_FAILED)
    person = (
        Person.objects.filter(username=named, for_show=False).first()
        if isinstance(named, str) and named
        else None
    )
    if person is None or not person.is_active:
        raise Failed(_UNKNOWN, person)
    return person
