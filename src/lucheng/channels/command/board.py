"""The board: cases by clock, in the queues in which they wait for somebody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from lucheng.core.cases import kinds, proposals, queries
from lucheng.core.cases.models import State, Urgency
from lucheng.core.cases.queries import Filter, Happened, Queue
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Unit
from lucheng.core.places import names
from lucheng.web import numbers
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


#: Queues in which a case waits for its unit: the last cell of their rows is the unit proposed.
TO_DISPATCH = (Queue.NEW, Queue.NO_RULE)


@dataclass(frozen=True)
class Wanted:
    """The filter in an address, and what of it was not understood."""

    filter: Filter
    unit_name: str = ""
    unknown_unit: str = ""


def _unit(text: str) -> Unit | None:
    """The one active unit that the words mean: by its number or code, its whole name, or a part of it that only one
    unit has."""
    units = Unit.objects.filter(active=True)
    if text.isdecimal() and len(text) < 19:
        return units.filter(pk=int(text)).first()
    if "\0" in text:
        return None
    exact = units.filter(Q(name=text) | Q(code=text)).first()
    some = [exact] if exact is not None else list(units.filter(name__icontains=text)[:2])
    return some[0] if len(some) == 1 else None


def _wanted(request: HttpRequest) -> Wanted:
    """The filter in the address. Values that mean nothing are left out: a stale link shows more, not an error."""
    get = request.GET
    named = get.get("unit", "").strip()[:80]
    unit = _unit(named) if named else None
    number = number if (number := get.get("number", "").strip()).isdecimal() else ""
    happened = Happened(get["happened"]) if get.get("happened") in set(Happened) else None
    return Wanted(
        Filter(
            queue=Queue(get["queue"]) if get.get("queue") in set(Queue) else None,
            state=get["state"] if get.get("state") in State.values else "",
            kind=get["kind"] if get.get("kind") in kinds.KINDS else "",
            place=get["place"] if names.exists(get.get("place", "")) else "",
            matter=get["matter"] if matters.exists(get.get("matter", "")) else "",
            unit=unit.pk if unit is not None else None,
            number=number,
            urgency=get["urgency"] if get.get("urgency") in Urgency.values else "",
            happened=happened,
            since=_moment(get.get("since", "")) if happened else None,
            until=_moment(get.get("until", "")) if happened else None,
            open_only=get.get("all") != "1" and not number and happened is None,
        ),
        unit.name if unit is not None else named,
        named if named and unit is None else "",
    )


def _moment(text: str) -> dt.datetime | None:
    """A moment of the city's time in an address: 2026-03-02T09:30."""
    try:
        moment = dt.datetime.fromisoformat(text)
        return timezone.make_aware(moment) if moment.tzinfo is None else moment
    except (ValueError, OverflowError):
        return None


def _reader(request: HttpRequest) -> Scope:
    reader = scope(request)
    if not reader.can("case.view"):
        raise Forbidden(_("None of your posts shows cases."))
    return reader


def proposed(proposal: proposals.Proposal) -> SafeString:
    """The last cell of a case that waits for dispatch: the unit, on hover why; or what is in doubt."""
    if proposal.decision is None or proposal.doubt:
        return format_html('<span title="{}">{}</span>', proposal.doubt, _("to be looked at"))
    unit = proposal.decision.lead_unit_name
    words = unit if proposal.decided else f"{unit} · {matters.name(proposal.matter)}"
    return format_html('<span title="{}">{}</span>', proposal.decision.reason(), words)


def _live(request: HttpRequest, reader: Scope, wanted: Wanted) -> dict[str, Any]:
    """What changes by itself: the queues with their counts, and one page of rows."""
    now, asked = timezone.now(), wanted.filter
    page = numbers.page(request, queries.COUNT_LIMIT // PAGE)
    rows = queries.listed(reader, asked, now).select_related("lead_unit", "advice")
    found = list(rows.only(*SHOWN, *proposals.READ)[(page - 1) * PAGE : page * PAGE + 1])
    kept = {k: v for k, v in request.GET.items() if k != "page" and v}

    def address(**changed: object) -> str:
        return "?" + urlencode({k: v for k, v in {**kept, **changed}.items() if v})

    counts = queries.queue_counts(reader, now, wanted=asked)
    if asked.queue is not None and not asked.state:
        many = counts[asked.queue]  # the whole queue has been counted already
    else:
        many = queries.count(queries.listed(reader, asked, now))
    shown = found[:PAGE]
    waiting = {case.pk: p for case in shown if (p := proposals.of(case)) is not None}
    may_dispatch = reader.can("case.dispatch") and reader.can("case.accept")
    certain = {pk for pk, p in waiting.items() if p.certain} if may_dispatch else set()
    return {
        "now": now,
        "rows": shown,
        "beside": {pk: proposed(p) for pk, p in waiting.items()},
        "heading": _("Proposed unit") if asked.queue in TO_DISPATCH else "",
        "select": certain if certain else False,
        "certain": len(certain),
        "queues": [
            (q.value, QUEUES[q], numbers.counted(counts[q]), q is asked.queue, address(queue=q.value))
            for q in QUEUES
        ],
        "all_open": address(queue=""),
        "all_is_current": asked.queue is None,
        "previous": address(page=page - 1) if page > 1 else "",
        "following": address(page=page + 1)
        if len(found) > PAGE and page * PAGE < queries.COUNT_LIMIT
        else "",
        "count": _("%(count)s cases") % {"count": numbers.counted(many)},
        "here": reverse("board") + (f"?{request.GET.urlencode()}" if request.GET else ""),
    }


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Cases by clock: queues with their counts, the rows of one queue, and one case beside them."""
    reader = _reader(request)
    wanted = _wanted(request)
    asked = wanted.filter
    narrowed = [asked.place, asked.state, asked.kind, asked.matter, asked.unit, asked.number]
    return render(
        request,
        "command/board.html",
        {
            **_live(request, reader, wanted),
            "wanted": asked,
            "happened": HAPPENED[asked.happened] if asked.happened is not None else "",
            "urgency": Urgency(asked.urgency).label if asked.urgency else "",
            "unit_name": wanted.unit_name,
            "unknown_unit": wanted.unknown_unit,
            "narrowed": any(narrowed) or not asked.open_only or bool(wanted.unknown_unit),
            "places": _places(reader, asked.place),
            "matters": _matters(asked.matter),
            "kinds": [(k.code, k.name) for k in kinds.KINDS.values()],
            "states": State.choices,
            "query": request.GET.urlencode(),
        },
    )


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The part of the board that refreshes by itself."""
    reader = _reader(request)
    return render(request, "command/board_live.html", _live(request, reader, _wanted(request)))


def _places(reader: Scope, chosen: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Counties with their townships, as far as the reader's posts reach; and the place chosen, if it is smaller."""
    found = []
    for county in names.children(names.root()):
        if not reader_sees(reader, county.code):
            continue
        townships = [(p.code, p.name) for p in names.children(county.code) if reader_sees(reader, p.code)]
        if chosen.startswith(county.code) and chosen not in (county.code, *(code for code, _n in townships)):
            townships.append((chosen, names.place_name(chosen)))
        found.append((county.code, county.name, townships))
    return found


def _matters(chosen: str) -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    """Large classes with their middle ones; and the class chosen, if it is smaller."""
    groups: dict[str, list[tuple[str, Any]]] = {}
    for code in sorted(matters.known()):
        if len(code) == 2:
            groups[code] = []
        elif len(code) == 4 or code == chosen:
            groups.setdefault(code[:2], []).append((code, matters.name(code)))
    return [(large, matters.name(large), middle) for large, middle in groups.items()]


def reader_sees(reader: Scope, place: str) -> bool:
    """Whether any post reaches into the place: for offering it as a filter."""
    return any(place.startswith(g.place) or g.place.startswith(place) for g in reader.grants)
