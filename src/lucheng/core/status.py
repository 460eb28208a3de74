"""How the system does, for whoever keeps it running: numbers and kinds of error, nothing of any case or person."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min

from lucheng import embedded
from lucheng.core.clocks import sweep as clocks
from lucheng.core.clocks.models import Clock
from lucheng.core.dispatch.models import Alarm
from lucheng.core.errors import Text
from lucheng.core.ledger import anchors
from lucheng.core.ledger.adapters import adapter
from lucheng.core.ledger.models import Anchor, Event, Message, SweepRun
from lucheng.core.ledger.runs import PULSE
from lucheng.core.ledger.worker import LONGEST_WAIT, Sweep, discover
from lucheng.postgresql.context import everything

#: Rows are counted up to here; beyond, "1,000+" is said.
COUNT_LIMIT = 1000
#: Share of a disk, and bytes on it, that should stay free.
SPARE, LEAST_FREE = 0.05, 500 * 1024**2
#: Reasons for which messages failed that are listed one by one.
REASONS = 50
#: Seconds that a batch may take before the worker counts as standing still.
PATIENCE = 60.0


@dataclass(frozen=True)
class Work:
    """One sweep. ``run`` is None where the worker has never run it."""

    name: str
    title: Text
    every: float
    run: SweepRun | None
    late: bool

    @property
    def failing(self) -> bool:
        return self.run is not None and self.run.failures > 0


@dataclass(frozen=True)
class Queue:
    """Messages of one channel. ``leaves`` says whether anything carries them out of this system."""

    channel: str
    leaves: bool
    waiting: int
    failed: int
    oldest: dt.datetime | None


@dataclass(frozen=True)
class Failed:
    """Messages of one channel that were given up for one reason."""

    channel: str
    error: str
    count: int
    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True)
class Standby:
    """The server that follows this one (lucheng.standby). ``behind`` is in bytes of log; ``away_since`` may be unknown.

    ``required``: nothing is acknowledged without it. ``lost``: it was away too long and must be made anew.
    """

    follows: bool
    required: bool
    lost: bool
    behind: int
    away_since: dt.datetime | None

    @property
    def well(self) -> bool:
        return self.follows and not self.lost


@dataclass(frozen=True)
class Disk:
    """A file system on which this installation keeps something: ``size`` and ``free`` in bytes."""

    holds: str
    size: int
    free: int

    @property
    def tight(self) -> bool:
        """Whether somebody should make room: a day's photographs and log fill what is left."""
        return self.free < max(self.size * SPARE, LEAST_FREE)


@dataclass(frozen=True)
class Status:
    """Everything that the page of jobs and ``lucheng status`` show, as of ``at``."""

    at: dt.datetime
    seen_at: dt.datetime | None
    alive: bool
    work: tuple[Work, ...]
    queues: tuple[Queue, ...]
    failed: tuple[Failed, ...]
    parked_clocks: int
    late_clocks: int
    oldest_clock: dt.datetime | None
    alarms: int
    anchor: Anchor | None
    not_anchored: int
    oldest_not_anchored: dt.datetime | None
    #: None where no standby belongs to this server.
    standby: Standby | None
    disks: tuple[Disk, ...]

    @property
    def failing(self) -> tuple[Work, ...]:
        return tuple(w for w in self.work if w.failing)

    @property
    def given_up(self) -> int:
        return sum(q.failed for q in self.queues)

    @property
    def well(self) -> bool:
        """Whether nothing here waits for a person."""
        late = any(w.late for w in self.work)
        if (self.standby is not None and not self.standby.well) or any(d.tight for d in self.disks):
            return False
        return self.alive and not late and not self.failing and not self.given_up and not self.parked_clocks


@everything("how the system does: counts of what waits")
def status(now: dt.datetime) -> Status:
    """How the system does. About ten short queries, however large the city is."""
    runs = {run.name: run for run in SweepRun.objects.all()}
    work = tuple(_work(s, runs.get(s.name), now) for s in discover())
    seen_at = max((w.run.at for w in work if w.run is not None), default=None)
    running = Clock.objects.filter(state=Clock.State.RUNNING)
    due = running.filter(next_at__lte=now)
    parked = running.filter(next_at=None, failures__gte=clocks.MAX_FAILURES)
    anchor = anchors.newest()
    newer = Event.objects.filter(id__gt=anchor.upto if anchor is not None else 0).order_by("id")
    return Status(
        at=now,
        seen_at=seen_at,
        # A sign of life from the future was given before the clock was set back.
        alive=seen_at is not None and abs((now - seen_at).total_seconds()) <= _silence(work),
        work=work,
        queues=_queues(now),
        failed=_failed(),
        parked_clocks=parked.order_by()[: COUNT_LIMIT + 1].count(),
        late_clocks=due.order_by()[: COUNT_LIMIT + 1].count(),
        oldest_clock=due.aggregate(at=Min("next_at"))["at"],
        alarms=Alarm.objects.filter(settled_at=None, case__open=True)[: COUNT_LIMIT + 1].count(),
        anchor=anchor,
        not_anchored=newer[: COUNT_LIMIT + 1].count(),
        oldest_not_anchored=newer.values_list("at", flat=True).first(),
        standby=_standby(),
        disks=disks(),
    )


def disks() -> tuple[Disk, ...]:
    """The file systems of this machine on which the installation keeps something, each once. Asks no database."""
    kept = {Path(settings.ATTACHMENTS)}
    if not os.environ.get("DATABASE_URL"):
        kept.add(embedded.data_folder())
        if (archive := embedded.archive_folder()) is not None:
            kept.add(archive)
    found: dict[int, Disk] = {}
    for folder in sorted(kept):
        while not folder.exists():
            folder = folder.parent
        room = os.statvfs(folder)
        found.setdefault(
            folder.stat().st_dev,
            Disk(str(folder), room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize),
        )
    return tuple(found.values())


# What anybody may read. A slot's age came with PostgreSQL 17, hence by way of its document.
_SLOT = """
    select s.active, current_setting('synchronous_standby_names') <> '', s.wal_status = 'lost',
        coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0)::bigint,
        (to_jsonb(s) ->> 'inactive_since')::timestamptz
    from pg_replication_slots s where s.slot_name = %s and not pg_is_in_recovery()
"""


def _standby() -> Standby | None:
    with connection.cursor() as cursor:
        cursor.execute(_SLOT, [embedded.STANDBY])
        row = cursor.fetchone()
    return None if row is None else Standby(*row)


def _silence(work: tuple[Work, ...]) -> float:
    """Seconds after which the worker is not thought alive: its most frequent sweep should have been heard of."""
    every = min((w.every for w in work), default=0.0)
    return max(every, PULSE) + PATIENCE + (LONGEST_WAIT if all(w.failing for w in work) else 0.0)


def _work(sweep: Sweep, run: SweepRun | None, now: dt.datetime) -> Work:
    # A sweep that fails is tried more and more rarely: it is failing, not late.
    longest = max(sweep.every, PULSE) + PATIENCE + (LONGEST_WAIT if run is not None and run.failures else 0.0)
    late = run is None or abs((now - run.at).total_seconds()) > longest
    return Work(sweep.name, sweep.title or sweep.name, sweep.every, run, late)


def _queues(now: dt.datetime) -> tuple[Queue, ...]:
    waiting = {
        channel: (count, oldest)
        for channel, count, oldest in Message.objects.filter(state=Message.State.WAITING, next_at__lte=now)
        .order_by()
        .values_list("channel")
        .annotate(Count("id"), Min("created_at"))
    }
    failed = dict(
        Message.objects.filter(state=Message.State.FAILED)
        .order_by()
        .values_list("channel")
        .annotate(Count("id"))
    )
    return tuple(
        Queue(
            channel=channel,
            leaves=adapter(channel) is not None,
            waiting=waiting.get(channel, (0, None))[0],
            failed=failed.get(channel, 0),
            oldest=waiting.get(channel, (0, None))[1],
        )
        for channel in Message.Channel.values
    )


def _failed() -> tuple[Failed, ...]:
    rows = (
        Message.objects.filter(state=Message.State.FAILED)
        .order_by()
        .values_list("channel", "error")
        .annotate(Count("id"), Min("created_at"), Max("created_at"))
    )
    largest = sorted(rows, key=lambda row: -row[2])
    return tuple(Failed(*row) for row in largest[:REASONS])
