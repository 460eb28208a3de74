"""Today in figures over the API: the same counting as the command overview's, each with the address of its cases."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Router

from lucheng.channels.api import schemas as out
from lucheng.channels.api.work import matter, named, place, reader
from lucheng.core.cases import today
from lucheng.core.cases.queries import Filter
from lucheng.core.dispatch import matters
from lucheng.core.errors import Forbidden

router = Router(tags=["overview"])


def _rows(wanted: Filter) -> str:
    query = wanted.query()
    return "/api/v1/cases" + (f"?{query}" if query else "")


def _standing(places: Sequence[today.Place]) -> list[out.StandingOut]:
    return [
        out.StandingOut(
            place=place(p.code),
            open=p.open,
            overdue=p.overdue,
            rows=_rows(p.wanted),
            overdue_rows=_rows(p.wanted_overdue),
        )
        for p in places
    ]


@router.get("/overview", response=out.OverviewOut, summary="Today in figures")
def get_overview(request: HttpRequest) -> out.OverviewOut:
    """What came in, was done and stands open, for callers whose post reaches every case of a place; with what needs a
    decision, what is hot, and the last events. Ask again no more than once a second: nothing is counted more often."""
    who = reader(request)
    if not today.may_read(who):
        raise Forbidden(_("The overview is for posts that see every case of a place."))
    latest = today.latest(who)
    o = latest.overview
    return out.OverviewOut(
        as_of=latest.as_of,
        figures=[
            out.FigureOut(
                figure=n.figure.value, count=n.count, usual=n.usual, weeks=n.weeks, rows=_rows(n.wanted)
            )
            for n in o.numbers
        ],
        hours=[out.HourOut(hour=h.hour, count=h.count, usual=h.usual, rows=_rows(h.wanted)) for h in o.hours],
        counties=_standing(o.counties),
        townships=_standing(o.townships),
        needs=[
            out.NeedOut(
                rule=n.rule.value,
                number=n.number,
                place=place(n.place),
                matter=matter(n.matter),
                since=n.since,
                action=n.action,
                count=n.count,
                rows=_rows(n.wanted),
            )
            for n in o.needs
        ],
        hot=[
            out.HotOut(
                matter=named(h.matter, matters.name(h.matter)),
                count=h.count,
                of=h.of,
                usual=h.usual,
                hours=h.hours,
                rows=_rows(h.wanted),
            )
            for h in o.hot
        ],
        events=[
            out.HappenedOut(
                at=e.at, action=e.action, number=e.number, place=place(e.place), matter=matter(e.matter)
            )
            for e in o.events
        ],
    )
