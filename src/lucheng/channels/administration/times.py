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
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import opens_for, page, refused
from lucheng.channels.administration.forms import DayForm, DueForm, SheetForm, YearSheetForm
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Nature, Urgency
from lucheng.core.clocks import days, holidays, limits, service
from lucheng.core.clocks.calendar import FIRST, LAST
from lucheng.core.clocks.models import (
    CalendarDay,
    CalendarYear,
    ClockKind,
    TimeLimit,
    TimeUnit,
    WorkingSpan,
)
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.web.downloads import kept

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
            messages.success(
                request, _("The day has been entered. Clocks that are running keep their due time.")
            )
            return HttpResponseRedirect(reverse("calendar", args=[named.day.year]))
    return _show_year(request, year, form)


def _show_year(
    request: HttpRequest,
    year: int,
    form: DayForm,
    upload: YearSheetForm | None = None,
    faulty: Faulty | None = None,
) -> HttpResponse:
    notice = CalendarYear.objects.filter(year=year).values_list("notice", flat=True).first()
    named = list(CalendarDay.objects.filter(day__year=year).order_by("day"))
    shown = _year(year, timezone.localdate())
    working = sum(day["working"] for month in shown for week in month["weeks"] for day in week if day)
    context = {
        "year": year,
        "notice": notice,
        "months": shown,
        "named": named,
        "off": sum(not d.working for d in named),
        "swapped": sum(d.working for d in named),
        "working": working,
        "weekdays": WEEKDAYS,
        "spans": WorkingSpan.objects.order_by("opens"),
        "form": form,
        "upload": upload or YearSheetForm(initial={"notice": notice}, auto_id="sheet_%s"),
        "faulty": faulty,
    }
    bad = form.errors or faulty or (upload is not None and upload.errors)
    return page(request, "calendar", context, status=422 if bad else 200)


@opens_for(EDIT)
@require_safe
def calendar_sheet(request: HttpRequest, year: int) -> HttpResponse:
    """The days of a year that differ from their weekday, as an xlsx sheet."""
    name = _("calendar %(year)s") % {"year": year}
    return kept(name, "xlsx", lambda file: holidays.export_sheet(year, file))


@opens_for(EDIT, everywhere=True)
@require_POST
def upload_year(request: HttpRequest, year: int) -> HttpResponse:
    """Replace the days of a year by those of a sheet."""
    if not FIRST.year < year < LAST.year:
        raise NotFound(_("The calendar does not reach this year."))
    form = YearSheetForm(request.POST, request.FILES, auto_id="sheet_%s")
    faulty: Faulty | None = None
    if form.is_valid():
        try:
            holidays.load_sheet(year, form.cleaned_data["notice"], form.cleaned_data["file"])
        except Faulty as error:
            faulty = error
        else:
            messages.success(
                request,
                _(
                    "The calendar of %(year)s is as the sheet says. Clocks that are running keep their due time."
                )
                % {"year": year},
            )
            return HttpResponseRedirect(reverse("calendar", args=[year]))
    return _show_year(request, year, DayForm(), form, faulty)


@opens_for(EDIT, everywhere=True)
@require_POST
def forget_day(request: HttpRequest, year: int) -> HttpResponse:
    """Let a day follow its weekday again."""
    try:
        day = dt.date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise NotFound(_("This is not a date.")) from None
    days.forget_day(day)
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


#: From what each clock runs, and until when.
FROM: dict[str, str | Promise] = {
    ClockKind.DISPATCH: pgettext_lazy("clock", "from receipt until a unit has it"),
    ClockKind.SIGN: pgettext_lazy("clock", "from dispatch until the unit signs"),
    ClockKind.CONTACT: pgettext_lazy("clock", "from dispatch until the unit has spoken with the requester"),
    ClockKind.REPLY: pgettext_lazy("clock", "from the first dispatch until the unit replies"),
    ClockKind.RETURN: pgettext_lazy("clock", "from dispatch: how long the unit may ask to return it"),
    ClockKind.CALLBACK: pgettext_lazy("clock", "from the review of the reply until the callback"),
}


def _due(request: HttpRequest) -> tuple[DueForm, list[dict[str, Any]]]:
    """A case that might come in, and when each of its clocks would be due if its step began then."""
    if "kind" not in request.GET:
        first = next(iter(KINDS), "")
        form = DueForm({"kind": first, "nature": Nature.HELP.value, "urgency": Urgency.ORDINARY.value})
    else:
        form = DueForm(request.GET)
    if not form.is_valid():
        return form, []
    said = form.cleaned_data
    now = said["at"] or timezone.now()
    if not FIRST.year < now.year < LAST.year - 1:
        form.add_error("at", _("The calendar does not reach this year."))
        return form, []
    planned = service.plan(
        ClockKind.values,
        case_kind=said["kind"],
        nature=said["nature"],
        urgency=said["urgency"],
        matter=said["matter"],
        now=now,
    )
    rows = [
        {
            "clock": ClockKind(p.kind).label,
            "runs": FROM[p.kind],
            "amount": p.amount,
            "unit": TimeUnit(p.unit).label,
            "warn_at": p.warn_at,
            "due_at": p.due_at,
            "basis": p.basis,
        }
        for p in planned
    ]
    return form, rows


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def limits_table(request: HttpRequest) -> HttpResponse:
    """The table of time limits, what it would mean for a case of now, and a sheet that replaces it."""
    if request.method == "POST":
        return _replace_limits(request)
    return _show_limits(request, SheetForm(auto_id="sheet_%s"))


@opens_for(EDIT)
@require_safe
def limits_due(request: HttpRequest) -> HttpResponse:
    """When a case of this kind would be due: the part of the page that follows what is chosen."""
    form, due = _due(request)
    return render(request, "administration/due.html", {"form": form, "due": due})


def _show_limits(
    request: HttpRequest, upload: SheetForm, faulty: Faulty | None = None, status: int = 200
) -> HttpResponse:
    form, due = _due(request)
    context = {"rows": _limits(), "form": form, "due": due, "upload": upload, "faulty": faulty}
    return page(request, "limits", context, status=422 if form.errors else status)


@opens_for(EDIT, everywhere=True)
def _replace_limits(request: HttpRequest) -> HttpResponse:
    form = SheetForm(request.POST, request.FILES, auto_id="sheet_%s")
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
                messages.success(
                    request,
                    _("%(added)s rows added, %(changed)s changed, %(removed)s removed.")
                    % {"added": loaded.added, "changed": loaded.changed, "removed": loaded.removed},
                )
                return HttpResponseRedirect(reverse("time-limits"))
    return _show_limits(request, form, faulty, 422)


@opens_for(EDIT)
@require_safe
def limits_sheet(request: HttpRequest) -> HttpResponse:
    """The table of time limits as an xlsx sheet."""
    return kept(_("time limits"), "xlsx", limits.export_sheet)
