"""Pages that belong to no channel: signing in, one's own account, large print, and the style page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from lucheng.core.cases.models import Case, State, Supervision
from lucheng.core.places import names
from lucheng.web import account, addresses, figures, outlines, registers, signing_in
from lucheng.web.charts import Cell, Chart, Line, Series
from lucheng.web.context import THEMES
from lucheng.web.nav import Entry

NAV = [
    Entry(_("Registers"), "registers", "", order=72),
    Entry(_("Figures"), "figures", "", order=74),
]

YEAR = 365 * 24 * 3600


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """Back to where the reader was."""
    return HttpResponseRedirect(addresses.ours(request.POST.get("next", ""), "/"))


def _keep(request: HttpRequest, response: HttpResponse, name: str, value: str) -> HttpResponse:
    """Keep a reader's choice in a cookie for a year; an empty value forgets it."""
    if value:
        response.set_cookie(
            name, value, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    else:
        response.delete_cookie(name, samesite="Lax")
    return response


@require_POST
def large_print(request: HttpRequest) -> HttpResponse:
    """Switch large print on or off."""
    return _keep(request, _back(request), "large", "" if request.COOKIES.get("large") == "1" else "1")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark, or whatever the reader's device says."""
    chosen = request.POST.get("theme", "")
    return _keep(request, _back(request), "theme", chosen if chosen in THEMES else "")


class SampleForm(forms.Form):
    """One field of each sort, for the style page."""

    line = forms.CharField(label=_("One line"), help_text=_("Help stands between label and field."))
    text = forms.CharField(label=_("Several lines"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    choice = forms.ChoiceField(
        label=_("One of a few"), choices=[("a", _("First")), ("b", _("Second"))], widget=forms.RadioSelect
    )
    many = forms.ChoiceField(label=_("One of many"), choices=[("a", _("First")), ("b", _("Second"))])
    flag = forms.BooleanField(label=_("Yes or no"), required=False)
    file = forms.FileField(label=_("A file"), required=False)


def _samples(now: dt.datetime) -> dict[str, Chart]:
    """Two figures with invented numbers: bars against a line, and bars on the counties of the map."""
    hours, usual = (3, 8, 12, 9, 7, 11, 5), (4, 7.5, 10, 9, 6, 8, 6)
    about: dict[str, Any] = {"unit": _("cases"), "source": _("Invented numbers"), "as_of": now}
    line = Chart(
        id="sample-hours",
        caption=_("Bars and a line"),
        heading=_("Hour"),
        series=[Series("now", _("First")), Series("usual", _("Second"), "line", "ink-soft")],
        lines=[
            Line(f"{h:02}:00", [Cell(a), Cell(b)])
            for h, (a, b) in enumerate(zip(hours, usual, strict=True), 8)
        ],
        **about,
    )
    counties = names.children(names.root())
    bars = Chart(
        id="sample-places",
        caption=_("Bars one behind the other"),
        heading=_("Place"),
        series=[
            Series("on_time", _("First"), "bar", "on-time"),
            Series("overdue", _("Second"), "bar", "overdue"),
            Series("open", _("Together"), ""),
        ],
        lines=[
            Line(
                p.name,
                [Cell(20 - n % 7), Cell(n * 5 % 4), Cell(20 - n % 7 + n * 5 % 4)],
                key=p.code,
                address="#sample-places",
            )
            for n, p in enumerate(counties)
        ],
        stacked=True,
        flat=True,
        **about,
    )
    return {"line": line, "bars": bars}


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """Every component of the house in each of its states, made from the same templates as the pages."""
    now = timezone.now()
    clocks: list[dict[str, Any]] = [
        {"due": now + dt.timedelta(days=3)},
        {"due": now + dt.timedelta(hours=3, minutes=1)},
        {"due": now - dt.timedelta(days=2)},
        {"due": now + dt.timedelta(days=9), "paused": True},
        {"due": None},
    ]
    states = (State.SIGNED, State.DISPATCHED, State.REPLIED, State.SUSPENDED, State.RECEIVED)
    title = str(_("The street lamp at the gate of the estate is out"))
    rows = [
        Case(pk=n, number=str(n), title=title, due_at=c["due"], state=s)
        for n, (c, s) in enumerate(zip(clocks, states, strict=True), 1)
    ]
    rows[2].supervision = Supervision.DAILY
    entries = [
        {"at": now - dt.timedelta(days=2), "title": _("Received")},
        {
            "at": now - dt.timedelta(days=1),
            "title": _("Sent to the unit in charge"),
            "text": _("What was said stands below."),
        },
    ]
    wrong = SampleForm({"wrong-line": ""}, prefix="wrong")
    wrong.is_valid()
    context = {
        "now": now,
        "clocks": clocks,
        "rows": rows,
        "yours": {rows[0].pk},
        "entries": entries,
        "form": SampleForm(),
        "wrong": wrong,
        **_samples(now),
    }
    return render(request, "web/style.html", context)


@require_safe
def outline_drawing(request: HttpRequest) -> HttpResponse:
    """The city's outlines as gzipped GeoJSON; every browser that has script to draw them takes gzip."""
    response = HttpResponse(outlines.drawing.get(), content_type="application/geo+json")
    response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = "public, max-age=3600"
    return response


urlpatterns = [
    *signing_in.urlpatterns,
    *account.urlpatterns,
    *registers.urlpatterns,
    *figures.urlpatterns,
    path("theme/", theme, name="theme"),
    path("large-print/", large_print, name="large-print"),
    path("outlines.json", outline_drawing, name="outlines"),
    path("style/", style, name="style"),
]
