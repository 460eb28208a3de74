"""The visitor's way through the demo city: ten projects in ten minutes. It stands only where the demo city does."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lucheng.core import packs
from lucheng.core.errors import NotFound
from lucheng.core.indicators.indicator import named
from lucheng.core.indicators.periods import window
from lucheng.core.places import names
from lucheng.demo import city
from lucheng.web import figures, words


@require_safe
def tour(request: HttpRequest) -> HttpResponse:
    """Each project with its person, what to try as that person, and its figure for 2020."""
    if not city.stands():
        raise NotFound(_("There is no demo city here."))
    at, place = window("2020", timezone.localdate()), names.root()
    language = words.language()
    stops = []
    for stop in packs.of_demo_city("tour.toml")["stop"]:
        indicator = named(stop["figure"])
        value = indicator.value(at, place).value
        stops.append(
            {
                **stop,
                "words": stop["en" if language.startswith("en") else "zh"],
                "name": indicator.name,
                "unit": indicator.unit,
                "value": figures.written(value, indicator.digits),
            }
        )
    return render(request, "demo/tour.html", {"stops": stops})


urlpatterns = [path("demo/", tour, name="tour")]
