"""The board: cases by clock, in the queues in which they wait for somebody."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from lucheng.core.cases import kinds, queries
from lucheng.core.cases.models import State, Urgency
from lucheng.core.cases.queries import Filter, Happened, Queue
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.places import names
from lucheng.web.rows import SHOWN

PAGE = 50

QUEUES: dict[Queue, Any] = {
    Queue.NEW: gettext_lazy("To dispatch"),
    Queue.NO_RULE: gettext_lazy("No rule"),
    Queue.RETURNS: gettext_lazy("Returns and extensions"),
    Queue.TO_SIGN: gettext_lazy("To sign"),
    Queue.IN_HAND: gettext_lazy("In hand"),
    Queue.REVIEW: gettext_lazy("To review"),
    Queue.CALLBACK: gettext_lazy("To call back"),
    Queue.TO_CLOSE: gettext_lazy("To close"),
    Queue.DUE_TODAY: gettext_lazy("Due today"),
    Queue.OVERDUE: gettext_lazy("Overdue"),
    Queue.SUPERVISED: gettext_lazy("Supervised"),
    Queue.APPEALS: gettext_lazy("Appeals"),
}

HAPPENED: dict[Happened, Any] = {
    Happened.RECEIVED: gettext_lazy("Came in"),
    Happened.ANSWERED: gettext_lazy("Came in and was answered at once"),
    Happened.DISPATCHED: gettext_lazy("First dispatched"),
    Happened.CLOSED: gettext_lazy("Was closed"),
}


def counted(number: int) -> str:
    """A count as lists show it.

    >>> counted(12), counted(1001)
    ('12', '1,000+')
    """
    return f"{number:,}" if number <= queries.COUNT_LIMIT else f"{queries.COUNT_LIMIT:,}+"


def _wanted(request: HttpRequest) -> Filter:
    """The filter in the address. Values that mean nothing are left out: a stale link shows more, not an error."""
    get = request.GET
    happened = Happened(get["happened"]) if get.get("happened") in set(Happened) else None
    return Filter(
        queue=Queue(get["queue"]) if get.get("queue") in set(Queue) else None,
        state=get["state"] if get.get("state") in State.values else "",
        kind=get["kind"] if get.get("kind") in kinds.KINDS else "",
        place=get["place"] if names.exists(get.get("place", "")) else "",
        matter=get.get("matter", "") if get.get("matter", "").isdecimal() else "",
        unit=int(get["unit"]) if get.get("unit", "").isdecimal() and len(get["unit"]) < 19 else None,
        number=number if (number := get.get("number", "").strip()).isdecimal() else "",
        urgency=get["urgency"] if get.get("urgency") in Urgency.values else "",
        happened=happened,
        since=_moment(get.get("since", "")) if happened else None,
        until=_moment(get.get("until", "")) if happened else None,
        open_only=get.get("all") != "1" and not number and happened is None,
    )


def _moment(text: str) -> dt.datetime | None:
    """A moment of the city's time in an address: 2026-03-02T09:30."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return timezone.make_aware(moment) if moment.tzinfo is None else moment
    except (ValueError, OverflowError):
        return None


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Cases by clock: queues with their counts, and the rows of one queue."""
    reader, now = scope(request), timezone.now()
    if not reader.can("case.view"):
        raise Forbidden(_("None of your posts shows cases."))
    wanted = _wanted(request)
    page = int(request.GET["page"]) if request.GET.get("page", "").isdecimal() else 1
    page = max(1, min(page, queries.COUNT_LIMIT // PAGE))
    rows = queries.listed(reader, wanted, now).select_related("lead_unit").only(*SHOWN)
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    kept = {k: v for k, v in request.GET.items() if k != "page"}

    def address(number: int) -> str:
        return "?" + urlencode({**kept, "page": number})

    counts = queries.queue_counts(reader, now)
    if wanted.queue is not None and wanted == Filter(queue=wanted.queue):
        many = counts[wanted.queue]  # the whole queue has been counted already
    else:
        many = queries.count(queries.listed(reader, wanted, now))
    context = {
        "rows": found[:PAGE],
        "wanted": wanted,
        "queues": [(q.value, QUEUES[q], counted(counts[q]), q is wanted.queue) for q in QUEUES],
        "counties": [(p.code, p.name) for p in names.children(names.root()) if reader_sees(reader, p.code)],
        "states": State.choices,
        "happened": HAPPENED[wanted.happened] if wanted.happened is not None else "",
        "urgency": Urgency(wanted.urgency).label if wanted.urgency else "",
        "previous": address(page - 1) if page > 1 else "",
        "following": address(page + 1) if len(found) > PAGE and page * PAGE < queries.COUNT_LIMIT else "",
        "count": _("%(count)s cases") % {"count": counted(many)},
    }
    return render(request, "command/board.html", context)


def reader_sees(reader: Scope, place: str) -> bool:
    """Whether any post reaches into the place: for offering it as a filter."""
    return any(place.startswith(g.place) or g.place.startswith(place) for g in reader.grants)
