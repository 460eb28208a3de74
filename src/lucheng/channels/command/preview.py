"""One case beside the list: what a decision needs, and the steps that can be taken without leaving the board."""

from __future__ import annotations

import uuid
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.channels.command.bulk import beside
from lucheng.channels.command.forms import ActionForm, unit_names
from lucheng.core.cases import engine, kinds, proposals, queries
from lucheng.core.cases.lifecycle import FIELDS, Transition
from lucheng.core.cases.models import Case, State
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Invalid, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import contacts
from lucheng.core.triage import classify, lookalikes, reply
from lucheng.web import numbers

#: Steps of the board's own day, each with its key; the others stand on the case page.
KEYS = {
    "dispatch": "o",
    "redispatch": "o",
    "uphold": "u",
    "grant_extension": "g",
    "refuse_extension": "f",
    "transfer": "h",
    "supervise": "s",
    "approve": "v",
    "send_back": "b",
    "end_supervision": "e",
}
#: What the board presets in the form of a step.
PRESET = {"transfer": {"target": "110"}}
#: Steps that ask nothing which must be answered: one press takes them.
AT_ONCE = ("approve",)


def find(reader: Scope, number: str) -> Case:
    """The case with this number, if the reader may see it. Raises NotFound."""
    rows = queries.visible(reader).select_related(
        "lead_unit", "handler", "main", "accused_unit", "contact", "alarm", "advice"
    )
    return queries.find(rows, number)


def requester(reader: Scope, case: Case) -> str:
    """Who asked, as far as a list may say it: a mask, never a name."""
    if not case.has_requester:
        return ""
    if case.anonymous:
        return _("anonymous")
    if case.confidential and not contacts.may_reveal(reader, case):
        return _("contact known to the hotline only")
    contact = getattr(case, "contact", None)
    if contact is None:
        return _("left no contact")
    return contact.phone_mask or _("no telephone number")


def _label(row: Transition) -> Any:
    match row.action:
        case "dispatch":
            return _("Name another unit")
        case "transfer":
            return _("Hand over to 110")
        case _:
            return row.name


def _steps(case: Case, reader: Scope) -> list[dict[str, Any]]:
    """The steps with a key, as the person may take them now."""
    found = []
    rows = [r for r in engine.actions_for(case, reader) if r.action in KEYS and r.action != "dispatch"]
    if (row := proposals.dispatch_row(case, reader)) is not None:
        rows.insert(0, row)
    for row in rows:
        query = "?" + urlencode(PRESET[row.action]) if row.action in PRESET else ""
        found.append(
            {
                "action": row.action,
                "key": KEYS[row.action],
                "label": _label(row),
                "at_once": row.action in AT_ONCE,
                "address": reverse("board-step", args=[case.number, row.action]) + query,
                "page": reverse("step", args=[case.number, row.action]) + query,
            }
        )
    return found


@login_required
@require_safe
def preview(request: HttpRequest, number: str) -> HttpResponse:
    """What stands beside the list while the focus is on the case's row."""
    if not beside(request):
        return HttpResponseRedirect(reverse("case", args=[number]))
    reader, now = scope(request), timezone.now()
    case = find(reader, number)
    proposal = proposals.of(case)
    mergeable = reader.allows("case.merge", case) and (
        case.state == State.MERGED or engine.row_for(case, "merge") is not None
    )
    said = {
        t.name: t.text for t in case.texts.order_by("id") if t.name in ("public_reply", "handling", "reason")
    }
    alike = []
    if case.state in proposals.WAITING:
        alike = lookalikes.of(case, case.content, scope_q=reader.q("case.view"), now=now, limit=3)
    context = {
        "case": case,
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "requester": requester(reader, case),
        "clocks": case.clocks.filter(state__in=[Clock.State.RUNNING, Clock.State.PAUSED]).order_by(
            "due_at", "id"
        ),
        "paused": Clock.State.PAUSED,
        "attachments": case.attachments.order_by("id")[:6],
        "proposal": proposal,
        "words": _moved(case, proposal),
        "may_dispatch": proposal is not None
        and reader.allows("case.dispatch", case)
        and (case.state != State.RECEIVED or reader.allows("case.accept", case)),
        "key": uuid.uuid4().hex,
        "alike": alike,
        "steps": _steps(case, reader),
        "mergeable": mergeable,
        "reply": said.get("public_reply", "") if case.state == State.REPLIED else "",
        "handling": said.get("handling", "") if case.state == State.REPLIED else "",
        "objection": said.get("reason", "") if case.state in (State.RETURN_REQ, State.EXTEND_REQ) else "",
        "findings": reply.check(said["public_reply"], case.content)
        if case.state == State.REPLIED and "public_reply" in said
        else [],
        "now": now,
    }
    return render(request, "command/preview.html", context)


def _moved(case: Case, proposal: proposals.Proposal | None) -> list[str]:
    """The words that moved the advice, where it is still the advice of the model in force."""
    if proposal is None or proposal.decided or not proposal.model:
        return []
    again = classify.propose_matter(case.content)
    if again.model_version != proposal.model or again.matter != proposal.matter:
        return []
    return [word for word, weight in again.words if weight > 0][:6]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """One step of the life cycle in a dialog over the board; on a page of its own where no script asks."""
    if not beside(request):
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponseRedirect(reverse("step", args=[number, action]) + query)
    reader = scope(request)
    try:
        case = find(reader, number)
        if action == "dispatch":
            row = proposals.dispatch_row(case, reader)
        else:
            row = next((r for r in engine.actions_for(case, reader) if r.action == action), None)
        form: ActionForm | None = None
        if request.method != "POST":
            if row is None:
                return JsonResponse(
                    {"why": _("This step is no longer open: the order has moved on.")}, status=409
                )
            proposal = proposals.of(case)
            given = {"matter": proposal.matter} if proposal is not None and proposal.matter else {}
            empty = ActionForm(row, case, given={**given, **request.GET.dict()})
            return _form(request, case, row, empty)
        if row is not None:
            form = ActionForm(row, case, request.POST)
        taken: dict[str, Any] = {
            "actor": cast(Person, request.user),
            "scope": reader,
            "version": numbers.whole(request.POST.get("version")),
            "now": timezone.now(),
        }
        entered = form.entered() if form is not None else {}
        if action == "dispatch":
            proposals.send(number, entered, **taken)
        else:
            engine.act(number, action, entered, **taken)
    except Invalid as e:
        if row is None or form is None:
            return JsonResponse({"why": str(e.detail)}, status=e.status)
        form.full_clean()
        for name, text in e.fields.items():
            form.errors.pop(name, None)
            form.add_error(name if name in form.fields else None, str(text))
        return _form(request, case, row, form, status=422)
    except Refused as e:
        return JsonResponse({"why": str(e.detail)}, status=e.status)
    label = row.name if row is not None else action
    return JsonResponse({"words": _("Done: %(action)s.") % {"action": label} + f" {case.title}"})


def _form(
    request: HttpRequest, case: Case, row: Transition, form: ActionForm, status: int = 200
) -> HttpResponse:
    asks_unit = any(FIELDS[n].kind in ("unit", "units") for n in (*row.needs, *row.takes))
    context = {
        "case": case,
        "row": row,
        "form": form,
        "units": unit_names(case) if asks_unit else [],
    }
    return render(request, "command/board_step.html", context, status=status)
