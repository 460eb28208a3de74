"""Times as people say them. Pure: the moment it is now is passed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def figure(value: float) -> str:
    """A figure with its thousands apart, and at most one place behind the point.

    >>> figure(1204), figure(3.5), figure(2.0), figure(0.04)
    ('1,204', '3.5', '2', '0')
    """
    return f"{value:,.1f}".removesuffix(".0")


def language() -> str:
    """The language in which whoever asks is answered: ``en`` or ``zh``."""
    return "en" if (get_language() or "").startswith("en") else "zh"


def duration(length: dt.timedelta) -> str:
    """A length of time in its largest whole unit: "2 days", "3 hours", "25 minutes", "less than a minute"."""
    if length >= DAY:
        return ngettext("%(n)s day", "%(n)s days", length // DAY) % {"n": length // DAY}
    if length >= HOUR:
        return ngettext("%(n)s hour", "%(n)s hours", length // HOUR) % {"n": length // HOUR}
    if length >= MINUTE:
        return ngettext("%(n)s minute", "%(n)s minutes", length // MINUTE) % {"n": length // MINUTE}
    return _("less than a minute")


def exact(moment: dt.datetime) -> str:
    """Date, weekday and minute in full, for hovering and for screen readers."""
    return _exact(timezone.localtime(moment), get_language())


@lru_cache(4096)  # a list has many due times, and most fall on the same ends of days
def _exact(local: dt.datetime, language: str | None) -> str:
    return _("%(date)s (%(weekday)s) %(time)s") % {
        "date": date_format(local, _("F j, Y")),
        "weekday": date_format(local, "l"),
        "time": local.strftime("%H:%M"),
    }


def when(moment: dt.datetime, now: dt.datetime) -> str:
    """A moment as people say it: today, yesterday and tomorrow by name, this year without the year."""
    local, today = timezone.localtime(moment), timezone.localtime(now)
    clock = local.strftime("%H:%M")
    days = (local.date() - today.date()).days
    if days == 0:
        return _("today %(time)s") % {"time": clock}
    if days == -1:
        return _("yesterday %(time)s") % {"time": clock}
    if days == 1:
        return _("tomorrow %(time)s") % {"time": clock}
    form = _("F j") if local.year == today.year else _("F j, Y")
    return _("%(date)s %(time)s") % {"date": date_format(local, form), "time": clock}


@dataclass(frozen=True)
class Reading:
    """What a clock shows: how it stands (a CSS class), its shape, and its words."""

    state: str
    shape: str
    words: str


def clock(
    due: dt.datetime | None, now: dt.datetime, *, warn: dt.datetime | None = None, paused: bool = False
) -> Reading:
    """Read a clock that is due at ``due``: "soon" from ``warn`` on, or within the last day where none is given."""
    if due is None:
        return Reading("none", "–", _("no limit"))
    if paused:
        return Reading("paused", "‖", _("paused"))
    if now > due:
        return Reading("overdue", "■", _("overdue by %(duration)s") % {"duration": duration(now - due)})
    state, shape = ("soon", "▲") if now >= (warn or due - DAY) else ("on-time", "●")
    return Reading(state, shape, _("%(duration)s left") % {"duration": duration(due - now)})
