"""The command overview and its wall: today in figures that open to their rows, on a map, live, with their age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from lucheng.core.cases import today
from lucheng.core.cases.lifecycle import EVENT_NAMES
from lucheng.core.cases.queries import Filter
from lucheng.core.cases.today import Figure, Overview, Place, Rule
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.places import names
from lucheng.web import numbers
from lucheng.web.charts import Cell, Chart, Line, Series
from lucheng.web.words import figure as written

FIGURES: dict[Figure, Any] = {
    Figure.RECEIVED: gettext_lazy("Received today"),
    Figure.ANSWERED: gettext_lazy("Of these answered at once"),
    Figure.DISPATCHED: gettext_lazy("Dispatched today"),
    Figure.CLOSED: gettext_lazy("Closed today"),
    Figure.OVERDUE: gettext_lazy("Overdue now"),
    Figure.OPEN: gettext_lazy("Open now"),
}

RULES: dict[Rule, Any] = {
    Rule.CRITICAL_OVERDUE: gettext_lazy("A critical order is overdue"),
    Rule.OBJECTION: gettext_lazy("An objection to the dispatch waits"),
    Rule.NO_RULE: gettext_lazy("The catalogue names no unit"),
    Rule.APPEAL: gettext_lazy("An appeal waits"),
    Rule.URGENT_OVERDUE: gettext_lazy("An urgent order is overdue"),
    Rule.OVERDUE: gettext_lazy("An order is overdue"),
}

_VERBS: dict[str, Any] = {
    "supervise": gettext_lazy("Supervise"),
    "redispatch": gettext_lazy("Decide on the objection"),
    "dispatch": gettext_lazy("Name a unit and dispatch"),
    "accept": gettext_lazy("Accept"),
    "answer_appeal": gettext_lazy("Answer the appeal"),
    "": gettext_lazy("Open the order"),
}
#: Steps that are one choice among several: the order's own page has them all.
_CHOICES = frozenset({"redispatch", ""})


def rows_at(wanted: Filter) -> str:
    """The address of the rows of a figure."""
    query = wanted.query()
    return reverse("board") + (f"?{query}" if query else "")


def _numbers(found: Overview) -> list[dict[str, Any]]:
    return [
        {
            "key": n.figure.value,
            "label": FIGURES[n.figure],
            "count": n.count,
            "address": rows_at(n.wanted),
            "usual": n.usual,
            "usual_at": timezone.localtime(n.usual_at).strftime("%H:%M") if n.usual_at is not None else "",
        }
        for n in found.numbers
    ]


def _needs(found: Overview) -> list[dict[str, Any]]:
    return [
        {
            "label": RULES[n.rule],
            "place": names.place_name(n.place),
            "matter": matters.name(n.matter) if n.matter else _("no category yet"),
            "since": n.since,
            "overdue": n.rule in (Rule.CRITICAL_OVERDUE, Rule.URGENT_OVERDUE, Rule.OVERDUE),
            "number": n.number,
            "verb": _VERBS[n.action],
            "yours": bool(n.action),
            "address": reverse("case", args=[n.number])
            if n.action in _CHOICES
            else reverse("step", args=[n.number, n.action]),
            "count": n.count,
            "counted": numbers.counted(n.count),
            "rows": rows_at(n.wanted),
        }
        for n in found.needs
    ]


def _hot(found: Overview) -> list[dict[str, Any]]:
    return [
        {
            "matter": matters.name(h.matter),
            "count": h.count,
            "of": h.of,
            "usual": h.usual,
            "span": _("24 hours") if h.hours == 24 else _("7 days"),
            "address": rows_at(h.wanted),
        }
        for h in found.hot
    ]


def _events(found: Overview) -> list[dict[str, Any]]:
    return [
        {
            "at": e.at,
            "what": EVENT_NAMES[e.action],
            "place": names.place_name(e.place),
            "matter": matters.name(e.matter) if e.matter else _("no category yet"),
            "address": reverse("case", args=[e.number]),
        }
        for e in found.events
    ]


def _hours(found: Overview) -> Chart:
    weekday = date_format(timezone.localtime(found.as_of), "l")
    return Chart(
        id="hours",
        caption=_("Received by the hour"),
        unit=_("cases an hour"),
        source=_("Cases by the time they came in"),
        as_of=found.as_of,
        heading=_("Hour"),
        series=[
            Series("today", _("today"), "bar", "deep"),
            Series("usual", _("usual for %(weekday)s") % {"weekday": weekday}, "line", "ink-soft"),
        ],
        lines=[
            Line(f"{h.hour:02}:00", [Cell(h.count, rows_at(h.wanted)), Cell(h.usual)]) for h in found.hours
        ],
        live=True,
    )


def _stands(found: Overview, places: Sequence[Place], key: str, caption: str, heading: str) -> Chart:
    return Chart(
        id=key,
        caption=caption,
        unit=_("open cases"),
        source=_("Cases that stand open, by their earliest running limit"),
        as_of=found.as_of,
        heading=heading,
        series=[
            Series("on_time", _("on time"), "bar", "on-time"),
            Series("overdue", _("overdue"), "bar", "overdue"),
            Series("open", _("all open"), ""),
        ],
        lines=[
            Line(
                names.place_name(p.code),
                [
                    Cell(p.open - p.overdue),
                    Cell(p.overdue, rows_at(p.wanted_overdue)),
                    Cell(p.open, rows_at(p.wanted)),
                ],
                key=p.code,
                address=rows_at(p.wanted),
            )
            for p in places
        ],
        stacked=True,
        flat=True,
        live=True,
    )


def _place(reader: Scope) -> str:
    """The smallest place that holds everything the reader's posts reach."""
    places = [g.place for g in reader.grants if "case.view" in g.capabilities]
    first, last = min(places), max(places)  # what these two share, all that sort between them share
    return next((first[:n] for n, digit in enumerate(first) if last[n : n + 1] != digit), first)


def context(found: today.Latest, reader: Scope) -> dict[str, Any]:
    """What both pages show."""
    o = found.overview
    place = _place(reader)
    return {
        "overview": o,
        "tag": found.tag,
        "now": o.as_of,
        "as_of": timezone.localtime(found.as_of).strftime("%H:%M:%S"),
        "place": place,
        "place_name": names.place_name(place) if names.exists(place) else "",
        "numbers": _numbers(o),
        "usual": _("usual: median of the %(weekday)s up to the same time, last %(weeks)s weeks")
        % {"weeks": o.weeks, "weekday": date_format(timezone.localtime(o.as_of), "l")}
        if o.weeks
        else _("usual: not known yet, there is no week before this one"),
        "needs": _needs(o),
        "hot": _hot(o),
        "hot_rule": {
            "least": today.HOT_AT_LEAST,
            "times": written(today.HOT_TIMES),
            "weeks": today.WEEKS,
        },
        "events": _events(o),
        "hours": _hours(o),
        "counties": _stands(o, o.counties, "counties", _("Open and overdue by county"), _("County")),
        "townships": _stands(o, o.townships, "townships", _("Open and overdue by township"), _("Township")),
    }


def _shown(request: HttpRequest, template: str, **more: Any) -> HttpResponse:
    """One of the two pages; asked again by the page itself, only what has changed, and "304" where nothing has."""
    reader = scope(request)
    if not today.may_read(reader):
        raise Forbidden(_("The overview is for posts that see every case of a place."))
    found = today.latest(reader)
    response: HttpResponse
    if request.headers.get("If-None-Match") == f'"{found.tag}"':
        response = HttpResponseNotModified()
    else:
        live = request.headers.get("X-Live") == "1"
        response = render(
            request,
            template,
            {
                **context(found, reader),
                # What a page asks for again is its main part: the bar stays, and no message is used up unseen.
                "layout": "command/main_only.html" if live else "base.html",
                **more,
            },
        )
        response["ETag"] = f'"{found.tag}"'
    response["X-As-Of"] = timezone.localtime(found.as_of).strftime("%H:%M:%S")
    patch_cache_control(response, private=True, no_store=True)
    return response


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Today in figures, for who directs."""
    return _shown(request, "command/overview.html")


@login_required
@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """The same for a wall: few words, very large, dark whatever the reader chose, with nothing to operate."""
    return _shown(request, "command/wall.html", theme="dark", large=False)
