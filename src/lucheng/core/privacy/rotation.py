"""Resealing: every contact comes under the newest key and the chosen suite, while everything goes on.

A row is replaced only where it still is what was read, so that nobody's edit is lost; what was edited meanwhile comes
again in the next pass. Every batch is committed by itself: after a crash it is enough to begin again, and what is done
is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from lucheng import keys
from lucheng.core.errors import Conflict
from lucheng.core.organisation import factors
from lucheng.core.privacy import contacts, sealing
from lucheng.core.privacy.models import Contact
from lucheng.core.privacy.wrapping import KeysAway

BATCH = 500
#: Rows that were edited while they were resealed come again, so often at most.
_PASSES = 3

_FIELDS = tuple(contacts.FIELDS)
_COLUMNS = ", ".join(_FIELDS)
_OLD = "(" + " or ".join(f"substring({f} from 1 for {sealing.HEADER}) <> %(now)s" for f in _FIELDS) + ")"
_READ = f"""
select id, case_id, {_COLUMNS}
from privacy_contact
where id > %(after)s and {_OLD}
order by id
limit %(batch)s"""
_WRITE = f"""
update privacy_contact
set {", ".join(f"{f} = %s" for f in _FIELDS)}, phone_index = %s
where id = %s and {" and ".join(f"{f} is not distinct from %s" for f in _FIELDS)}"""


@dataclass
class Outcome:
    """What a rotation did. ``shut`` are the cases whose contact does not open; they were left as they are."""

    resealed: int = 0
    shut: list[int] = field(default_factory=list)
    #: Rows under another key or suite when it ended, those that do not open among them.
    left: int = 0


def tally() -> dict[tuple[int, int], int]:
    """How many sealed values there are, by suite and key: of contacts, and of apps that show codes. Reads the whole
    tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select substring(v from 1 for {sealing.HEADER}), count(*)"
            f" from (select unnest(array[{_COLUMNS}]) v from privacy_contact"
            " union all select secret from organisation_authenticatorapp) sealed where v is not null group by 1"
        )
        return {
            (head[0], head[1]): count
            for head, count in ((bytes(h).ljust(sealing.HEADER, b"\0"), n) for h, n in cursor.fetchall())
        }


def new_key() -> int:
    """Make the key under which new values are sealed from now on; returns its number.

    Raises Conflict where something is sealed under a key newer than those here: another key of that number would
    hide that the right one is lost.
    """
    newest = sealing.newest(settings.HOME)
    missing = sorted({key for _suite, key in tally() if key > newest})
    if missing:
        raise Conflict(
            f"Contacts are sealed under key {', '.join(map(str, missing))}, which is not in "
            f"{keys.folder(settings.HOME)}. Put its file back first."
        )
    try:
        return sealing.new(settings.HOME)
    except (OverflowError, KeysAway) as error:
        raise Conflict(str(error)) from None


def reseal(progress: Callable[[int, int], None] = lambda done, total: None) -> Outcome:
    """Bring every contact under the newest key and the chosen suite. It may be stopped and begun again at any time.

    Raises Conflict where another process does the same just now, or a key cannot be had.
    """
    try:
        sealing.open_all()
    except (sealing.SealError, KeysAway) as error:
        raise Conflict(str(error)) from None
    outcome = Outcome()
    with _alone():
        total = _left()
        for _pass in range(_PASSES):
            outcome.shut.clear()
            for done in _pass_over(outcome):
                progress(min(done, total), total)
            outcome.left = _left()
            if outcome.left <= len(outcome.shut):
                break
        factors.reseal()
    return outcome


def _pass_over(outcome: Outcome) -> Iterator[int]:
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_READ, {"now": sealing.header(), "after": after, "batch": BATCH})
            rows = cursor.fetchall()
        if not rows:
            return
        outcome.resealed += _replace(rows, outcome.shut)
        after = rows[-1][0]
        yield outcome.resealed + len(outcome.shut)


def _replace(rows: list[tuple[Any, ...]], shut: list[int]) -> int:
    """Reseal a batch in one transaction; returns how many rows still were what was read."""
    values = []
    for pk, case_id, *sealed in rows:
        contact = Contact(pk=pk, case_id=case_id, **dict(zip(_FIELDS, sealed, strict=True)))
        try:
            again = contacts.resealed(contact)
        except sealing.SealError:
            shut.append(case_id)
            continue
        values.append((*(getattr(again, f) for f in _FIELDS), again.phone_index, pk, *sealed))
    if not values:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_WRITE, values)
        return int(cursor.rowcount)


def _left() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from privacy_contact where {_OLD}", {"now": sealing.header()})
        return int(cursor.fetchone()[0])


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(hashtext('privacy_rotate'))")
        if not cursor.fetchone()[0]:
            raise Conflict("Contacts are being resealed already. Wait until that has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(hashtext('privacy_rotate'))")
