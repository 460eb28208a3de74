"""Two orders side by side: what is the same, what differs, and which becomes the main one."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from lucheng.channels.command.bulk import back
from lucheng.channels.command.preview import find, requester
from lucheng.core.cases import engine, kinds, queries
from lucheng.core.cases.models import Case, State
from lucheng.core.dispatch import matters
from lucheng.core.errors import Invalid, NotFound, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.triage import lookalikes
from lucheng.web import numbers, rows, words

#: Characters of a text that are compared: the effort grows with their square.
_COMPARED = 400


@dataclass(frozen=True)
class Line:
    """One thing about both orders. ``differs`` is None where it is not compared."""

    label: str
    this: Any
    other: Any
    differs: bool | None


def _marked(this: str, other: str) -> tuple[SafeString, SafeString]:
    """Both texts with what stands in one only marked."""
    a, b = this[:_COMPARED], other[:_COMPARED]
    ours: list[tuple[SafeString]] = []
    theirs: list[tuple[SafeString]] = []
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        form = "{}" if kind == "equal" else "<mark>{}</mark>"
        if i < j:
            ours.append((format_html(form, a[i:j]),))
        if k < m:
            theirs.append((format_html(form, b[k:m]),))
    ours.append((format_html("{}", this[_COMPARED:]),))
    theirs.append((format_html("{}", other[_COMPARED:]),))
    return format_html_join("", "{}", ours), format_html_join("", "{}", theirs)


def _lines(reader: Scope, this: Case, other: Case, now: Any) -> list[Line]:
    def both(label: str, of: Any) -> Line:
        a, b = str(of(this)), str(of(other))
        return Line(label, a, b, a != b)

    text, others = _marked(this.content, other.content)
    here, there = (
        rows.clock(c.due_at, now, paused=c.state == State.SUSPENDED) if c.open else "" for c in (this, other)
    )
    lines = [
        Line(_("What was said"), text, others, this.content != other.content),
        both(_("Place"), lambda c: names.place_name(c.place)),
        both(_("Address"), lambda c: c.address),
        both(_("Matter"), lambda c: matters.name(c.matter) if c.matter else _("no category yet")),
        both(_("What is wanted"), lambda c: c.get_nature_display()),
        both(_("Complains of"), lambda c: c.accused_unit.name if c.accused_unit is not None else ""),
        both(_("Came in"), lambda c: words.when(c.created_at, now)),
        # Whether the same person asked twice is nobody's business here: the masks stand there, uncompared.
        Line(_("Requester"), requester(reader, this), requester(reader, other), None),
        both(_("Stands"), lambda c: kinds.KINDS[c.kind].state_name(c.state)),
        both(_("Unit"), lambda c: c.lead_unit.name if c.lead_unit is not None else ""),
        Line(_("Time limit"), here, there, None),
    ]
    return [line for line in lines if line.this or line.other]


def _may_merge(reader: Scope, case: Case) -> bool:
    return any(row.action == "merge" for row in engine.actions_for(case, reader))


def _candidates(reader: Scope, case: Case, now: Any) -> list[lookalikes.LookAlike]:
    if case.state == State.MERGED:
        return []
    text = f"{case.title} {case.content}"
    return lookalikes.of(case, text, scope_q=reader.q("case.view"), now=now, limit=6)


def _beside(
    reader: Scope, case: Case, asked: str, alike: list[lookalikes.LookAlike]
) -> tuple[Case | None, str]:
    """The order to stand beside: the one asked for, else the main order, else the most similar; and what went wrong."""
    if asked:
        if asked == case.number:
            return None, _("This is the same order.")
        try:
            return find(reader, asked), ""
        except NotFound as e:
            return None, str(e.detail)
    number = case.main.number if case.main is not None else (alike[0].number if alike else "")
    try:
        return (find(reader, number) if number else None), ""
    except NotFound:
        return None, ""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, number: str) -> HttpResponse:
    """An order beside another: join them, or take them apart again."""
    reader = scope(request)
    case = find(reader, number)
    if request.method == "POST":
        return _join(request, reader, case)
    return _show(request, reader, case, request.GET.get("with", "").strip())


def _show(
    request: HttpRequest, reader: Scope, case: Case, asked: str, error: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    alike = _candidates(reader, case, now)
    other, wrong = _beside(reader, case, asked, alike)
    merged = case.state == State.MERGED
    into = {
        "case": case,
        "other": other,
        "asked": asked,
        "wrong": error or wrong,
        "alike": [{"order": a, "percent": round(a.similarity * 100)} for a in alike],
        "lines": _lines(reader, case, other, now) if other is not None else [],
        "may_go": other is not None and other.state != State.MERGED and _may_merge(reader, case),
        "may_come": other is not None and not merged and _may_merge(reader, other),
        "apart": merged and any(r.action == "unmerge" for r in engine.actions_for(case, reader)),
        "joined": queries.visible(reader).filter(main=case, state=State.MERGED).order_by("id")[:50],
        "back": back(request),
        "here": reverse("merge", args=[case.number]),
        "now": now,
    }
    return render(request, "command/merge.html", into, status=status)


def _join(request: HttpRequest, reader: Scope, case: Case) -> HttpResponse:
    """The order named by ``joins`` goes into the one named by ``main``; with ``apart``, this one leaves its merger."""
    post = request.POST
    joins, main = post.get("joins", case.number), post.get("main", "")
    other = main if joins == case.number else joins
    version = post.get("version", "")
    action = "unmerge" if "apart" in post else "merge"
    fields: dict[str, str] = {"reason": post.get("reason", "")}
    if action == "merge":
        fields["main"] = main
    try:
        if action == "merge" and case.number not in (joins, main):
            raise Invalid({"main": _("Neither of the two is this order.")})
        engine.act(
            case.number if action == "unmerge" else joins,
            action,
            fields,
            actor=cast(Person, request.user),
            scope=reader,
            version=numbers.whole(version),
            now=timezone.now(),
        )
    except Refused as e:
        return _show(request, reader, find(reader, case.number), other, str(e.detail), e.status)
    if action == "unmerge":
        messages.success(request, _("Order %(number)s stands alone again.") % {"number": case.number})
    else:
        messages.success(
            request, _("Order %(joins)s has been merged into %(main)s.") % {"joins": joins, "main": main}
        )
    return HttpResponseRedirect(back(request))
