"""What a person reads when something they asked for is refused."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lucheng.core.errors import Refused


class RefusalMiddleware:
    """Turns a :class:`lucheng.core.errors.Refused` that a page let through into a page with its status and words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refused):
            return None
        return render(
            request,
            "refused.html",
            {"title": exception.title, "detail": exception.detail},
            status=exception.status,
        )
