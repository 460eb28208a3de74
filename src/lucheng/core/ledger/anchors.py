"""Anchors: from time to time one hash over all events up to an id and over the acts of administrators up to then,
chained to the anchor before.

A case's chain shows what is missing inside it, but not that a case is missing with all its events: anchors do. Nobody
waits for them and no create takes a lock for them. The difficulty is where an anchor may end. Event ids are drawn
before a transaction commits, so an event with a smaller id may still appear after one with a larger id. Hence two
steps:

1. Remember the largest id seen, then every transaction running at this moment (its virtual transaction id, which
   each holds as a lock from its very start).
2. Once all of these have ended, nothing at or below that id can still appear: a transaction that began later draws
   larger ids. Now the anchor is written.

Acts are written one after another, so that with any of them all before it are there: an anchor takes the newest that
it sees. See docs/decisions/0121 and 0305.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Max

from lucheng.core.ledger import acts, chain
from lucheng.core.ledger.models import Act, Anchor, Event, Mark

#: Most events under one anchor, which is also how closely a missing event can be located by its anchor alone.
MOST = 10_000

# A lock on its own virtual id is the first thing a transaction takes and the last it gives back, after its rows are
# visible to others. Autovacuum writes no events. A transaction that is prepared (two-phase commit) loses its virtual id
# and cannot be told from one that ended, so that none may be prepared at all.
_RUNNING = """
    select l.virtualtransaction from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.virtualxid = l.virtualtransaction and l.pid <> pg_backend_pid()
      and (a.datname = current_database() or a.datname is null)
      and a.backend_type is distinct from 'autovacuum worker'
    union all
    select 'prepared' from pg_prepared_xacts where database = current_database()
"""


def running() -> set[str]:
    """The transactions of this database that run now, this one apart."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING)
        return {row[0] for row in cursor.fetchall()}


def newest() -> Anchor | None:
    """The last anchor."""
    return Anchor.objects.order_by("-id").first()


def digest(
    prev: bytes, events: Iterable[tuple[int, bytes]], at: dt.datetime, act: tuple[int, bytes] | None
) -> tuple[int, bytes]:
    """How many events there are, and the hash over them in the order of their ids and over the newest ``act`` (number
    and hash), chained to ``prev``."""
    count, sha = 0, hashlib.sha256(prev)
    for event_id, event_hash in events:
        count += 1
        sha.update(event_id.to_bytes(8, "big"))
        sha.update(event_hash)
    stamp = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    sha.update(chain.canonical([count, stamp, *((act[0], act[1].hex()) if act is not None else ())]))
    return count, sha.digest()


def anchor(now: dt.datetime) -> Anchor | None:
    """Anchor up to :data:`MOST` events that are certain to be complete, and the acts up to now.

    None where nothing is new, where transactions of the last mark still run, or where another worker is at it.
    """
    Mark.objects.get_or_create(pk=1)
    with transaction.atomic():
        mark = Mark.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if mark is None:
            return None
        last, act = newest(), acts.last()
        done, prev = (last.upto, bytes(last.hash)) if last is not None else (0, chain.GENESIS)
        if mark.upto <= done:
            seen = Event.objects.aggregate(newest=Max("id"))["newest"] or 0
            if seen <= done:
                sealed_acts = last.acts or 0 if last is not None else 0
                return None if act is None or act.seq <= sealed_acts else _write(done, (), now, prev, act)
            mark.upto, mark.running = seen, sorted(running() | {"prepared"})  # in this order: see above
            mark.save()
        if not running().isdisjoint(mark.running):
            return None
        rows = (
            Event.objects.filter(id__gt=done, id__lte=mark.upto)
            .order_by("id")
            .values_list("id", "hash")[:MOST]
        )
        events = [(event_id, bytes(event_hash)) for event_id, event_hash in rows]
        upto = events[-1][0] if len(events) == MOST else mark.upto
        return _write(upto, events, now, prev, act)


def _write(
    upto: int, events: Iterable[tuple[int, bytes]], now: dt.datetime, prev: bytes, act: Act | None
) -> Anchor:
    link = (act.seq, bytes(act.hash)) if act is not None else None
    count, sealed = digest(prev, events, now, link)
    return Anchor.objects.create(
        upto=upto,
        events=count,
        acts=link[0] if link is not None else None,
        act_hash=link[1] if link is not None else None,
        at=now,
        prev=prev,
        hash=sealed,
    )


def sweep(now: dt.datetime) -> int:
    """One anchor, where one is due; returns how many were written."""
    return 0 if anchor(now) is None else 1
