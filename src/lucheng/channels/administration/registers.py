"""Pages of the registers of processing, impact assessments and processors: lists, one entry with its versions, writing
and ending one, and the whole of a register on paper or as a sheet."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import (
    asked,
    opens_for,
    page,
    paged,
    person,
    refused,
)
from lucheng.channels.administration.forms import EndForm, RegisterForm
from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.privacy import registers as core
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import Standing, Waits
from lucheng.web import numbers
from lucheng.web.downloads import kept

#: Versions on one page.
VERSIONS = 10


def _register(name: str) -> Register:
    if name not in Register.values:
        raise NotFound(_("There is no such register."))
    return Register(name)


def _asked(request: HttpRequest) -> tuple[Standing | None, str]:
    """The state and the words that the address asks for; in force, where it says nothing."""
    state = request.GET.get("state", Standing.IN_FORCE)
    return (Standing(state) if state in Standing.values else None), asked(request, "q")


def _stand(entry: RegisterEntry) -> RegisterEntry:
    """With the words for why it waits, and how it stands."""
    waits = entry.waits  # type: ignore[attr-defined]
    entry.waits_for = Waits(waits).label if waits else ""  # type: ignore[attr-defined]
    entry.state = core.state_of(entry, timezone.now())  # type: ignore[attr-defined]
    return entry


def _address(register: Register, state: Standing | None, text: str) -> str:
    return urlencode({"register": register, "state": state or "all", **({"q": text} if text else {})})


@opens_for(core.CAPABILITY, everywhere=True)
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """The entries of one register, by code; those in force, where the address does not ask for others."""
    register = _register(request.GET.get("register", Register.PROCESSING))
    state, text = _asked(request)
    context = {
        "register": register,
        "registers": list(Register),
        "state": state or "all",
        "states": list(Standing),
        "text": text,
        "query": _address(register, state, text),
        "most": core.MOST,
        **paged(request, core.find(register, timezone.now(), state=state, text=text)),
    }
    for entry in context["rows"]:
        _stand(entry)
    return page(request, "registers", context)


def _whole(request: HttpRequest) -> tuple[Register, QuerySet[RegisterEntry]]:
    register = _register(request.GET.get("register", Register.PROCESSING))
    state, text = _asked(request)
    return register, core.find(register, timezone.now(), state=state, text=text)[: core.MOST]


@opens_for(core.CAPABILITY, everywhere=True)
@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """What the address asks for as an xlsx sheet."""
    register, rows = _whole(request)
    return kept(str(register.label), "xlsx", lambda file: core.export(register, rows, file, timezone.now()))


@opens_for(core.CAPABILITY, everywhere=True)
@require_safe
def printed(request: HttpRequest) -> HttpResponse:
    """What the address asks for on paper."""
    register, rows = _whole(request)
    rules = core.rules_in_force()
    context = {
        "register": register,
        "rows": [(_stand(entry), core.lines(entry, rules)) for entry in rows],
        "now": timezone.now(),
        "printed_by": person(request).name,
        "back": _address(register, *_asked(request)),
    }
    return render(request, "administration/register_print.html", context)


def _lines(entry: RegisterEntry, rules: dict[str, list[int]]) -> list[dict[str, Any]]:
    """The fields of a version; where they name other entries, with the way to these."""
    found = []
    for field, text in core.lines(entry, rules):
        register = core.NAMES.get(field.kind)
        codes = entry.fields.get(field.name, ()) if register is not None else ()
        found.append(
            {
                "label": field.label,
                "text": text,
                "named": [
                    (code, reverse("processing-register-entry", args=[register, code])) for code in codes
                ],
            }
        )
    return found


def _show(
    request: HttpRequest,
    register: Register,
    code: str,
    *,
    form: EndForm | None = None,
    seen: int | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    last = _stand(core.last(register, code, now))
    number = numbers.whole(request.GET.get("version")) or last.version
    history = core.history(register, code)
    shown = last if number == last.version else history.filter(version=number).first()
    if shown is None:
        raise NotFound(_("There is no such version."))
    rules = core.rules_in_force()
    context = {
        "register": register,
        "entry": last,
        "shown": shown,
        "lines": _lines(shown, rules),
        "form": form or EndForm(initial={"ended_on": timezone.localdate(now)}),
        "seen": last.version if seen is None else seen,
        "spent": [v.version for v in core.spent(register, code, now)],
        **paged(request, history, VERSIONS),
    }
    rows: list[RegisterEntry] = context["rows"]
    before = history.filter(version__lt=rows[-1].version).first() if rows else None
    context["rows"] = [
        {
            "version": version,
            "kept_until": core.kept_until(version),
            "changes": core.changes(earlier, version, rules) if earlier is not None else None,
        }
        for version, earlier in zip(rows, [*rows[1:], before], strict=False)
    ]
    return page(request, "register_entry", context, status=status)


@opens_for(core.CAPABILITY, everywhere=True)
@require_safe
def entry(request: HttpRequest, register: str, code: str) -> HttpResponse:
    """One entry: what holds, or what a version of ``?version=`` said, and every version with what it changed."""
    return _show(request, _register(register), code)


@opens_for(core.CAPABILITY, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, register: str) -> HttpResponse:
    """Write a new entry."""
    into = _register(register)
    form = RegisterForm(into, request.POST or None)
    if form.is_valid():
        entered = form.cleaned_data
        try:
            core.write(
                into,
                entered["code"],
                entered["title"],
                form.said(),
                by=person(request),
                after=0,
                now=timezone.now(),
            )
        except Invalid as wrong:
            refused(form, wrong)
        else:
            messages.success(request, _("The entry is written."))
            return HttpResponseRedirect(reverse("processing-register-entry", args=[into, entered["code"]]))
    context = {"register": into, "form": form}
    return page(request, "register_write", context, status=422 if form.errors else 200)


@opens_for(core.CAPABILITY, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, register: str, code: str) -> HttpResponse:
    """Write the version that replaces the last one, which the address names as ``seen``."""
    into = _register(register)
    last = core.last(into, code, timezone.now())
    form = RegisterForm(into, request.POST or None, before=last)
    status, differs = 200, None
    seen = numbers.whole(request.GET.get("seen"), last.version)
    if request.method == "POST":
        status = 422
    if form.is_valid():
        entered = form.cleaned_data
        try:
            made = core.write(
                into,
                code,
                entered["title"],
                form.said(),
                ended_on=entered["ended_on"],
                by=person(request),
                note=entered["note"],
                after=seen,
                now=timezone.now(),
            )
        except Invalid as wrong:
            refused(form, wrong)
        except Conflict as late:
            form.add_error(None, str(late.detail))
            status = late.status
            last = core.last(into, code, timezone.now())
            seen, was = last.version, seen
            before = core.history(into, code).filter(version=was).first()
            differs = core.changes(before, last, core.rules_in_force()) if before is not None else []
        else:
            if made is None:
                messages.success(request, _("Nothing differs from before."))
            else:
                messages.success(request, _("Version %(n)s is written.") % {"n": made.version})
            return HttpResponseRedirect(reverse("processing-register-entry", args=[into, code]))
    context = {"register": into, "form": form, "entry": last, "seen": seen, "differs": differs}
    return page(request, "register_write", context, status=status)


@opens_for(core.CAPABILITY, everywhere=True)
@require_POST
def end(request: HttpRequest, register: str, code: str) -> HttpResponse:
    """Say from which day on an entry is over."""
    into = _register(register)
    form = EndForm(request.POST)
    seen: int | None = numbers.whole(request.POST.get("seen"))
    status = 422
    if form.is_valid():
        entered = form.cleaned_data
        try:
            core.end(
                into,
                code,
                entered["ended_on"],
                by=person(request),
                note=entered["note"],
                after=seen or 0,
                now=timezone.now(),
            )
        except Invalid as wrong:
            refused(form, wrong)
        except Conflict as late:
            form.add_error(None, str(late.detail))
            status, seen = late.status, None
        else:
            messages.success(request, _("The end is written. The entry is kept three years from then on."))
            return HttpResponseRedirect(reverse("processing-register-entry", args=[into, code]))
    return _show(request, into, code, form=form, seen=seen, status=status)


@opens_for(core.CAPABILITY, everywhere=True)
@require_POST
def destroy(request: HttpRequest, register: str, code: str) -> HttpResponse:
    """Destroy the versions whose three years are over."""
    into = _register(register)
    try:
        count = core.destroy(into, code, timezone.now())
    except Conflict as kept:
        messages.error(request, str(kept.detail))
        return HttpResponseRedirect(reverse("processing-register-entry", args=[into, code]))
    text = ngettext("%(n)s version is destroyed.", "%(n)s versions are destroyed.", count)
    messages.success(request, text % {"n": count})
    if core.history(into, code).exists():
        return HttpResponseRedirect(reverse("processing-register-entry", args=[into, code]))
    return HttpResponseRedirect(f"{reverse('processing-registers')}?register={into}")
