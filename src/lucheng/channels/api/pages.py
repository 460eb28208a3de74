"""Addresses: the API, its documentation, and a page for each kind of problem."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from lucheng.channels.api import problems, v1


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API's document to browse and try out, with nothing fetched from elsewhere."""
    return v1.api.docs.render_page(request, v1.api)


@require_safe
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """What a kind of problem means and what to do about it: the address in every problem's ``type``."""
    kind = problems.KINDS.get(slug)
    if kind is None:
        raise Http404
    context = {"title": kind.title, "status": kind.status, "advice": problems.ADVICE[kind]}
    return render(request, "api/problem.html", context)


urlpatterns = [
    path(v1.ROOT, v1.api.urls),
    path("api/docs", docs, name="api-docs"),
    path("problems/<slug:slug>", problem, name="problem"),
]
