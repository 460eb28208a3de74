"""The unit's inbox: its orders by deadline, in trays, yours apart from your unit's; several signed for at once."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from lucheng.core.cases import engine
from lucheng.core.cases import inbox as room
from lucheng.core.cases.inbox import MINE, NOBODY, Tray, Wanted
from lucheng.core.cases.models import Case
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden, NotFound, Refused
from lucheng.core.organisation import people
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.web import addresses, numbers
from lucheng.web import rows as web_rows

PAGE = 50

TRAYS: dict[Tray, Any] = {
    Tray.TO_SIGN: gettext_lazy("To sign for"),
    Tray.IN_HAND: gettext_lazy("In hand"),
    Tray.SENT_BACK: gettext_lazy("Sent back to redo"),
    Tray.ASSIST: gettext_lazy("Asked to assist"),
    Tray.DECISION: gettext_lazy("Waiting for a decision"),
    Tray.SUSPENDED: gettext_lazy("Suspended"),
    Tray.REPLIED: gettext_lazy("Replied, under review"),
}

#: What may be done with several orders at once.
TOGETHER = ("sign", "assign")


def _wanted(request: HttpRequest) -> Wanted:
    """The filter in the address. Values that mean nothing are left out: a stale link shows more, not an error."""
    get = request.GET
    person = get.get("person", "")
    known = person in (MINE, NOBODY) or (person.isascii() and person.isdecimal() and len(person) < 19)
    return Wanted(
        tray=Tray(get["tray"]) if get.get("tray") in set(Tray) else None,
        person=person if known else "",
        place=get["place"] if names.exists(get.get("place", "")) else "",
        matter=get["matter"] if matters.exists(get.get("matter", "")) else "",
    )


def _reader(request: HttpRequest) -> Scope:
    reader = scope(request)
    if not reader.can("case.handle"):
        raise Forbidden(_("None of your posts handles orders of a unit."))
    return reader


def _beside(cases: list[Case], units: set[int]) -> dict[int, str]:
    """Where each stands and who is in charge; of an order of another unit, which unit leads it."""
    said = {}
    for case in cases:
        lead = case.lead_unit
        if lead is not None and lead.pk not in units:
            said[case.pk] = _("assist %(unit)s") % {"unit": lead.name}
        else:
            who = case.handler.name if case.handler is not None else _("nobody yet")
            said[case.pk] = f"{web_rows.state(case)} · {who}"
    return said


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for the unit, overdue on top."""
    reader, now = _reader(request), timezone.now()
    wanted = _wanted(request)
    page = numbers.page(request, 1000 // PAGE)
    rows = (
        room.listed(reader, wanted)
        .select_related("lead_unit", "handler")
        .only(*web_rows.SHOWN, "handler__name")
    )
    if wanted.person:
        yours, others = [], list(rows[(page - 1) * PAGE : page * PAGE + 1])
    else:
        yours = list(rows.filter(handler=reader.person_id)[: PAGE + 1])
        others = list(rows.exclude(handler=reader.person_id)[(page - 1) * PAGE : page * PAGE + 1])
    kept = {k: v for k, v in request.GET.items() if k != "page"}

    def address(**changes: object) -> str:
        return "?" + urlencode({k: v for k, v in {**kept, **changes}.items() if v not in ("", None)})

    counts = room.counts(reader)
    own = people.units_of(reader.person_id, "case.handle", timezone.localdate(now))
    context = {
        "wanted": wanted,
        "to_do": sum(counts[t] for t in room.TO_DO),
        "trays": [(t.value, TRAYS[t], counts[t], t is wanted.tray) for t in TRAYS],
        "yours": yours[:PAGE],
        "more_yours": address(person=MINE) if len(yours) > PAGE else "",
        "rows": others[:PAGE],
        "beside": _beside(yours + others, set(room.units(reader))),
        "row_address": reverse("unit-case", args=["0"]),
        "previous": address(page=page - 1) if page > 1 else "",
        "following": address(page=page + 1) if len(others) > PAGE and page * PAGE < 1000 else "",
        "people": people.handlers([u.pk for u in own], timezone.localdate(now)),
        "person": int(wanted.person) if wanted.person.isdecimal() else None,
        "places": _places(reader),
        "matters": [(code, matters.name(code)) for code in matters.known() if len(code) == 2],
        "leads": reader.can("case.lead"),
        "filtered": bool(wanted.person or wanted.place or wanted.matter),
        "here": request.get_full_path(),
    }
    return render(request, "unit/inbox.html", context)


def _places(reader: Scope) -> list[tuple[str, str]]:
    """The divisions directly below the places of the reader's posts, for the filter."""
    roots = sorted({g.place for g in reader.grants if "case.handle" in g.capabilities})
    return [(p.code, p.name) for root in roots for p in names.children(root)]


@login_required
@require_POST
def together(request: HttpRequest, action: str) -> HttpResponse:
    """Sign for several orders, or hand them to one person: each a step of its own, told one by one."""
    reader, now = _reader(request), timezone.now()
    if action not in TOGETHER:
        raise NotFound(_("There is no such step."))
    fields = {"person": request.POST.get("person", "")} if action == "assign" else {}
    chosen = [v.partition(":")[::2] for v in request.POST.getlist("case")[: PAGE * 2]]
    done = 0
    refused: list[tuple[str, Any]] = []
    for number, version in chosen:
        try:
            engine.act(
                number,
                action,
                fields,
                actor=cast(Person, request.user),
                scope=reader,
                version=numbers.whole(version),
                now=now,
            )
            done += 1
        except Refused as e:
            refused.append((number[:20], e.detail))
    if not chosen:
        messages.error(request, _("Choose at least one order: tick its box, or go to it with j and k."))
    if done:
        said_done = (
            ngettext("%(n)s order signed for.", "%(n)s orders signed for.", done)
            if action == "sign"
            else ngettext("%(n)s order handed over.", "%(n)s orders handed over.", done)
        )
        messages.success(request, said_done % {"n": done})
    for number, why in refused:
        messages.error(request, f"{number}: {why}")
    return HttpResponseRedirect(addresses.ours(request.POST.get("next", ""), reverse("inbox")))


@login_required
@require_safe
def following(request: HttpRequest, number: str) -> HttpResponse:
    """To the next order that waits, or back to the inbox where none does."""
    found = room.following(_reader(request), number)
    if found is None:
        messages.info(request, _("That was the last one that waits for you."))
        return HttpResponseRedirect(reverse("inbox"))
    return HttpResponseRedirect(reverse("unit-case", args=[found]))
