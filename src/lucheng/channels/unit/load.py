"""Work in hand, for sharing it out: by person in charge, by matter, by unit. What is open and due, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lucheng.core.cases import inbox as room
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden
from lucheng.core.organisation import people
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Unit
from lucheng.web import numbers


@login_required
@require_safe
def load(request: HttpRequest) -> HttpResponse:
    """The unit's open orders under each heading, in the order of names and codes."""
    reader, now = scope(request), timezone.now()
    if not reader.can("case.lead"):
        raise Forbidden(_("This page is for whoever shares out the work of a unit."))
    day = timezone.localdate(now)
    led = room.units(reader, "case.lead")
    units = room.load_by_unit(reader, now) if len(led) > 1 else []
    chosen = numbers.whole(request.GET.get("unit"))
    own = people.units_of(reader.person_id, "case.lead", day)
    unit = next((u for u in own if u.pk == chosen), own[0] if own else None)
    if chosen in led and (unit is None or unit.pk != chosen):
        unit = Unit.objects.get(pk=chosen)
    of = (unit.pk,) if unit is not None else ()
    by_person = {row.key: row for row in room.load_by_person(reader, of, now)}
    staff = people.handlers(of, day)
    # Who has left the unit and still has orders of its in hand.
    away = [k for k in by_person if k is not None and k not in {p.pk for p in staff}]
    if away:
        staff += list(Person.objects.filter(pk__in=away).order_by("name", "pk"))
    names = dict(Unit.objects.filter(pk__in=[row.key for row in units]).values_list("pk", "name"))
    people_rows: list[tuple[str, str, Any]] = [(_("nobody yet"), room.NOBODY, by_person.get(None))]
    people_rows += [(p.name, str(p.pk), by_person.get(p.pk)) for p in staff]
    context = {
        "unit": unit,
        "people": people_rows,
        "units": sorted(((names[int(r.key or 0)], r) for r in units), key=lambda pair: pair[0]),
        "matters": [
            (matters.name(str(r.key)) if r.key else _("no category yet"), r)
            for r in room.load_by_matter(reader, of, now)
        ],
    }
    return render(request, "unit/load.html", context)
