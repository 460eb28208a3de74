"""Pages of the audit administrator: what administrators did, who signed in, and whether the ledger is what it was. They
show nothing of a case but numbers of orders, and change nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.channels.administration.doors import (
    PAGE,
    asked,
    opens_for,
    page,
    paged,
    period,
    person,
)
from lucheng.core.labels import code_in
from lucheng.core.ledger import acts as register
from lucheng.core.ledger import verifications as proofs
from lucheng.core.ledger.models import Verification
from lucheng.core.organisation import signing_in
from lucheng.core.organisation.middleware import BY_ITSELF
from lucheng.core.organisation.models import SignIn
from lucheng.web import numbers
from lucheng.web.downloads import kept


def _before(request: HttpRequest) -> int | None:
    return numbers.whole(request.GET.get("before")) or None


def _query(shown: dict[str, str]) -> str:
    return urlencode({name: text for name, text in shown.items() if text})


# --- acts -----------------------------------------------------------------------------------------------------------


def _acts_asked(request: HttpRequest) -> tuple[register.Asked, dict[str, str], list[str]]:
    """What the address asks for, how its form shows it, and what of it was not understood."""
    shown = {name: asked(request, name) for name in ("person", "action", "object")}
    days = period(request, register.USUAL_PERIOD)
    wanted = register.Asked(
        person=shown["person"],
        action=shown["action"],
        object=code_in(shown["object"]),
        since=days.since,
        until=days.until,
    )
    return wanted, shown | days.shown, days.wrong


@opens_for(register.AUDIT, everywhere=True)
@require_safe
def acts(request: HttpRequest) -> HttpResponse:
    """The acts that fit, the newest first, a page at a time."""
    wanted, shown, wrong = _acts_asked(request)
    rows, following = register.page(register.find(wanted), _before(request), PAGE)
    context: dict[str, Any] = {
        "rows": [
            {
                "act": act,
                "who": register.whose(act),
                "words": register.words(act),
                "object": register.object_of(act),
                "details": register.said(act),
            }
            for act in rows
        ],
        "asked": shown,
        "wrong": wrong,
        "actions": [(code, action.words) for code, action in register.ACTIONS.items()],
        "console": register.CONSOLE,
        "query": _query(shown),
        "first": _before(request) is None,
        "following": following,
        "most": register.MOST_EXPORTED,
    }
    return page(request, "acts", context)


@opens_for(register.AUDIT, everywhere=True)
@require_safe
def acts_sheet(request: HttpRequest) -> HttpResponse:
    """The acts that fit, as an xlsx sheet. That it was taken is an act."""
    wanted, shown, _wrong = _acts_asked(request)
    response = kept(_("acts"), "xlsx", lambda file: register.export(register.find(wanted), file))
    with transaction.atomic():
        register.wrote("acts_exported", details={"filter": [name for name, text in shown.items() if text]})
    return response


# --- sign-ins -------------------------------------------------------------------------------------------------------


@opens_for(register.AUDIT, everywhere=True)
@require_safe
def sign_ins(request: HttpRequest) -> HttpResponse:
    """Who signed in and who was refused, the newest first, a page at a time."""
    shown = {name: asked(request, name) for name in ("person", "outcome", "address")}
    days = period(request, signing_in.USUAL_PERIOD)
    wanted = signing_in.Asked(**shown, since=days.since, until=days.until)
    rows, following = signing_in.page(signing_in.find(wanted), _before(request), PAGE)
    shown |= days.shown
    context: dict[str, Any] = {
        "rows": rows,
        "asked": shown,
        "wrong": days.wrong,
        "outcomes": SignIn.Outcome.choices,
        "query": _query(shown),
        "first": _before(request) is None,
        "following": following,
    }
    return page(request, "sign_ins", context)


# --- verifications --------------------------------------------------------------------------------------------------


@opens_for(register.AUDIT, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def verifications(request: HttpRequest) -> HttpResponse:
    """Every verification with what it found, and asking for one. While one is under way, the page asks again by
    itself."""
    if request.method == "POST":
        proofs.ask(person(request), files="files" in request.POST, now=timezone.now())
        messages.success(request, _("The worker verifies the ledger; this page says how far it is."))
        return HttpResponseRedirect(reverse("verifications"))
    running = proofs.under_way()
    tag = _tag(running)
    if request.headers.get("If-None-Match") == f'"{tag}"':
        return HttpResponseNotModified()
    context: dict[str, Any] = {
        "running": running,
        "share": _share(running),
        "tag": tag,
        "live": request.headers.get(BY_ITSELF) == "1",
        **paged(request, proofs.listed().exclude(state__in=("waiting", "running")), 20),
    }
    for row in context["rows"]:
        row.said = proofs.found_in(row)
    return page(request, "verifications", context)


def _share(row: Verification | None) -> int | None:
    """How far a verification is, in percent; None where it cannot be said."""
    return min(100, 100 * row.events // row.events_in_all) if row is not None and row.events_in_all else None


def _tag(row: Verification | None) -> str:
    return f"{row.pk}-{row.state}-{row.events}-{row.anchors}" if row is not None else "none"
