"""Pages of the dispatch catalogue: editions, their rows, sheets, trial, comparison, publication."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import asked, did, opens_for, paged, person, refused, workbook
from lucheng.channels.administration.forms import CatalogueSheetForm, NoteForm, PeriodForm, RowForm
from lucheng.core.dispatch import editions, exchange, matters, trial
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.dispatch.rules import Row, rows_of
from lucheng.core.errors import Conflict, Invalid
from lucheng.core.faults import Faulty
from lucheng.core.fields import within
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Division

EDIT, PUBLISH = "catalogue.edit", "catalogue.publish"
#: Changed rows that a comparison lists; all are counted.
SHOWN = 500


def _to(number: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("catalogue-edition", args=[number]))


@opens_for(EDIT, PUBLISH)
@require_safe
def editions_list(request: HttpRequest) -> HttpResponse:
    """All editions, the newest first."""
    rows = Version.objects.annotate(size=Count("rules")).select_related("published_by").order_by("-number")
    return render(
        request,
        "administration/editions.html",
        {
            **paged(request, rows),
            "note": NoteForm(auto_id="draft_%s"),
            "form": CatalogueSheetForm(),
            "may_edit": scope(request).can(EDIT),
        },
    )


@opens_for(EDIT)
@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """A new draft from the edition in force."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise Invalid({name: str(errors[0]) for name, errors in form.errors.items()})
    version = editions.draft_from_published(form.cleaned_data["note"], timezone.now())
    did(request, "made draft %s of the catalogue", version.number)
    return _to(version.number)


@opens_for(EDIT)
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """A new draft from a sheet; what is wrong in it is shown by row and column."""
    form = CatalogueSheetForm(request.POST, request.FILES)
    faulty: Faulty | None = None
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            version = exchange.import_xlsx(file, form.cleaned_data["note"] or file.name, timezone.now())
        except Faulty as error:
            faulty = error
        else:
            did(request, "imported draft %s of the catalogue from a sheet", version.number)
            messages.success(
                request, _("Draft %(number)s has been made of the sheet.") % {"number": version.number}
            )
            return _to(version.number)
    return render(request, "administration/upload.html", {"form": form, "faulty": faulty}, status=422)


@opens_for(EDIT, PUBLISH)
@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """The rows of one edition, narrowed by matter, place, unit."""
    version = editions.get(number)
    wanted = {k: asked(request, k) for k in ("matter", "place", "unit")}
    rows = (
        Rule.objects.filter(version=version)
        .select_related("lead")
        .prefetch_related(Prefetch("assists", Unit.objects.order_by("code")))
        .order_by("matter", "place")
    )
    if wanted["matter"]:
        codes = [c for c, m in matters.known().items() if wanted["matter"] in (m.name, m.name_en)]
        if not codes:
            codes = [wanted["matter"]] if wanted["matter"].isdecimal() else _matters_like(wanted["matter"])
        under = Q(pk__in=[])
        for code in codes:
            under |= within("matter", code)
        rows = rows.filter(under)
    if wanted["place"]:
        rows = rows.filter(
            within("place", wanted["place"]) if wanted["place"].isdecimal() else _places_like(wanted["place"])
        )
    if wanted["unit"]:
        units = Unit.objects.filter(Q(name__icontains=wanted["unit"]) | Q(code=wanted["unit"]))
        rows = rows.filter(
            Q(lead__in=units) | Q(pk__in=Rule.assists.through.objects.filter(unit__in=units).values("rule"))
        )
    if closed := request.GET.get("closed") == "1":
        rows = rows.filter(lead__active=False)
    context = {
        **paged(request, rows),
        "edition": version,
        "wanted": wanted,
        "closed": closed,
        "is_draft": version.state == Version.State.DRAFT,
        "may_edit": scope(request).can(EDIT),
    }
    return render(request, "administration/edition.html", context)


def _matters_like(text: str) -> list[str]:
    return [
        code for code, m in matters.known().items() if text in m.name or text.lower() in m.name_en.lower()
    ]


def _places_like(text: str) -> Q:
    under = Q(pk__in=[])
    for code in Division.objects.filter(name__contains=text, valid_to=None).values_list("code", flat=True)[
        :20
    ]:
        under |= within("place", code)
    return under


@opens_for(EDIT, PUBLISH)
@require_safe
def sheet(request: HttpRequest, number: int) -> HttpResponse:
    """One edition as an xlsx sheet."""
    version = editions.get(number)
    name = _("dispatch catalogue edition %(number)s") % {"number": number}
    return workbook(name, lambda file: exchange.export_xlsx(version, file))


@opens_for(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, number: int) -> HttpResponse:
    """Add a row to a draft, change it or take it out; ``matter`` and ``place`` in the address name it."""
    version = editions.get(number)
    if version.state != Version.State.DRAFT:
        raise Conflict(
            _("Edition %(number)s is not a draft: it can no longer be changed.") % {"number": number}
        )
    found = rows_of(version, matter=asked(request, "matter"), place=asked(request, "place"))
    before = found[0] if "place" in request.GET and found else None
    if request.method == "POST":
        seen = _seen(request)
        form = RowForm(request.POST)
        if seen is not None and "drop" in request.POST:
            editions.drop(version, seen)
            did(request, "took row %s at %s out of draft %s", seen.matter, seen.place, number)
            messages.success(request, _("The row has been taken out."))
            return _to(number)
        if form.is_valid():
            written = form.row()
            try:
                editions.put(version, written, timezone.now(), instead_of=seen)
            except Invalid as wrong:
                refused(form, wrong)
            else:
                did(request, "wrote row %s at %s into draft %s", written.matter, written.place, number)
                messages.success(request, _("The row has been written."))
                return _to(number)
        before = seen
    else:
        form = RowForm(initial=RowForm.of(before) if before is not None else None)
    context = {
        "form": form,
        "edition": version,
        "seen": msgspec.json.encode(before).decode() if before is not None else "",
    }
    return render(request, "administration/row.html", context, status=422 if form.errors else 200)


def _seen(request: HttpRequest) -> Row | None:
    """The row that the editor saw when they opened the form; none for a new one."""
    text = request.POST.get("seen", "")
    try:
        return msgspec.json.decode(text, type=Row) if text else None
    except msgspec.DecodeError:
        raise Conflict(_("This form is not whole. Open the row again.")) from None


@opens_for(EDIT)
@require_POST
def discard(request: HttpRequest, number: int) -> HttpResponse:
    """Throw a draft away."""
    editions.discard(editions.get(number))
    did(request, "discarded draft %s of the catalogue", number)
    messages.success(request, _("Draft %(number)s has been thrown away.") % {"number": number})
    return HttpResponseRedirect(reverse("catalogue-editions"))


@opens_for(EDIT, PUBLISH)
@require_safe
def try_on(request: HttpRequest, number: int) -> HttpResponse:
    """What an edition would have done with the cases of a period: the last thirty days, if none is given."""
    version = editions.get(number)
    today = timezone.localdate()
    form = PeriodForm(
        request.GET if "since" in request.GET else {"since": today - dt.timedelta(days=30), "until": today}
    )
    result = None
    if form.is_valid():
        since, until = form.cleaned_data["since"], form.cleaned_data["until"] + dt.timedelta(days=1)
        result = trial.try_on(
            version,
            timezone.make_aware(dt.datetime.combine(since, dt.time())),
            timezone.make_aware(dt.datetime.combine(until, dt.time())),
        )
    context = {"edition": version, "form": form, "trial": result, "shown": SHOWN}
    return render(request, "administration/try.html", context, status=200 if form.is_valid() else 422)


@opens_for(EDIT, PUBLISH)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, number: int) -> HttpResponse:
    """Compare a draft with the edition in force, row by row; then, if it is wanted, put it in force."""
    version, current = editions.get(number), editions.in_force()
    faulty: Faulty | None = None
    if request.method == "POST":
        replaces = request.POST.get("replaces", "")
        try:
            editions.publish(
                version,
                person(request),
                timezone.now(),
                replaces=int(replaces) if replaces.isdecimal() and len(replaces) < 10 else -1,
            )
        except Faulty as error:
            faulty = error
        else:
            did(request, "published edition %s of the catalogue instead of %s", number, replaces)
            messages.success(request, _("Edition %(number)s is in force.") % {"number": number})
            return _to(number)
    changes = editions.diff(current, version) if current is None or current.pk != version.pk else []
    units = dict(Unit.objects.values_list("code", "name"))

    def words(row: Row | None) -> dict[str, Any] | None:
        if row is None:
            return None
        return {"lead": units[row.lead], "assists": [units[c] for c in row.assists], "basis": row.basis}

    context = {
        "edition": version,
        "current": current,
        "changes": [
            {"matter": c.matter, "place": c.place, "before": words(c.before), "after": words(c.after)}
            for c in changes[:SHOWN]
        ],
        "count": len(changes),
        "shown": SHOWN,
        "faulty": faulty,
        "is_draft": version.state == Version.State.DRAFT,
        "may_publish": scope(request).can(PUBLISH),
    }
    return render(request, "administration/publish.html", context, status=422 if faulty else 200)
