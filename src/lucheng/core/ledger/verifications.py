"""Verifications of the whole ledger: asked for by the audit administrator and carried out by the worker, or run by a
command; each leaves what it found.

A verification reads in one transaction that writes nothing; how far it is, is noted on a connection of its own. A
worker that dies leaves a row that another takes up again after :data:`LEASE`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation

from lucheng.core.errors import in_every_language
from lucheng.core.ledger import acts
from lucheng.core.ledger.models import Verification
from lucheng.core.ledger.verify import Finding, Tally, verify
from lucheng.core.organisation.models import Person

#: The name of the worker's sweep that carries them out.
SWEEP = "verifications"
#: Findings that are kept word by word; all are counted.
KEPT = 200
#: Without a sign of life for so long, a verification under way is taken up by another worker, from the beginning.
LEASE = dt.timedelta(minutes=10)
#: Seconds between two notes of how far it is.
PULSE = 2.0
#: After so long without one that found nothing, somebody should ask for one.
DUE = dt.timedelta(days=7)

State = Verification.State
_COUNTS = ("cases", "events", "acts", "anchors", "not_anchored", "findings")


def listed() -> QuerySet[Verification]:
    """All verifications, the newest first."""
    return Verification.objects.select_related("asked_by").order_by("-pk")


def under_way() -> Verification | None:
    """The one that waits or is being carried out, if any."""
    return listed().filter(state__in=(State.WAITING, State.RUNNING)).last()


def ask(person: Person, *, files: bool, now: dt.datetime) -> Verification:
    """Ask the worker to verify the whole ledger; ``files`` has it read every photograph as well. Where one is asked for
    already or under way, that one is given back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtext('ledger_verification'))")
        found = under_way()
        if found is None:
            found = Verification.objects.create(asked_at=now, asked_by=person, files=files)
            acts.wrote("verification_asked", found.pk)
    return found


class Result:
    """What a verification has found so far, as its row keeps it."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._found: list[dict[str, Any]] = []

    def take(self, findings: Iterable[Finding]) -> None:
        """Go through findings, and keep the first of them."""
        for finding in findings:
            self.add(finding)

    def add(self, finding: Finding) -> None:
        """Keep a finding, while there is room."""
        if len(self._found) < KEPT:
            self._found.append(
                {"kind": finding.kind.value, "case": finding.case, "seq": finding.seq, **_words(finding)}
            )

    def values(self) -> dict[str, Any]:
        """The columns of the row."""
        return {**counts(self.tally), "found": self._found}


def counts(tally: Tally) -> dict[str, int]:
    """How far a verification has come, by the columns of its row."""
    return {"events_in_all": tally.events_in_all or 0, **{name: getattr(tally, name) for name in _COUNTS}}


def _words(finding: Finding) -> dict[str, str]:
    return {code.partition("-")[0]: said for code, said in in_every_language(finding.text).items()}


def found_in(row: Verification) -> list[dict[str, Any]]:
    """The findings that a row keeps, each ``{kind, case, seq, text}`` in the reader's language."""
    language = "en" if (translation.get_language() or "").startswith("en") else "zh"
    return [{"kind": f["kind"], "case": f["case"], "seq": f["seq"], "text": f[language]} for f in row.found]


def write(result: Result, *, files: bool, began_at: dt.datetime, ended_at: dt.datetime) -> Verification:
    """Keep the result of a verification that a command has run."""
    return Verification.objects.create(
        asked_at=began_at,
        files=files,
        state=State.DONE,
        began_at=began_at,
        seen_at=ended_at,
        ended_at=ended_at,
        **result.values(),
    )


# --- the worker -----------------------------------------------------------------------------------------------------


def _claim(now: dt.datetime) -> Verification | None:
    """Take one up that waits, or that a worker has left behind."""
    waits = Q(state=State.WAITING) | Q(state=State.RUNNING, seen_at__lt=now - LEASE)
    with transaction.atomic():
        found = Verification.objects.select_for_update(skip_locked=True).filter(waits).order_by("pk").first()
        if found is not None:
            found.state, found.began_at, found.seen_at = State.RUNNING, now, now
            found.save(update_fields=["state", "began_at", "seen_at"])
    return found


class _Notes:
    """Writes down how far a verification is, on a connection of its own, now and then; and that the sweep is alive."""

    def __init__(self, row: Verification) -> None:
        self._row = row
        self._connection = connection.copy()
        self._written = time.monotonic()

    def __call__(self, tally: Tally) -> None:
        if time.monotonic() - self._written < PULSE:
            return
        self._written, now = time.monotonic(), timezone.now()
        columns = counts(tally)
        sets = ", ".join(f"{name} = %s" for name in columns)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(
                    f"update ledger_verification set {sets}, seen_at = %s where id = %s and began_at = %s",
                    [*columns.values(), now, self._row.pk, self._row.began_at],
                )
                cursor.execute(
                    "update ledger_sweeprun set at = %s where name = %s and at < %s", [now, SWEEP, now]
                )
        except (OperationalError, InterfaceError):
            self._connection.close()  # a note that cannot be written stops nothing

    def close(self) -> None:
        self._connection.close()


def carry_out(now: dt.datetime) -> int:
    """Carry one verification out that was asked for; returns how many were. What breaks off for another reason than the
    database being away is marked so, and raised."""
    row = _claim(now)
    if row is None:
        return 0
    result, notes = Result(), _Notes(row)
    try:
        result.take(verify(result.tally, files=row.files, progress=notes))
    except (OperationalError, InterfaceError):
        raise  # the database is away: it is taken up again
    except Exception as error:
        _end(row, result, state=State.FAILED, error=type(error).__name__[:80])
        raise
    finally:
        notes.close()
    _end(row, result, state=State.DONE)
    return 1


def _end(row: Verification, result: Result, **values: Any) -> None:
    now = timezone.now()
    mine = Verification.objects.filter(pk=row.pk, state=State.RUNNING, began_at=row.began_at)
    mine.update(**result.values(), **values, seen_at=now, ended_at=now)
