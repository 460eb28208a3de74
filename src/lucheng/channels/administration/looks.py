"""The data-protection officer's page: every look at sealed data, and days on which a unit looked unusually often."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lucheng.channels.administration.doors import PAGE, asked, opens_for, page, period
from lucheng.core.labels import code_in
from lucheng.core.ledger import acts
from lucheng.core.organisation.middleware import scope
from lucheng.core.privacy import looks as register
from lucheng.web import numbers
from lucheng.web.downloads import kept

TEXTS = ("person", "unit", "number", "reason")


def _wanted(request: HttpRequest) -> tuple[register.Asked, dict[str, str], list[str]]:
    """What the address asks for, how its form shows it, and what of it was not understood."""
    shown = {name: asked(request, name) for name in TEXTS}
    days = period(request, register.USUAL_PERIOD)
    wanted = register.Asked(
        person=shown["person"],
        unit=code_in(shown["unit"]),
        number=shown["number"],
        reason=shown["reason"],
        since=days.since,
        until=days.until,
    )
    return wanted, shown | days.shown, days.wrong


@opens_for(register.AUDIT)
@require_safe
def looks(request: HttpRequest) -> HttpResponse:
    """The looks that fit, the newest first, a page at a time."""
    wanted, shown, wrong = _wanted(request)
    visible = register.visible(scope(request))
    before = numbers.whole(request.GET.get("before")) or None
    rows, following = register.page(register.find(visible, wanted), before, PAGE)
    query = urlencode({name: text for name, text in shown.items() if text})
    context: dict[str, Any] = {
        "rows": [(look, register.words(look.fields)) for look in rows],
        "asked": shown,
        "wrong": wrong,
        "query": query,
        "first": before is None,
        "following": following,
        "unusual": register.unusual(visible, timezone.now()) if before is None else [],
        "rule": {"least": register.LEAST, "times": register.TIMES, "days": register.PAST_DAYS},
        "most": register.MOST_EXPORTED,
    }
    return page(request, "looks", context)


@opens_for(register.AUDIT)
@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """The looks that fit, as an xlsx sheet. That it was taken is noted."""
    wanted, shown, _wrong = _wanted(request)
    rows = register.find(register.visible(scope(request)), wanted)
    response = kept(_("looks"), "xlsx", lambda file: register.export(rows, file))
    with transaction.atomic():
        acts.wrote("looks_exported", details={"filter": [name for name, text in shown.items() if text]})
    return response
