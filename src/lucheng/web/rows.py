"""Clocks and cases in a list, the same everywhere.

Made in Python rather than by a template for each row: a list has fifty of them, and a template a row took longer than
all of its questions to the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from django.urls import reverse
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from lucheng.core.cases import kinds
from lucheng.core.cases.models import Case, State
from lucheng.core.dispatch import matters
from lucheng.core.places import names
from lucheng.web import words

#: What a list reads of each case: ``.select_related("lead_unit").only(*rows.SHOWN)``.
SHOWN = (
    "number",
    "version",
    "state",
    "kind",
    "due_at",
    "place",
    "matter",
    "title",
    "supervision",
    "lead_unit__name",
)

_HEAD = '<th scope="col" role="columnheader">%s</th>'
_BOX = '<td role="cell" class="select"><input type="checkbox" name="case" value="%s:%s" aria-label="%s"></td>'
_NO_BOX = '<td role="cell" class="select"></td>'


def clock(
    due: dt.datetime | None, now: dt.datetime, *, warn: dt.datetime | None = None, paused: bool = False
) -> SafeString:
    """How much time is left, by shape, word and colour; the exact time on hover and for screen readers."""
    reading = words.clock(due, now, warn=warn, paused=paused)
    shown = f'<span class="shape" aria-hidden="true">{reading.shape}</span>{escape(reading.words)}'
    if due is None:
        return mark_safe(f'<span class="clock none">{shown}</span>')
    exact = escape(_("due %(when)s") % {"when": words.exact(due)})
    comma = escape(_(", "))
    return mark_safe(
        f'<time class="clock {reading.state}" datetime="{due.isoformat(timespec="minutes")}" title="{exact}">'
        f'{shown}<span class="visually-hidden">{comma}{exact}</span></time>'
    )


def table(
    cases: Iterable[Case],
    now: dt.datetime,
    *,
    label: str,
    address: str = "",
    beside: Mapping[int, str | SafeString] | None = None,
    heading: str = "",
    select: bool | Collection[int] = False,
    yours: Collection[int] = (),
) -> SafeString:
    """Cases as rows: clock, place, matter, title, and the lead unit or where it stands.

    ``address`` is where a row leads, with ``0`` for the order's number: the case page, if not given. ``beside`` gives
    the last cell of some cases by id in place of the unit, ``heading`` its column's heading. With ``select`` each row
    begins with a checkbox named ``case`` whose value is ``number:version``; where it is a collection of ids, only those
    rows do. ``yours`` are the ids of cases that wait
    for the reader in person.

    Cases come with ``lead_unit``. Asks the database nothing.
    """
    before, _zero, after = (address or reverse("case", args=["0"])).rpartition("0")
    head = [_("Time limit"), _("Place"), _("Matter"), _("What about"), heading or _("Unit")]
    cells = "".join(_HEAD % escape(h) for h in head)
    if select is not False:
        word = escape(_("Select"))
        cells = _HEAD % f'<span class="visually-hidden">{word}</span>' + cells
    lines = []
    supervised, none_yet, choose = (
        escape(_("supervised")),
        escape(_("no category yet")),
        _("Select %(number)s"),
    )
    places: dict[str, str] = {}
    for case in cases:
        place = places.get(case.place)
        if place is None:
            place = places[case.place] = escape(names.place_name(case.place)) if case.place else ""
        last = (beside or {}).get(case.pk)
        if last is None:
            last = case.lead_unit.name if case.lead_unit is not None else state(case)
        flag = f'<span class="flag">{supervised}</span> ' if case.supervision else ""
        number = escape(case.number)
        box = ""
        if select is True or (select is not False and case.pk in select):
            box = _BOX % (number, case.version, escape(choose % {"number": case.number}))
        elif select is not False:
            box = _NO_BOX
        lines.append(
            f'<tr role="row"{" class=yours-row" if case.pk in yours else ""} id="case-{number}" data-number="{number}" '
            f'data-version="{case.version}">{box}'
            f'<td role="cell" class="time">{clock(case.due_at, now, paused=case.state == State.SUSPENDED)}</td>'
            f'<td role="cell" class="place" title="{place}">{place}</td>'
            f'<td role="cell" class="matter">{escape(matters.name(case.matter)) if case.matter else none_yet}</td>'
            f'<th role="rowheader" scope="row" class="title">{flag}<a href="{before}{number}{after}">'
            f"{escape(case.heading)}</a></th>"
            f'<td role="cell" class="unit soft">{conditional_escape(last)}</td></tr>'
        )
    return format_html(
        '<table class="cases" role="table" aria-label="{}"><thead role="rowgroup"><tr role="row">{}</tr></thead>'
        '<tbody role="rowgroup">{}</tbody></table>',
        label,
        mark_safe(cells),
        mark_safe("".join(lines)),
    )


def state(case: Case) -> str:
    """Where the case stands, in the words of its kind."""
    kind = kinds.KINDS.get(case.kind)
    return str(kind.state_name(case.state) if kind is not None else State(case.state).label)
