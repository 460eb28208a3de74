"""Pages of the data-protection officer: what was proposed to destroy, approving it, holding it back. They list order
numbers, kinds and dates, and open no case."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import opens_for, page, paged, person, refused
from lucheng.channels.administration.forms import HoldForm
from lucheng.core.cases.kinds import KINDS
from lucheng.core.errors import Conflict, Forbidden, Invalid, Refused
from lucheng.core.privacy import retention
from lucheng.core.privacy.models import RetentionBatch, RetentionItem, What
from lucheng.postgresql.context import everything
from lucheng.web import numbers

State = RetentionBatch.State

_deciding = everything("what is to be destroyed: numbers, kinds and days of cases, for whoever decides on it")


def kind_name(code: str) -> str:
    kind = KINDS.get(code)
    return str(kind.name) if kind is not None else code


@opens_for(retention.CAPABILITY, everywhere=True)
@require_safe
@_deciding
def batches(request: HttpRequest) -> HttpResponse:
    """The rules in force and the batches made by them, the one that waits first."""
    edition = retention.in_force()
    rows = list(edition.rules.order_by("kind", "what", "matter")) if edition is not None else []
    context: dict[str, Any] = {
        "edition": edition,
        "rules": [(kind_name(r.kind), What(r.what).label, r) for r in rows],
        **paged(request, retention.batches()),
    }
    context["waiting"] = next((b for b in context["rows"] if b.state == State.PROPOSED), None)
    return page(request, "retention", context)


@opens_for(retention.CAPABILITY, everywhere=True)
@require_safe
@_deciding
def batch(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: how many of which kind, and each order by its number."""
    return _show(request, pk)


def _show(request: HttpRequest, pk: int, *, wrong: Refused | None = None, status: int = 200) -> HttpResponse:
    found = get_object_or_404(retention.batches(), pk=pk)
    counts = [
        {**c, "kind": kind_name(c["kind"]), "what": What(c["what"]).label} for c in retention.counts(found)
    ]
    left = retention.to_destroy(found)
    items = found.items.select_related("rule").order_by("kind", "closed_at", "id")
    context = {
        "batch": found,
        "counts": counts,
        "to_destroy": left,
        "waits": found.state == State.PROPOSED,
        "may_hold": found.state in (State.PROPOSED, State.APPROVED) and left,
        "own_rules": found.edition.made_by_id == person(request).pk,
        "held": RetentionItem.State.HELD,
        "proposed": RetentionItem.State.PROPOSED,
        "wrong": [str(text) for text in wrong.fields.values()]
        if isinstance(wrong, Invalid)
        else [str(wrong.detail)]
        if wrong is not None
        else [],
        "reason": request.POST.get("reason", "")[:400],
        "chosen": set(request.POST.getlist("item")),
        **paged(request, items),
    }
    for item in context["rows"]:
        item.kind_name, item.chosen = kind_name(item.kind), str(item.pk) in context["chosen"]
    return page(request, "retention_batch", context, status=status)


@opens_for(retention.CAPABILITY, everywhere=True)
@require_POST
@_deciding
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a batch be destroyed by the worker."""
    try:
        retention.approve(
            pk, person=person(request), seen=numbers.whole(request.POST.get("seen"), -1), now=timezone.now()
        )
    except (Conflict, Forbidden) as late:
        return _show(request, pk, wrong=late, status=late.status)
    messages.success(
        request, _("Approved. The worker destroys it within minutes; this page says how far it is.")
    )
    return HttpResponseRedirect(reverse("retention-batch", args=[pk]))


@opens_for(retention.CAPABILITY, everywhere=True)
@require_POST
@_deciding
def hold_items(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold the chosen orders of a batch back."""
    chosen = [n for text in request.POST.getlist("item") if (n := numbers.whole(text))]
    try:
        count = retention.hold_items(
            pk, chosen, reason=request.POST.get("reason", ""), person=person(request), now=timezone.now()
        )
    except (Invalid, Conflict) as wrong:
        return _show(request, pk, wrong=wrong, status=wrong.status)
    text = ngettext("%(n)s order is held.", "%(n)s orders are held.", count)
    messages.success(request, text % {"n": count})
    return HttpResponseRedirect(reverse("retention-batch", args=[pk]))


@opens_for(retention.CAPABILITY, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
@_deciding
def holds(request: HttpRequest) -> HttpResponse:
    """Every hold, and placing one by the order's number."""
    form = HoldForm(request.POST or None)
    if form.is_valid():
        entered = form.cleaned_data
        try:
            retention.hold(
                entered["number"], reason=entered["reason"], person=person(request), now=timezone.now()
            )
        except Invalid as wrong:
            refused(form, wrong)
        except Conflict as late:
            form.add_error("number", str(late.detail))
        else:
            messages.success(request, _("This order is held back."))
            return HttpResponseRedirect(reverse("retention-holds"))
    context = {"form": form, **paged(request, retention.holds())}
    return page(request, "retention_holds", context, status=422 if form.errors else 200)


@opens_for(retention.CAPABILITY, everywhere=True)
@require_POST
@_deciding
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold."""
    try:
        retention.lift(pk, reason=request.POST.get("reason", ""), person=person(request), now=timezone.now())
    except Invalid as wrong:
        messages.error(request, str(wrong.detail))
    else:
        messages.success(request, _("The hold is lifted. What is due is proposed again."))
    return HttpResponseRedirect(reverse("retention-holds"))
