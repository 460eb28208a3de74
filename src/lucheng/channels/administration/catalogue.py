"""Pages of the dispatch catalogue: editions, their rows, sheets, trial, comparison, publication."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import islice
from typing import Any

import msgspec
from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import (
    asked,
    opens_for,
    page,
    paged,
    person,
    refused,
)
from lucheng.channels.administration.forms import (
    CatalogueSheetForm,
    NoteForm,
    PeriodForm,
    PublishForm,
    RowForm,
)
from lucheng.core.cases import queries
from lucheng.core.dispatch import editions, exchange, matters, trial
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.dispatch.rules import Row, rows_of
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.fields import within
from lucheng.core.labels import code_in
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Unit
from lucheng.core.places.models import Division
from lucheng.web import numbers
from lucheng.web import rows as rows_of_cases
from lucheng.web.downloads import kept

EDIT, PUBLISH = "catalogue.edit", "catalogue.publish"
#: What is read of a case that an edition would send elsewhere.
SHOWN_OF_A_CASE = (*rows_of_cases.SHOWN, "created_at")
#: Changed rows that a comparison lists; all are counted.
SHOWN = 500


def _to(number: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("catalogue-edition", args=[number]))


@opens_for(EDIT, PUBLISH)
@require_safe
def editions_list(request: HttpRequest) -> HttpResponse:
    """All editions, the newest first."""
    rows = Version.objects.annotate(size=Count("rules")).select_related("published_by").order_by("-number")
    return page(
        request,
        "editions",
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
            messages.success(
                request, _("Draft %(number)s has been made of the sheet.") % {"number": version.number}
            )
            return _to(version.number)
    return page(request, "upload", {"form": form, "faulty": faulty}, status=422)


@opens_for(EDIT, PUBLISH)
@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """The rows of one edition, narrowed by matter, place, unit."""
    version = editions.get(number)
    wanted = {k: asked(request, k) for k in ("matter", "place", "unit")}
    code = {k: code_in(text) for k, text in wanted.items()}
    rows = (
        Rule.objects.filter(version=version)
        .select_related("lead")
        .prefetch_related(Prefetch("assists", Unit.objects.order_by("code")))
        .order_by("matter", "place")
    )
    if code["matter"]:
        codes = [c for c, m in matters.known().items() if code["matter"] in (m.name, m.name_en)]
        if not codes:
            codes = [code["matter"]] if code["matter"].isdecimal() else _matters_like(code["matter"])
        under = Q(pk__in=[])
        for prefix in codes:
            under |= within("matter", prefix)
        rows = rows.filter(under)
    if code["place"]:
        rows = rows.filter(
            within("place", code["place"]) if code["place"].isdecimal() else _places_like(code["place"])
        )
    if code["unit"]:
        units = Unit.objects.filter(Q(name__icontains=code["unit"]) | Q(code=code["unit"]))
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
    return page(request, "edition", context)


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
    return kept(name, "xlsx", lambda file: exchange.export_xlsx(version, file))


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
            messages.success(request, _("The row has been taken out."))
            return _to(number)
        if form.is_valid():
            written = form.row()
            try:
                editions.put(version, written, timezone.now(), instead_of=seen)
            except Invalid as wrong:
                refused(form, wrong)
            else:
                messages.success(request, _("The row has been written."))
                return _to(number)
        before = seen
    else:
        form = RowForm(initial=RowForm.of(before) if before is not None else None)
    seen_text = msgspec.json.encode(before).decode() if before is not None else ""
    context = {
        "form": form,
        "edition": version,
        "seen": seen_text,
        "stamp": hashlib.sha256(seen_text.encode()).hexdigest()[:8],
        "matter": asked(request, "matter"),
        "place": asked(request, "place"),
    }
    return page(request, "row", context, status=422 if form.errors else 200)


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
    messages.success(request, _("Draft %(number)s has been thrown away.") % {"number": number})
    return HttpResponseRedirect(reverse("catalogue-editions"))


def _period(request: HttpRequest) -> tuple[PeriodForm, tuple[dt.datetime, dt.datetime] | None]:
    """The period that was asked for, the last thirty days if none was, and its two moments where it is one."""
    today = timezone.localdate()
    form = PeriodForm(
        request.GET if "since" in request.GET else {"since": today - dt.timedelta(days=30), "until": today}
    )
    if not form.is_valid():
        return form, None
    first, last = form.cleaned_data["since"], form.cleaned_data["until"] + dt.timedelta(days=1)
    since, until = (timezone.make_aware(dt.datetime.combine(day, dt.time())) for day in (first, last))
    return form, (since, until)


@opens_for(EDIT, PUBLISH)
@require_safe
def try_on(request: HttpRequest, number: int) -> HttpResponse:
    """What an edition would have done with the reader's cases of a period: the last thirty days, if none is given."""
    version, reader = editions.get(number), scope(request)
    form, period = _period(request)
    sees_cases = reader.sees_cases()
    context = {
        "edition": version,
        "form": form,
        "sees_cases": sees_cases,
        "trial": trial.try_on(version, queries.visible(reader), *period)
        if period is not None and sees_cases
        else None,
        "shown": SHOWN,
        "since": form.cleaned_data["since"].isoformat() if period is not None else "",
        "until": form.cleaned_data["until"].isoformat() if period is not None else "",
        "is_draft": version.state == Version.State.DRAFT,
    }
    return page(request, "try", context, status=200 if form.is_valid() else 422)


#: Cases of one unit that are looked at, the newest first, for those that an edition would send elsewhere.
LOOKED_AT = 5000


@opens_for(EDIT, PUBLISH)
@require_safe
def moved(request: HttpRequest, number: int) -> HttpResponse:
    """The cases of a trial that one unit had and another would get, as far as the reader may see them."""
    version = editions.get(number)
    reader = scope(request)
    _form, period = _period(request)
    ids = [request.GET.get(k, "") for k in ("had", "gets")]
    if period is None or not all(i.isdecimal() and len(i) < 10 for i in ids):
        raise NotFound(_("There is no such trial."))
    had, gets = (Unit.objects.filter(pk=int(i)).first() for i in ids)
    if had is None or gets is None:
        raise NotFound(_("There is no such unit."))
    since, until = period
    cases = (
        queries.visible(reader)
        .filter(created_at__gte=since, created_at__lt=until, lead_unit=had)
        .select_related("lead_unit")
        .only(*SHOWN_OF_A_CASE)
        .order_by("-created_at", "-id")[:LOOKED_AT]
    )
    found = list(islice(trial.moved(version, cases.iterator(500), gets.pk), SHOWN + 1))
    context = {
        "edition": version,
        "cases": found[:SHOWN],
        "more": len(found) > SHOWN,
        "shown": SHOWN,
        "had": had,
        "gets": gets,
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
    }
    return page(request, "moved", context)


def _words(row: Row | None, units: dict[str, str]) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"lead": units[row.lead], "assists": [units[c] for c in row.assists], "basis": row.basis}


def _differences(before: Version | None, after: Version) -> dict[str, Any]:
    """What a comparison of two editions shows."""
    changes = editions.diff(before, after) if before is None or before.pk != after.pk else []
    units = dict(Unit.objects.values_list("code", "name"))
    return {
        "edition": after,
        "current": before,
        "changes": [
            {
                "matter": c.matter,
                "place": c.place,
                "before": _words(c.before, units),
                "after": _words(c.after, units),
            }
            for c in changes[:SHOWN]
        ],
        "count": len(changes),
        "added": sum(c.before is None for c in changes),
        "removed": sum(c.after is None for c in changes),
        "shown": SHOWN,
    }


@opens_for(EDIT, PUBLISH)
@require_safe
def compare(request: HttpRequest, number: int) -> HttpResponse:
    """One edition beside another, row by row: the one before it, if ``with`` names no other."""
    version = editions.get(number)
    other = numbers.whole(request.GET.get("with"), -1)
    before = editions.get(other) if other >= 0 else editions.before(version)
    others = Version.objects.exclude(pk=version.pk).order_by("-number").values_list("number", flat=True)
    context = {**_differences(before, version), "numbers": list(others[:100])}
    return page(request, "compare", context)


@opens_for(EDIT, PUBLISH)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, number: int) -> HttpResponse:
    """Compare a draft with the edition in force, row by row; then, if it is wanted, put it in force."""
    version, current = editions.get(number), editions.in_force()
    faulty: Faulty | None = None
    form = PublishForm(initial={"note": version.note})
    if request.method == "POST":
        replaces = request.POST.get("replaces", "")
        form = PublishForm(request.POST)
        if not scope(request).can(PUBLISH):
            raise Forbidden(_("Your posts do not allow publishing the dispatch catalogue."))
        try:
            if form.is_valid():
                editions.publish(
                    version,
                    person(request),
                    timezone.now(),
                    replaces=numbers.whole(replaces, -1),
                    note=form.cleaned_data["note"],
                )
        except Faulty as error:
            faulty = error
        else:
            if form.is_valid():
                messages.success(request, _("Edition %(number)s is in force.") % {"number": number})
                return _to(number)
    context = {
        **_differences(current, version),
        "form": form,
        "faulty": faulty,
        "is_draft": version.state == Version.State.DRAFT,
        "may_publish": scope(request).can(PUBLISH),
    }
    return page(request, "publish", context, status=422 if faulty or form.errors else 200)
