"""The pages of every register: lists, one entry with its history, forms, sheets in and out, the map."""

from __future__ import annotations

from itertools import groupby
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.core.cases.queries import COUNT_LIMIT
from lucheng.core.errors import Forbidden, Invalid, Refused
from lucheng.core.faults import Faulty
from lucheng.core.labels import label, place_label
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.registers import book, exchange
from lucheng.core.registers import imports as sheets_in
from lucheng.core.registers.columns import Column
from lucheng.core.registers.models import Import
from lucheng.core.registers.register import Register, registers
from lucheng.core.registers.register import named as register_named
from lucheng.web import numbers
from lucheng.web.downloads import kept
from lucheng.web.forms import DayInput, NameInput

PAGE = 50
#: Points that a map shows; more would hide each other.
POINTS = 5000
#: Versions and imports that one page shows.
SHOWN = 50

STATES = {
    book.IN_FORCE: pgettext_lazy("entry", "in force"),
    book.TO_COME: pgettext_lazy("entry", "still to come"),
    book.ENDED: pgettext_lazy("entry", "no longer in force"),
    book.ANY: pgettext_lazy("entry", "all"),
}
SORTS = {
    "place": gettext_lazy("by place"),
    "code": gettext_lazy("by code"),
    "name": gettext_lazy("by name"),
    "-valid_from": gettext_lazy("newest first"),
}


def _open(request: HttpRequest, slug: str) -> tuple[Register, Scope]:
    """The register that an address names, for a reader who may read it."""
    register, reader = register_named(slug), scope(request)
    if not register.opens(reader):
        raise Forbidden(_("None of your posts opens this page."))
    return register, reader


def _keeper(request: HttpRequest, slug: str) -> tuple[Register, Scope]:
    register, reader = _open(request, slug)
    register.require_keeper(reader)
    return register, reader


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


# --- lists ---------------------------------------------------------------------------------------------------------


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The registers that the reader may read, each with how many entries are in force."""
    reader, day = scope(request), timezone.localdate()
    if not reader.grants:
        raise Forbidden(_("None of your posts opens this page."))
    shown: list[dict[str, Any]] = [
        {
            "register": register,
            "count": numbers.counted(register.rows(reader).as_of(day)[: COUNT_LIMIT + 1].count()),
            "may": reader.can(register.about.edit),
        }
        for register in registers().values()
        if register.opens(reader)
    ]
    groups = groupby(shown, key=lambda row: row["register"].about.order // 10)
    projects = [{"number": number if number < 99 else None, "rows": list(rows)} for number, rows in groups]
    return render(request, "registers/index.html", {"projects": projects})


def _wanted(request: HttpRequest, register: Register) -> tuple[book.Wanted, dict[str, str]]:
    """What the address asks for, and the words of it that cannot be understood, by field."""
    wrong: dict[str, str] = {}
    state = numbers.text(request, "state")
    day = numbers.day(numbers.text(request, "day"))
    if numbers.text(request, "day") and day is None:
        wrong["day"] = _("Write a day as 2026-03-01.")
    code, said = numbers.place(request, day or timezone.localdate())
    if said:
        wrong["place"] = said
    choices = tuple(
        (name, value)
        for name in register.about.filters
        if (value := numbers.text(request, name)) in {str(v) for v, _label in register.by_name[name].choices}
    )
    wanted = book.Wanted(
        day or timezone.localdate(),
        code,
        numbers.text(request, "q"),
        state if state in STATES else book.IN_FORCE,
        choices,
    )
    return wanted, wrong


def _kept(request: HttpRequest) -> str:
    """What the address asks for, to be kept in another one."""
    return urlencode([(k, v) for k, v in request.GET.items() if v and k not in ("after", "before")])


def _filters(register: Register, wanted: book.Wanted) -> list[dict[str, Any]]:
    chosen = dict(wanted.choices)
    return [
        {"column": register.by_name[name], "chosen": chosen.get(name, "")} for name in register.about.filters
    ]


@login_required
@require_safe
def entries(request: HttpRequest, slug: str) -> HttpResponse:
    """The entries of one register that fit, a page at a time."""
    register, reader = _open(request, slug)
    wanted, wrong = _wanted(request, register)
    rows = book.find(register, reader, wanted)
    sort = numbers.text(request, "sort")
    sort = sort if sort in book.SORTS else "place"
    shown = [register.by_name[name] for name in register.about.columns]
    lead = tuple(c.name for c in shown if c.kind in ("unit", "entry"))
    found = book.page(
        rows.select_related(*lead),
        sort,
        size=PAGE,
        after=numbers.text(request, "after"),
        before=numbers.text(request, "before"),
    )
    many = rows[: COUNT_LIMIT + 1].count()
    query = _kept(request)

    def beside(name: str, key: str | None) -> str:
        return f"?{query}&{urlencode({name: key})}".replace("?&", "?") if key is not None else ""

    context = {
        "register": register,
        "wanted": wanted,
        "wrong": wrong,
        "place": request.GET.get("place", "")
        if wrong.get("place")
        else (place_label(wanted.place) if wanted.place else ""),
        "day": "" if wanted.day == timezone.localdate() else wanted.day.isoformat(),
        "states": STATES,
        "sorts": SORTS,
        "sort": sort,
        "filters": _filters(register, wanted),
        "columns": shown,
        "rows": [
            {
                "entry": entry,
                "cells": [(_cell(c, entry), c.kind == "number") for c in shown],
                "in_force": entry.in_force(wanted.day),
            }
            for entry in found.rows
        ],
        "previous": beside("before", found.before),
        "following": beside("after", found.after),
        "count": ngettext("%(number)s entry", "%(number)s entries", many) % {"number": numbers.counted(many)},
        "may": reader.can(register.about.edit),
        "narrowed": bool(query),
        "query": query,
    }
    return render(request, "registers/entries.html", context)


def _cell(column: Column, entry: Any) -> str:
    if column.kind == "place":
        return names.place_name(column.said(entry))
    if column.kind in ("unit", "entry"):
        record = getattr(entry, column.name)
        return record.name if record is not None else ""
    return column.text(entry)


@login_required
@require_safe
def city_map(request: HttpRequest, slug: str) -> HttpResponse:
    """Where the entries that fit stand."""
    register, reader = _open(request, slug)
    wanted, _wrong = _wanted(request, register)
    rows = book.find(register, reader, wanted)
    placed = rows.exclude(lon=None)
    many, without = placed[: POINTS + 1].count(), rows.filter(lon=None)[: COUNT_LIMIT + 1].count()
    context = {
        "register": register,
        "query": _kept(request),
        "count": numbers.counted(many, POINTS),
        "without": numbers.counted(without) if without else "",
        "too_many": many > POINTS,
    }
    return render(request, "registers/map.html", context)


@login_required
@require_safe
def located(request: HttpRequest, slug: str) -> JsonResponse:
    """The points of the entries that fit, as GeoJSON: names and addresses of their pages."""
    register, reader = _open(request, slug)
    wanted, _wrong = _wanted(request, register)
    rows = book.find(register, reader, wanted).exclude(lon=None).order_by("place", "code")
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]},
            "properties": {"name": name, "href": reverse("register-entry", args=[slug, code])},
        }
        for code, name, lon, lat in rows.values_list("code", "name", "lon", "lat")[:POINTS]
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


@login_required
@require_safe
def sheet(request: HttpRequest, slug: str) -> HttpResponse:
    """The entries that fit as a sheet, in the reader's rights; an import takes it back."""
    register, reader = _open(request, slug)
    wanted, _wrong = _wanted(request, register)
    kind = "csv" if request.GET.get("kind") == "csv" else "xlsx"
    rows = book.find(register, reader, wanted)
    return kept(
        f"{slug}-{wanted.day.isoformat()}",
        kind,
        lambda file: exchange.export(register, rows, file, kind=kind),
    )


# --- one entry -----------------------------------------------------------------------------------------------------


def _field(column: Column) -> forms.Field:
    widgets: dict[str, forms.Widget] = {
        "place": NameInput("place"),
        "unit": NameInput("unit"),
        "day": DayInput(),
        "choice": forms.Select(),
        "choices": forms.CheckboxSelectMultiple(),
        "yes": forms.CheckboxInput(),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
    }
    widget = widgets.get(column.kind) or (
        forms.Textarea(attrs={"rows": 4}) if column.long else forms.TextInput()
    )
    named: dict[str, Any] = {
        "label": column.label,
        "help_text": column.help,
        "required": column.required,
        "widget": widget,
    }
    if column.kind == "choice":
        empty = [("", "—")] if not column.required else [("", _("Choose"))]
        made: forms.Field = forms.ChoiceField(choices=[*empty, *column.choices], **named)
    elif column.kind == "choices":
        made = forms.MultipleChoiceField(choices=column.choices, **named)
    elif column.kind == "yes":
        made = forms.BooleanField(**named)
    else:
        made = forms.CharField(max_length=column.longest(), **named)
    return made


class EntryForm(forms.Form):
    """Every column of a register. What is wrong is said by the register itself."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, register: Register, *args: Any, fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = [c for c in register.columns if not (fixed and c.name == "code")]
        for column in self.columns:
            self.fields[column.name] = _field(column)
        self.must = {c.name for c in self.columns if c.required}

    def given(self) -> dict[str, Any]:
        """What was entered, by the columns' names."""
        return {c.name: self.cleaned_data.get(c.name) for c in self.columns}


def _initial(register: Register, entry: Any) -> dict[str, Any]:
    """What stands in the form of an entry: places and units as type-to-find fills them in."""
    said = register.said(entry)
    for column in register.columns:
        if column.kind == "place":
            said[column.name] = place_label(said[column.name])
        elif column.kind in ("unit", "entry") and (record := getattr(entry, column.name)) is not None:
            said[column.name] = label(record.name, record.code)
        elif column.kind == "words":
            said[column.name] = column.shown(said[column.name])
    return {**said, "version": entry.version}


@login_required
@require_safe
def entry(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """One entry: all it says, and who changed what when."""
    register, reader = _open(request, slug)
    found = book.get(register, reader, code)
    changes = list(book.history(register, code)[: SHOWN + 1])
    history = [
        {"change": change, "differences": book.differences(register, change, before)}
        for change, before in zip(changes, [*changes[1:], None], strict=True)
    ][:SHOWN]
    today = timezone.localdate()
    context = {
        "register": register,
        "entry": found,
        "facts": [(c.label, text) for c in register.columns if (text := _cell(c, found))],
        "history": history,
        "in_force": found.in_force(today),
        "may": register.may_write(reader, found.place),
        "today": today.isoformat(),
    }
    return render(request, "registers/entry.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, slug: str, code: str = "") -> HttpResponse:
    """A new entry, or a new version of one."""
    register, reader = _keeper(request, slug)
    found = book.get(register, reader, code) if code else None
    if found is not None:
        register.require(reader, found.place)
    if request.method != "POST":
        start = _initial(register, found) if found is not None else {"valid_from": timezone.localdate()}
        return _form(request, register, EntryForm(register, initial=start, fixed=bool(code)), found)
    form = EntryForm(register, request.POST, fixed=bool(code))
    if not form.is_valid():
        return _form(request, register, form, found, 422)
    given = form.given()
    try:
        written = book.write(
            register,
            code or given.pop("code") or "",
            given,
            by=_person(request),
            scope=reader,
            now=timezone.now(),
            version=(form.cleaned_data["version"] or 0) if found is not None else None,
        )
    except Invalid as wrong:
        for name, text in wrong.fields.items():
            form.add_error(name if name in form.fields else None, str(text))
        return _form(request, register, form, found, 422)
    except Refused as refused:
        form.add_error(None, str(refused.detail))
        return _form(request, register, form, found, refused.status)
    messages.success(request, _("%(name)s has been written.") % {"name": written.name})
    return HttpResponseRedirect(reverse("register-entry", args=[slug, written.code]))


def _form(
    request: HttpRequest, register: Register, form: EntryForm, found: Any, status: int = 200
) -> HttpResponse:
    context = {
        "register": register,
        "form": form,
        "entry": found,
        "conflict": status == 409 and found is not None,
    }
    if context["conflict"]:
        # What holds now stands above; sending once more overwrites it, knowingly.
        data = cast(QueryDict, form.data).copy()
        data["version"] = str(found.version)
        form.data = data
        context["facts"] = [(c.label, text) for c in register.columns if (text := _cell(c, found))]
    return render(request, "registers/write.html", context, status=status)


@login_required
@require_POST
def retire(request: HttpRequest, slug: str, code: str) -> HttpResponse:
    """Let an entry no longer hold from a day on."""
    register, reader = _open(request, slug)
    day = numbers.day(request.POST.get("day", ""))
    if day is None:
        raise Invalid({"day": _("Write a day as 2026-03-01.")})
    version = numbers.whole(request.POST.get("version"))
    ended = book.retire(
        register, code, day, by=_person(request), scope=reader, now=timezone.now(), version=version
    )
    messages.success(
        request, _("%(name)s no longer holds from %(day)s on.") % {"name": ended.name, "day": day.isoformat()}
    )
    return HttpResponseRedirect(reverse("register-entry", args=[slug, code]))


# --- sheets in -----------------------------------------------------------------------------------------------------


class SheetForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Sheet (xlsx or CSV)"), widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"})
    )


@login_required
@require_safe
def template(request: HttpRequest, slug: str) -> HttpResponse:
    """An empty sheet with the register's headers."""
    register, _reader = _keeper(request, slug)
    return kept(f"{slug}-template", "xlsx", lambda file: exchange.template(register, file))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest, slug: str) -> HttpResponse:
    """Sheets that were brought, and a form to bring another."""
    register, reader = _keeper(request, slug)
    form = SheetForm(request.POST, request.FILES) if request.method == "POST" else SheetForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = sheets_in.bring(
                register, file, file.name, by=_person(request), scope=reader, now=timezone.now()
            )
        except Faulty as wrong:
            form.add_error("file", str(wrong.detail))
        else:
            return HttpResponseRedirect(reverse("register-import", args=[slug, made.pk]))
    context = {"register": register, "form": form, "imports": sheets_in.imports(register, reader)[:SHOWN]}
    return render(request, "registers/imports.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one_import(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One sheet that was brought: what it would do, what is wrong with it, and the steps that follow."""
    register, reader = _keeper(request, slug)
    if request.method == "POST":
        sheets_in.step(
            register, reader, pk, request.POST.get("do", ""), by=_person(request), now=timezone.now()
        )
        return HttpResponseRedirect(reverse("register-import", args=[slug, pk]))
    found = sheets_in.get(register, reader, pk)
    language = get_language()
    context = {
        "register": register,
        "import": found,
        "working": found.state in Import.FOR_WORKER,
        "faults": [
            {"row": row, "column": column, "text": texts.get(language) or next(iter(texts.values()))}
            for row, column, texts in found.faults
        ],
        "more": found.fault_count - len(found.faults),
        "steps": [
            (do, label) for do, (states, _to, label) in sheets_in.STEPS.items() if found.state in states
        ]
        if found.by_id == _person(request).pk
        else [],
    }
    return render(request, "registers/import.html", context)


urlpatterns = [
    path("registers/", index, name="registers"),
    path("registers/<slug:slug>/", entries, name="register"),
    path("registers/<slug:slug>/map/", city_map, name="register-map"),
    path("registers/<slug:slug>/located/", located, name="register-located"),
    path("registers/<slug:slug>/sheet/", sheet, name="register-sheet"),
    path("registers/<slug:slug>/template/", template, name="register-template"),
    path("registers/<slug:slug>/new/", write, name="register-new"),
    path("registers/<slug:slug>/imports/", imports, name="register-imports"),
    path("registers/<slug:slug>/imports/<int:pk>/", one_import, name="register-import"),
    path("registers/<slug:slug>/entry/<str:code>/", entry, name="register-entry"),
    path("registers/<slug:slug>/entry/<str:code>/write/", write, name="register-write"),
    path("registers/<slug:slug>/entry/<str:code>/retire/", retire, name="register-retire"),
]
