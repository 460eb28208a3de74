"""Editing one day of the calendar by hand, where a city knows before the next pack does."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from lucheng.core.clocks.calendar import FIRST, LAST
from lucheng.core.clocks.models import CalendarDay, CalendarYear
from lucheng.core.errors import Invalid, NotFound, Text
from lucheng.core.ledger import acts
from lucheng.core.revisions.snapshot import bump


def name_day(day: dt.date, working: bool, name: str) -> CalendarDay:
    """Make ``day`` a day off, or a working day at a weekend (调休), called ``name``.

    Clocks that are running keep the due time that stands on their order. Raises Invalid at ``day`` or ``name``.
    """
    name = name.strip()
    wrong: dict[str, Text] = {}
    if not FIRST < day < LAST:
        wrong["day"] = _("The calendar does not reach this day.")
    elif working and day.weekday() < 5:
        wrong["day"] = _("This day is a working day already: only a Saturday or Sunday can be made one.")
    if not name or len(name) > 40:
        wrong["name"] = _("Say in at most 40 characters why this day differs.")
    if wrong:
        raise Invalid(wrong)
    with transaction.atomic():
        bump("calendar")  # first: its row lock lets one change pass at a time
        year, _made = CalendarYear.objects.get_or_create(year=day.year)
        named, _made = CalendarDay.objects.update_or_create(
            day=day,
            defaults={"working": working, "name": name},
            create_defaults={"working": working, "name": name, "year": year},
        )
        acts.wrote("day_named", day.isoformat(), {"working": working})
    return named


def forget_day(day: dt.date) -> None:
    """Let ``day`` follow its weekday again. Raises NotFound where it does already."""
    with transaction.atomic():
        bump("calendar")
        if not CalendarDay.objects.filter(day=day).delete()[0]:
            raise NotFound(_("This day follows its weekday already."))
        acts.wrote("day_forgotten", day.isoformat())
