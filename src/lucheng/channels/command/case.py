"""The case page: the whole matter, and each step of its life cycle."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from lucheng.channels.command import letters
from lucheng.channels.command.forms import ActionForm, prefilled, unit_names
from lucheng.core.cases import attachments, codes, engine, kinds, queries
from lucheng.core.cases.lifecycle import FIELDS, TRANSITIONS, Transition
from lucheng.core.cases.models import Case, State
from lucheng.core.clocks.models import Clock
from lucheng.core.dispatch import catalogue
from lucheng.core.errors import Forbidden, Invalid, NotFound, Refused
from lucheng.core.ledger.models import Message
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.privacy import contacts


def _case(request: HttpRequest, number: str) -> Case:
    case = (
        queries.visible(scope(request))
        .select_related(
            "lead_unit", "handler", "main", "parent", "rule", "accused_unit", "contact", "alarm", "intake_by"
        )
        .filter(number=number if number.isdecimal() else "")
        .first()
    )
    if case is None:
        raise NotFound(_("There is no order with the number “%(number)s”.") % {"number": number[:20]})
    return case


_ACTION_NAMES: dict[str, Any] = {
    **{t.action: t.name for t in TRANSITIONS},
    "create": gettext_lazy("Received"),
    "split": gettext_lazy("Split"),
    "attached": gettext_lazy("Photograph added"),
    "contact_revealed": gettext_lazy("Contact looked at"),
    "clock.warned": gettext_lazy("Warned: due soon"),
    "clock.urged": gettext_lazy("Urged: overdue"),
    "clock.escalated": gettext_lazy("Escalated"),
}


def _history(case: Case) -> list[dict[str, Any]]:
    """Every event of the case's chain with what was written in it, oldest first."""
    texts: dict[int, list[tuple[Any, str]]] = {}
    for t in case.texts.order_by("id"):
        texts.setdefault(t.seq, []).append((FIELDS[t.name].label if t.name in FIELDS else t.name, t.text))
    events = case.events.select_related("actor").order_by("seq")
    unit_ids = {
        v
        for e in events
        for k, v in e.body.items()
        if k in ("lead", "proposed_unit", "assist_unit") and isinstance(v, int)
    }
    units = dict(Unit.objects.filter(pk__in=unit_ids).values_list("pk", "name")) if unit_ids else {}
    return [
        {
            "seq": e.seq,
            "at": e.at,
            "title": _ACTION_NAMES.get(e.action, e.action),
            "who": e.actor.name if e.actor is not None else "",
            "role": e.actor_role,
            "to": kinds.KINDS[case.kind].state_name(e.body["to"]) if e.body.get("to") in State.values else "",
            "unit": units.get(e.body.get("lead", 0), ""),
            "texts": texts.get(e.seq, ()),
            "seal": bytes(e.hash).hex()[:12],
        }
        for e in events
    ]


@login_required
@require_safe
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    """The whole matter on one page."""
    case = _case(request, number)
    return _show(request, case)


def _show(
    request: HttpRequest, case: Case, revealed: contacts.Revealed | None = None, reveal_error: Any = ""
) -> HttpResponse:
    reader = scope(request)
    kind = kinds.KINDS[case.kind]
    decision = catalogue.recall(case.rule) if case.rule is not None else None
    seen = queries.visible(reader)
    may_reveal = contacts.may_reveal(reader, case)
    same_as = case.fields.get("same_as")
    context = {
        "case": case,
        "kind": kind,
        "code": codes.written(case.code) if reader.allows("case.accept", case) else "",
        "state": kind.state_name(case.state),
        # Where secrecy was asked for, not even the mask is for the unit.
        "contact": getattr(case, "contact", None) if not case.confidential or may_reveal else None,
        "secret": case.confidential and not may_reveal,
        "may_reveal": hasattr(case, "contact") and may_reveal,
        "revealed": revealed,
        "reveal_error": reveal_error,
        "clocks": case.clocks.order_by("started_at", "id"),
        "running": Clock.State.RUNNING,
        "paused": Clock.State.PAUSED,
        "history": _history(case),
        "actions": engine.actions_for(case, reader),
        "assists": case.assists.select_related("unit").order_by("id"),
        "attachments": case.attachments.order_by("id"),
        "same_as": seen.filter(number=same_as).first() if isinstance(same_as, str) else None,
        "merged": seen.filter(main=case).order_by("id")[:50],
        "parts": seen.filter(parent=case).order_by("id")[:50],
        "main": case.main if case.main is not None and reader.allows("case.view", case.main) else None,
        "parent": case.parent
        if case.parent is not None and reader.allows("case.view", case.parent)
        else None,
        "decision": decision,
        "advice": getattr(case, "advice", None),
        "letters": letters.letters(Message.objects.filter(case=case).order_by("id")[:50], reader),
        "can_merge": reader.allows("case.merge", case) and case.state in (State.RECEIVED, State.ACCEPTED),
    }
    return render(request, "command/case.html", context)


@login_required
def step(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """One step of the life cycle: its form, and its doing."""
    case = _case(request, number)
    reader = scope(request)
    rows = {r.action: r for r in engine.actions_for(case, reader)}
    row = rows.get(action)
    if row is None and request.method != "POST":
        messages.info(request, _("This step is no longer open: the order has moved on."))
        return HttpResponseRedirect(reverse("case", args=[number]))
    if request.method == "POST":
        form = ActionForm(row, case, request.POST) if row is not None else None
        entered = form.entered() if form is not None else {}
        version = request.POST.get("version", "")
        try:
            engine.act(
                number,
                action,
                entered,
                actor=cast(Person, request.user),
                scope=reader,
                version=int(version) if version.isdecimal() and len(version) < 10 else 0,
                now=timezone.now(),
            )
        except Invalid as e:
            if form is None or row is None:
                raise
            form.full_clean()
            for name, text in e.fields.items():
                form.errors.pop(name, None)
                form.add_error(name if name in form.fields else None, str(text))
            return _step_form(request, case, row, form, status=422)
        except Refused as e:
            messages.error(request, str(e.detail))
            return HttpResponseRedirect(reverse("case", args=[number]))
        messages.success(
            request, _("Done: %(action)s.") % {"action": row.name if row is not None else action}
        )
        after = "case" if queries.visible(reader).filter(number=number).exists() else "board"
        return HttpResponseRedirect(reverse(after, args=[number] if after == "case" else []))
    assert row is not None
    return _step_form(request, case, row, ActionForm(row, case, initial=prefilled(row, request.GET)))


def _step_form(
    request: HttpRequest, case: Case, row: Transition, form: ActionForm, status: int = 200
) -> HttpResponse:
    asks_unit = any(FIELDS[n].kind in ("unit", "units") for n in (*row.needs, *row.takes))
    decision = catalogue.decide(case.matter, case.place) if row.effect == "dispatch" else None
    context = {
        "case": case,
        "row": row,
        "form": form,
        "units": unit_names(case) if asks_unit else [],
        "decision": decision,
        "why_none": catalogue.why_none(case.matter, case.place)
        if row.effect == "dispatch" and decision is None
        else "",
        "is_dispatch": row.action == "dispatch",
    }
    return render(request, "command/step.html", context, status=status)


@login_required
@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show the requester's contact once, for a reason that stays in the ledger."""
    case = _case(request, number)
    reader = scope(request)
    if not hasattr(case, "contact") or not contacts.may_reveal(reader, case):
        raise Forbidden(_("You may not look at this requester's contact."))
    role = reader.role_for("contact.reveal", case)
    assert role is not None  # may_reveal has asked for it
    try:
        shown = contacts.reveal(
            case.contact,
            person=cast(Person, request.user),
            role=role,
            reason=request.POST.get("reason", ""),
            now=timezone.now(),
        )
    except Invalid as e:
        return _show(request, case, reveal_error=e.fields.get("reason", e.detail))
    return _show(request, _case(request, number), revealed=shown)


@login_required
@require_POST
def split(request: HttpRequest, number: str) -> HttpResponse:
    """Take one matter out of a message that holds several."""
    version = request.POST.get("version", "")
    try:
        made = engine.split(
            number,
            [{"title": request.POST.get("title", ""), "content": request.POST.get("content", "")}],
            actor=cast(Person, request.user),
            scope=scope(request),
            version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            now=timezone.now(),
        )
    except Refused as e:
        messages.error(request, str(e.detail))
        return HttpResponseRedirect(reverse("case", args=[number]))
    messages.success(
        request, _("Order %(number)s has been taken out of this one.") % {"number": made[0].number}
    )
    return HttpResponseRedirect(reverse("case", args=[number]))


@login_required
@require_safe
def attachment(request: HttpRequest, number: str, sha256: str) -> FileResponse:
    """One photograph of a case that the reader may see."""
    case = _case(request, number)
    found = case.attachments.filter(sha256=sha256).first()
    if found is None:
        raise NotFound(_("There is no such photograph."))
    response = FileResponse(attachments.open_file(found), content_type=found.media_type)
    response["Cache-Control"] = "private, max-age=3600"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
