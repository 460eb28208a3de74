"""Pages of the working calendar and of the table of time limits."""

from __future__ import annotations

import calendar as months
import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import did, opens_for, refused, workbook
from lucheng.channels.administration.forms import DayForm, SheetForm
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Nature, Urgency
from lucheng.core.clocks import days, limits
from lucheng.core.clocks.calendar import FIRST, LAST
from lucheng.core.clocks.models import CalendarDay, CalendarYear, TimeLimit, WorkingSpan
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.faults import Faulty

EDIT = "calendar.edit"

WEEKDAYS = (
    pgettext_lazy("weekday", "Mo"),
    pgettext_lazy("weekday", "Tu"),
    pgettext_lazy("weekday", "We"),
    pgettext_lazy("weekday", "Th"),
    pgettext_lazy("weekday", "Fr"),
    pgettext_lazy("weekday", "Sa"),
    pgettext_lazy("weekday", "Su"),
)


def _year(year: int, today: dt.date) -> list[dict[str, Any]]:
    """Twelve months of weeks of days: what each day is, and why."""
    named = {d.day: d for d in CalendarDay.objects.filter(day__year=year)}

    def day(date: dt.date, month: int) -> dict[str, Any] | None:
        if date.month != month:
            return None
        exception = named.get(date)
        working = exception.working if exception is not None else date.weekday() < 5
        return {"date": date, "working": working, "named": exception, "today": date == today}

    def shown(month: int) -> dict[str, Any]:
        weeks = months.Calendar(months.MONDAY).monthdatescalendar(year, month)
        return {"first": dt.date(year, month, 1), "weeks": [[day(d, month) for d in week] for week in weeks]}

    return [shown(month) for month in range(1, 13)]


@opens_for(EDIT)
@require_safe
def this_year(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("calendar", args=[timezone.localdate().year]))


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request: HttpRequest, year: int) -> HttpResponse:
    """One year at a glance, and a form for a day that differs from its weekday."""
    if not FIRST.year < year < LAST.year:
        raise NotFound(_("The calendar does not reach this year."))
    if request.method == "POST":
        return _name_day(request, year)
    return _show_year(request, year, DayForm())


@opens_for(EDIT, everywhere=True)
def _name_day(request: HttpRequest, year: int) -> HttpResponse:
    form = DayForm(request.POST)
    if form.is_valid():
        entered = form.cleaned_data
        try:
            named = days.name_day(entered["day"], entered["kind"] == "work", entered["name"])
        except Invalid as wrong:
            refused(form, wrong)
        else:
            did(
                request,
                "made %s %s (%s)",
                named.day,
                "a working day" if named.working else "a day off",
                named.name,
            )
            messages.success(
                request, _("The day has been entered. Clocks that are running keep their due time.")
            )
            return HttpResponseRedirect(reverse("calendar", args=[named.day.year]))
    return _show_year(request, year, form)


def _show_year(request: HttpRequest, year: int, form: DayForm) -> HttpResponse:
    context = {
        "year": year,
        "notice": CalendarYear.objects.filter(year=year).values_list("notice", flat=True).first(),
        "months": _year(year, timezone.localdate()),
        "named": CalendarDay.objects.filter(day__year=year).order_by("day"),
        "weekdays": WEEKDAYS,
        "spans": WorkingSpan.objects.order_by("opens"),
        "form": form,
    }
    return render(request, "administration/calendar.html", context, status=422 if form.errors else 200)


@opens_for(EDIT, everywhere=True)
@require_POST
def forget_day(request: HttpRequest, year: int) -> HttpResponse:
    """Let a day follow its weekday again."""
    try:
        day = dt.date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise NotFound(_("This is not a date.")) from None
    days.forget_day(day)
    did(request, "let %s follow its weekday", day)
    messages.success(request, _("The day follows its weekday again."))
    return HttpResponseRedirect(reverse("calendar", args=[year]))


def _limits() -> list[dict[str, Any]]:
    return [
        {
            "limit": limit,
            "kind": KINDS[limit.case_kind].name if limit.case_kind in KINDS else limit.case_kind,
            "nature": Nature(limit.nature).label if limit.nature else "",
            "urgency": Urgency(limit.urgency).label if limit.urgency else "",
        }
        for limit in TimeLimit.objects.order_by("clock", "case_kind", "matter", "nature", "urgency")
    ]


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def limits_table(request: HttpRequest) -> HttpResponse:
    """The table of time limits; a sheet that was downloaded and edited replaces it."""
    if request.method == "POST":
        return _replace_limits(request)
    return render(request, "administration/limits.html", {"rows": _limits(), "form": SheetForm()})


@opens_for(EDIT, everywhere=True)
def _replace_limits(request: HttpRequest) -> HttpResponse:
    form = SheetForm(request.POST, request.FILES)
    faulty: Faulty | None = None
    if form.is_valid():
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
            for chunk in form.cleaned_data["file"].chunks():
                file.write(chunk)
            file.flush()
            try:
                loaded = limits.load(Path(file.name))
            except Faulty as error:
                faulty = error
            else:
                did(
                    request,
                    "replaced the time limits: %s added, %s changed, %s removed",
                    loaded.added,
                    loaded.changed,
                    loaded.removed,
                )
                messages.success(
                    request,
                    _("%(added)s rows added, %(changed)s changed, %(removed)s removed.")
                    % {"added": loaded.added, "changed": loaded.changed, "removed": loaded.removed},
                )
                return HttpResponseRedirect(reverse("time-limits"))
    context = {"rows": _limits(), "form": form, "faulty": faulty}
    return render(request, "administration/limits.html", context, status=422)


@opens_for(EDIT)
@require_safe
def limits_sheet(request: HttpRequest) -> HttpResponse:
    """The table of time limits as an xlsx sheet."""
    return workbook(_("time limits"), limits.export_sheet)
