"""What may be tried only so often: signing in, reporting, looking up a code, asking for a one-time code and trying one.

A try is counted before it is carried out: of many at the same moment no more than the limit get through, and a process
that dies in between leaves a try too many, never one too few. How often and for how long stands in ``settings.LIMITS``.
Each limit looks back over its own length of time, so nothing has to unlock. What is limited is one row of the database,
with a keyed digest for its name: the count holds for every process, outlives a restart, and says nothing of anybody.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Refused
from lucheng.core.limits.models import Tally


class Limited(Refused):
    """Too many tries. ``until`` is when one more is allowed, ``seconds`` how long that is from now."""

    status, slug = 429, "limited"
    title = _("Too many tries")

    def __init__(self, until: dt.datetime, now: dt.datetime) -> None:
        super().__init__(
            format_lazy(_("This was tried too often. Try again at {time}."), time=moment(until, now))
        )
        self.until = until
        self.seconds = max(1, -int((now - until).total_seconds() // 1))


class Try(NamedTuple):
    """One try: under which entry of ``settings.LIMITS``, and of what."""

    limit: str
    value: str


def by_address(limit: str, address: str) -> Try:
    """A try from a network address; of version 6 the /64 it lies in counts, since one line has as many of those
    addresses as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return Try(limit, address)
    return Try(limit, str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False)))


def moment(until: dt.datetime, now: dt.datetime) -> str:
    """When to come back, as a person reads it; rounded up, so that the door is open at the minute that is named."""
    opens = timezone.localtime(until + dt.timedelta(minutes=1))
    return f"{opens:%H:%M}" if opens.date() == timezone.localdate(now) else f"{opens:%Y-%m-%d %H:%M}"


def _key(one: Try) -> bytes:
    return salted_hmac(f"lucheng.limits.{one.limit}", one.value, algorithm="sha256").digest()


# The row is locked by whoever inserts or updates it: the next one waits, and sees what was counted.
_COUNT = """
insert into limits_tally as t (key, at, until) values (%(key)s, array[%(now)s::timestamptz], %(until)s)
on conflict (key) do update set
    at = array(select a from unnest(t.at) a where a > %(since)s order by a) || excluded.at,
    until = excluded.until
where (select count(*) from unnest(t.at) a where a > %(since)s) < %(most)s"""
_GIVE_BACK = "update limits_tally set at = trim_array(at, 1) where key = %s and cardinality(at) > 0"


def _opens(one: Try, now: dt.datetime) -> dt.datetime | None:
    """When one more try is allowed, None for now: once the last but so many is old enough."""
    most, within = settings.LIMITS[one.limit]
    found = Tally.objects.filter(key=_key(one)).values_list("at", flat=True).first() or []
    recent = sorted(at for at in found if at > now - within)
    return recent[-most] + within if len(recent) >= most else None


def closed(now: dt.datetime, *tries: Try) -> dt.datetime | None:
    """Until when one of these tries is closed; None where all are open. Nothing is counted."""
    return max((until for one in tries if (until := _opens(one, now)) is not None), default=None)


def count(now: dt.datetime, *tries: Try) -> dt.datetime | None:
    """Count one thing that is tried, under each of its limits. Where one of them is closed: until when, and nothing is
    counted."""
    refused = False
    with transaction.atomic(), connection.cursor() as cursor:
        # In one order for everybody, so that two tries never wait for each other.
        for key, (most, within) in sorted((_key(one), settings.LIMITS[one.limit]) for one in tries):
            cursor.execute(
                _COUNT,
                {"key": key, "now": now, "until": now + within, "since": now - within, "most": most},
            )
            refused = refused or not cursor.rowcount
        transaction.set_rollback(refused)
    return (closed(now, *tries) or now) if refused else None


def check(now: dt.datetime, *tries: Try) -> None:
    """Raises Limited where one of these is closed. Nothing is counted."""
    if (until := closed(now, *tries)) is not None:
        raise Limited(until, now)


def counted(now: dt.datetime, *tries: Try) -> None:
    """:func:`count` for whoever lets a refusal through. Raises Limited."""
    if (until := count(now, *tries)) is not None:
        raise Limited(until, now)


def give_back(*tries: Try) -> None:
    """A try turned out to be none, such as a right answer or the same report once more: it no longer counts."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_GIVE_BACK, [(key,) for key in sorted(_key(one) for one in tries)])


def forget(*tries: Try) -> None:
    """All tries under these begin anew."""
    Tally.objects.filter(key__in=[_key(one) for one in tries]).delete()


def forget_old(now: dt.datetime) -> int:
    """Delete the rows in which nothing counts any more."""
    deleted, _by_model = Tally.objects.filter(until__lte=now).delete()
    return deleted
