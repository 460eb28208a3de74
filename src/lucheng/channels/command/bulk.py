"""Dispatching as proposed: one order or many, each in a transaction of its own, answered row by row."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from lucheng.core.cases import proposals, queries
from lucheng.core.cases.models import Case
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden, Invalid, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.web import addresses
from lucheng.web.rows import SHOWN

#: So many orders at once: two full pages of the board.
MOST = 100


def beside(request: HttpRequest) -> bool:
    """Whether the board's own script asks, which puts the answer into the page that is open."""
    return request.headers.get("X-Board") == "1"


def back(request: HttpRequest) -> str:
    """The board as it was, from the form; the whole board where the form names anything else."""
    board = reverse("board")
    address = addresses.ours(request.POST.get("back", "") or request.GET.get("back", ""), board)
    return address if address.startswith(board) else board


def _chosen(request: HttpRequest) -> dict[str, tuple[int, int]]:
    """The orders that a form names, each once: number to version and unit seen. Raises Invalid at too many."""
    found: dict[str, tuple[int, int]] = {}
    for value in request.POST.getlist("case"):
        parts = value.split(":")
        if all(p.isascii() and p.isdecimal() and len(p) < 19 for p in parts[:3]) and 2 <= len(parts) <= 3:
            found[parts[0]] = (int(parts[1]), int(parts[2]) if len(parts) == 3 else 0)
    if not found:
        raise Invalid({"case": _("Select at least one order.")})
    if len(found) > MOST:
        raise Invalid({"case": _("Select no more than %(n)s orders at once.") % {"n": MOST}})
    return found


def _dispatcher(request: HttpRequest) -> Scope:
    reader = scope(request)
    if not reader.can("case.dispatch"):
        raise Forbidden(_("None of your posts dispatches orders."))
    return reader


@dataclass(frozen=True)
class Offered:
    """One order in the confirmation."""

    case: Case
    unit: int
    matter: Any
    advised: bool
    why: Any


@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """The selected orders by the unit to which they would go; those without a certain proposal apart, with why."""
    reader = _dispatcher(request)
    chosen = _chosen(request)
    cases = {
        case.number: case
        for case in queries.visible(reader)
        .filter(number__in=chosen)
        .select_related("lead_unit", "advice")
        .only(*SHOWN, *proposals.READ)
        .order_by("due_at", "id")
    }
    by_unit: dict[str, list[Offered]] = {}
    left: list[tuple[str, str, Any]] = []
    for number, case in cases.items():
        proposal = proposals.of(case)
        if proposal is None:
            left.append((number, case.title, _("It no longer waits for dispatch.")))
        elif proposal.decision is None or proposal.doubt:
            left.append((number, case.title, proposal.doubt))
        else:
            decision = proposal.decision
            by_unit.setdefault(decision.lead_unit_name, []).append(
                Offered(
                    case,
                    decision.lead_unit_id,
                    matters.name(proposal.matter),
                    not proposal.decided,
                    decision.reason(),
                )
            )
    left += [(n, "", _("You cannot see this order.")) for n in chosen if n not in cases]
    context = {
        "by_unit": sorted(by_unit.items()),
        "left": left,
        "many": sum(len(some) for some in by_unit.values()),
        "key": uuid.uuid4().hex,
        "back": back(request),
    }
    return render(request, "command/bulk_form.html" if beside(request) else "command/bulk.html", context)


@login_required
@require_POST
def dispatch(request: HttpRequest) -> HttpResponse:
    """Dispatch each named order as it was proposed. What changed meanwhile is left out, in words; the others go."""
    reader = _dispatcher(request)
    chosen = _chosen(request)
    key = request.POST.get("key", "")[:40]
    done: list[dict[str, str]] = []
    left: list[dict[str, str]] = []
    for number, (version, unit) in chosen.items():
        try:
            case = proposals.dispatch(
                number,
                unit=unit,
                actor=cast(Person, request.user),
                scope=reader,
                version=version,
                now=timezone.now(),
                key=f"{key}:{number}" if key else None,
            )
        except Refused as e:
            left.append({"number": number, "why": str(e.detail)})
        else:
            name = case.lead_unit.name if case.lead_unit is not None else ""
            done.append({"number": number, "unit": name, "title": case.title})
    if len(done) == 1:
        words = _("Dispatched to %(unit)s: %(title)s") % done[0]
    else:
        words = _("%(n)s orders dispatched.") % {"n": len(done)} if done else ""
    if beside(request):
        return JsonResponse({"words": words, "done": done, "left": left})
    context = {"done": done, "left": left, "words": words, "back": back(request)}
    return render(request, "command/bulk_done.html", context)
