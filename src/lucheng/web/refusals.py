"""What a person reads when something they asked for is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure
from django.views.defaults import server_error

from lucheng.core.errors import Refused, outage
from lucheng.core.limits.counting import Limited


class RefusalMiddleware:
    """Turns a :class:`lucheng.core.errors.Refused` that a page let through into a page with its status and words, and
    leads whoever has to sign in before a form is taken back to the page that it stands on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        if (
            request.method == "POST"
            and response.status_code == 302
            and response["Location"].startswith(sign_in + "?")
            and (form := _form_page(request))
        ):
            # The address to which a form is sent may have no page of its own to come back to.
            return redirect_to_login(form, sign_in)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        return refused(request, exception)


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """The page that says so."""
    answer = render(
        request,
        "refused.html",
        {"title": refusal.title, "detail": refusal.detail},
        status=refusal.status,
    )
    return told_when(answer, refusal) if isinstance(refusal, Limited) else answer


def told_when(answer: HttpResponse, refusal: Limited) -> HttpResponse:
    """The answer to whoever tried something too often, with the status and the header that say so to programs."""
    answer.status_code = refusal.status
    answer["Retry-After"] = str(refusal.seconds)
    return answer


def _form_page(request: HttpRequest) -> str:
    """The page of ours from which this request was sent; empty where the browser does not say."""
    came = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(came)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def broken(request: HttpRequest) -> HttpResponse:
    """What a person reads where a page failed: in words of its own where the database is away or a disk is full.

    Called while the error is handled. Whatever failed, the page asks nothing of the database.
    """
    error = sys.exc_info()[1]
    away = outage(error) if error is not None else None
    if away is None:
        return server_error(request)
    words = {"title": away.title, "detail": away.detail}
    answer = HttpResponse(render_to_string("refused.html", words), status=away.status)
    answer["Retry-After"] = str(away.retry_after)
    answer["Cache-Control"] = "no-store"
    return answer


_LOST = "lucheng.token_lost"


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without the token that belongs to it: cookies were cleared while it was being filled in.

    A page whose view has the attribute ``gives_back`` answers for itself, with what was typed, and asks for it once
    more; it sees by :func:`token_lost` that it must not act. Every other page is answered by a page of words.
    """
    match = request.resolver_match
    if match is None or not getattr(match.func, "gives_back", False):
        return csrf_failure(request, reason)
    request.META[_LOST] = True
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return answer


def token_lost(request: HttpRequest) -> bool:
    """Whether this request only wants back what it brought: it may have been sent by a foreign page."""
    return bool(request.META.get(_LOST))
