"""Addresses inside and outside: where a request comes from, where a form may lead back to, and how a page is named to
the world."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def client_address(request: HttpRequest) -> str:
    """The network address of whoever asks: behind the proxy that ends TLS, what the proxy itself added last."""
    passed_on: str = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return passed_on.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def ours(address: str, otherwise: str) -> str:
    """``address`` where it is a path of this installation; ``otherwise`` for anything else that somebody may write
    into a form or a link.

    >>> ours("/board/?page=2", "/"), ours("//elsewhere.example/", "/"), ours("/\\\\", "/")
    ('/board/?page=2', '/', '/')
    """
    # Browsers read a backslash as a slash and leave control characters out; no address of ours holds either.
    path = address.startswith("/") and not address.startswith("//")
    plain = address.isprintable() and "\\" not in address
    return (
        address
        if path and plain and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
        else otherwise
    )


def absolute(path: str) -> str:
    """The whole address of a page, for what leaves the browser: printed, scanned, sent. It never follows the Host
    header, which whoever asks can write."""
    return f"{settings.ADDRESS}{path}"
