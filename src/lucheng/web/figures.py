"""Figures: the programme's indicators at a place in a period, and what each of them is made of, down to its rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lucheng.core.errors import Forbidden, Invalid, NotFound
from lucheng.core.indicators import bulletin as bulletins
from lucheng.core.indicators import documents, history
from lucheng.core.indicators.bulletin import Bulletin
from lucheng.core.indicators.indicator import OBTAINED, Indicator, Value, indicators, level_below, named
from lucheng.core.indicators.models import Target
from lucheng.core.indicators.periods import Window, one_day, window
from lucheng.core.labels import place_label
from lucheng.core.organisation.middleware import scope
from lucheng.core.places import names
from lucheng.core.places.models import LEVELS, Division
from lucheng.core.registers.models import Entry
from lucheng.core.registers.register import named as register_named
from lucheng.web import numbers
from lucheng.web.charts import Cell, Chart, Line, Series
from lucheng.web.downloads import kept

PAGE = 50


def written(value: float | None, digits: int) -> str:
    """A value as people read it; a dash where nothing is known."""
    return "–" if value is None else f"{value:,.{digits}f}"


def _asked(request: HttpRequest, otherwise: str = "") -> tuple[Window, str, dict[str, str]]:
    """Period and place of the address, ``otherwise`` (today) and the city where it names none, and what makes no sense
    in it."""
    if not scope(request).grants:
        raise Forbidden(_("None of your posts opens this page."))
    wrong: dict[str, str] = {}
    today = timezone.localdate()
    text = numbers.text(request, "period", 20)
    try:
        at = window(text or otherwise, today) if text or otherwise else one_day(today)
    except Invalid as refused:
        wrong |= {name: str(why) for name, why in refused.fields.items()}
        at = one_day(today)
    code, said = numbers.place(request, at.day)
    if said:
        wrong["place"] = said
    return at, code or names.root(), wrong


def _shown(indicator: Indicator, value: Value, target: Target | None) -> dict[str, Any]:
    return {
        "indicator": indicator,
        "value": written(value.value, indicator.digits),
        "of": "" if value.denominator is None else f"{value.numerator:,.0f} / {value.denominator:,.0f}",
        "target": target,
        "met": target.met_by(value.value) if target is not None else None,
    }


def targets(ids: Collection[str], place: str, day: dt.date) -> dict[str, Target]:
    """The target of each indicator at a place on a day; of several the one that began last."""
    standing: QuerySet[Any] = Target.objects.as_of(day)
    rows = standing.filter(indicator__in=ids, place=place).order_by("valid_from", "id")
    return {target.indicator: target for target in rows}


def at_once(wanted: Collection[Indicator], at: Window, place: str) -> list[dict[str, Any]]:
    """What several figures come to at a place in a period, each with its target, as templates show them."""
    aims = targets([i.id for i in wanted], place, at.day)
    return [_shown(i, i.value(at, place), aims.get(i.id)) for i in wanted]


@login_required
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Every figure at one place in one period, project by project."""
    at, place, wrong = _asked(request)
    shown = at_once(indicators().values(), at, place)
    projects = [
        {"number": number, "rows": list(rows)}
        for number, rows in groupby(shown, key=lambda row: row["indicator"].project)
    ]
    return render(
        request, "figures/figures.html", {**_frame(request, at, place, wrong), "projects": projects}
    )


def _frame(request: HttpRequest, at: Window, place: str, wrong: dict[str, str]) -> dict[str, Any]:
    return {
        "at": at,
        "place": place,
        "place_text": request.GET.get("place", "") if "place" in wrong else place_label(place),
        "period_text": request.GET.get("period", ""),
        "wrong": wrong,
    }


@login_required
@require_safe
def figure(request: HttpRequest, id: str) -> HttpResponse:
    """One figure: its formula, what it is counted from, the places below, how it went, and its rows."""
    at, place, wrong = _asked(request)
    indicator = named(id)
    value = indicator.value(at, place)
    length = level_below(place)
    below = indicator.by_place(at, place, length) if length <= LEVELS["community"] else {}
    context = {
        **_frame(request, at, place, wrong),
        "row": _shown(indicator, value, targets([id], place, at.day).get(id)),
        "obtained": OBTAINED[indicator.obtained],
        "interval": _share(value, indicator),
        "below": [
            {
                "code": child.code,
                "name": child.name,
                **_shown(indicator, found, None),
                "interval": _share(found, indicator),
            }
            for child in names.children(place, at.day)
            if (found := below.get(child.code)) is not None
        ],
        "chart": _went(indicator, at, place),
        **_rows(request, indicator.numerator.under(at, place)),
    }
    return render(request, "figures/figure.html", context)


def _share(value: Value, indicator: Indicator) -> str:
    """Where a share may lie that was seen on so few."""
    interval = value.interval()
    if interval is None:
        return ""
    low, high = (written(x * indicator.times, max(indicator.digits, 1)) for x in interval)
    return f"{low}–{high}"


def _went(indicator: Indicator, at: Window, place: str) -> Chart | None:
    """How it went, on the last day of each month that is kept; None where fewer than two are."""
    days = history.of(indicator, place, at.day - dt.timedelta(days=400), at.day + dt.timedelta(days=1))
    if indicator.kind == "flow" or len(days) < 2:
        return None
    month_ends = [list(month)[-1] for _key, month in groupby(days, key=lambda d: (d[0].year, d[0].month))]
    return Chart(
        id="went",
        caption=_("How it went"),
        unit=indicator.unit,
        source=_("history of figures"),
        as_of=timezone.now(),
        heading=_("Day"),
        series=[Series("value", indicator.name, "line")],
        lines=[Line(day.isoformat(), [Cell(value.value)]) for day, value in month_ends],
    )


def _rows(request: HttpRequest, rows: QuerySet[Any]) -> dict[str, Any]:
    """The records behind a figure, as far as they are entries of registers, in the reader's rights, or divisions, which
    anybody on duty may read. Cases open in their own lists."""
    if issubclass(rows.model, Entry):
        slug = rows.model.about.slug
        if rows.model.about.view:
            readable = register_named(slug).rows(scope(request))
            rows = rows.filter(pk__in=readable.values("pk"))
        page = numbers.paged(request, rows.order_by("place", "code"), PAGE, 10_000)
        page["rows"] = [
            {"name": e.name, "place": e.place, "address": reverse("register-entry", args=[slug, e.code])}
            for e in page["rows"]
        ]
        return page
    if rows.model is Division:
        page = numbers.paged(request, rows.order_by("code"), PAGE, 10_000)
        page["rows"] = [{"name": d.name, "place": d.code, "address": ""} for d in page["rows"]]
        return page
    return {"rows": None}


def _composed(request: HttpRequest) -> tuple[Bulletin, Window, str, dict[str, str]]:
    """The bulletin that the address asks for, last year's where it names no period. Raises NotFound where no template
    is loaded."""
    at, place, wrong = _asked(request, str(timezone.localdate().year - 1))
    return bulletins.compose(bulletins.current().text, at, place), at, place, wrong


@login_required
@require_safe
def bulletin(request: HttpRequest) -> HttpResponse:
    """The bulletin of a period, every figure counted now and leading to its rows."""
    try:
        made, at, place, wrong = _composed(request)
    except NotFound:
        at, place, wrong = _asked(request)
        return render(request, "figures/bulletin.html", _frame(request, at, place, wrong))
    context = {**_frame(request, at, place, wrong), "bulletin": made, "forms": documents.FORMATS}
    return render(request, "figures/bulletin.html", context)


@login_required
@require_safe
def bulletin_file(request: HttpRequest, form: str) -> HttpResponse:
    """The bulletin as a file to keep."""
    if form not in documents.FORMATS:
        raise NotFound(_("There is no such form of the bulletin."))
    made, at, place, _wrong = _composed(request)
    return kept(f"bulletin-{place}-{at.name}", form, lambda file: documents.FORMATS[form](made, file))


urlpatterns = [
    path("bulletin/", bulletin, name="bulletin"),
    path("bulletin/<slug:form>/", bulletin_file, name="bulletin-file"),
    path("figures/", figures, name="figures"),
    path("figures/<str:id>/", figure, name="figure"),
]
