"""Periodic work: every room's ``sweeps.py`` declares ``SWEEPS``, and ``lucheng worker`` runs each when it is
due.

Each sweep runs in a thread of its own, so that a slow or failing one never holds up another.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from lucheng.core.errors import Text
from lucheng.core.ledger.runs import Recorder

log = logging.getLogger(__name__)

LONGEST_WAIT = 300.0  # seconds between two tries of a sweep that keeps failing
LONGEST_OUTAGE_WAIT = 15.0  # seconds between two looks at a database that is away


@dataclass(frozen=True)
class Sweep:
    """One piece of periodic work.

    ``run(now)`` does one bounded batch in transactions of its own and returns how many rows it handled; 0
    means that nothing is left for now. A positive count makes the worker run it again at once, so a batch
    must never count rows that it left as they were. ``every`` is the pause in seconds after nothing was left.
    """

    name: str
    every: float
    run: Callable[[dt.datetime], int]
    #: What it does, in a person's words.
    title: Text = ""


def discover() -> list[Sweep]:
    """The sweeps of all rooms, in the rooms' order.

    Raises ValueError where two have the same name.
    """
    found: list[Sweep] = []
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.sweeps"):
            found += import_module(f"{config.name}.sweeps").SWEEPS
    names = [s.name for s in found]
    if twice := {n for n in names if names.count(n) > 1}:
        raise ValueError(f"sweeps with the same name: {', '.join(sorted(twice))}")
    return found


def _connection_lost(error: Exception) -> bool:
    """Whether ``error`` came from a connection that is no more, rather than from a statement."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    held = connection.connection
    return held is None or held.closed


@dataclass
class Outage:
    """What all threads know of the database being away, so that it is said once and its end is said once."""

    since: float | None = None
    #: When it last ended.
    over: float = -math.inf
    #: What may bring the database back; true where it did something. None where somebody else sees to it.
    revive: Callable[[], bool] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _mending: threading.Lock = field(default_factory=threading.Lock)

    def began(self, why: BaseException, run: float, at: float) -> None:
        """A run that began at ``run`` found the database away at ``at``; one from before it was back is no news."""
        with self._lock:
            if self.since is None and run >= self.over:
                self.since = at
                log.error("the database is away, waiting for it: %s", str(why).strip())

    def mend(self) -> None:
        """Try to bring the database back. One thread does at a time; the others go on waiting."""
        if self.revive is None or not self._mending.acquire(blocking=False):
            return
        try:
            if self.revive():
                log.warning("the database had ended without being told to and was started again")
        except Exception as error:  # it says itself what is wrong, and is tried again
            log.warning("the database could not be started: %s", type(error).__name__)
        finally:
            self._mending.release()

    def ended(self, run: float, at: float) -> None:
        """A run that began at ``run`` went well. One that had begun before the outage proves nothing."""
        with self._lock:
            if self.since is not None and run >= self.since:
                log.warning("the database is back after %.0f s", at - self.since)
                self.since, self.over = None, at


class Runner:
    """One sweep with its memory of failures. :meth:`step` runs it once and says how long to wait."""

    def __init__(
        self,
        sweep: Sweep,
        outage: Outage,
        *,
        now: Callable[[], dt.datetime] = timezone.now,
        clock: Callable[[], float] = time.monotonic,
        recorder: Recorder | None = None,
    ) -> None:
        self.sweep = sweep
        self._outage = outage
        self._recorder = recorder
        self._now = now
        self._clock = clock
        self._failures = 0  # in a row, of the sweep itself
        self._lost = 0  # in a row, for want of a database

    def step(self) -> float:
        """Run once. Returns the seconds to wait: 0 where there is more, longer and longer after failures."""
        began = self._clock()
        try:
            handled = self.sweep.run(self._now())
        except Exception as error:
            if _connection_lost(error):
                connection.close()  # the next run makes a new one
                self._lost += 1
                self._outage.began(error, began, self._clock())
                self._outage.mend()
                return float(min(2 ** min(self._lost, 8) / 2, LONGEST_OUTAGE_WAIT))
            self._failures += 1
            log.exception("sweep %s failed, time %d in a row", self.sweep.name, self._failures)
            if self._recorder is not None:
                self._recorder.failed(error)
            return float(min(max(self.sweep.every, 1.0) * 2 ** min(self._failures, 10), LONGEST_WAIT))
        self._failures = self._lost = 0
        self._outage.ended(began, self._clock())
        if self._recorder is not None:
            self._recorder.went(handled)
        if handled > 0:
            return 0.0
        return max(0.0, self.sweep.every - (self._clock() - began))

    def loop(self, stop: threading.Event) -> None:
        """Run until ``stop`` is set; a batch that has begun is finished."""
        try:
            while not stop.is_set():
                stop.wait(self.step())
            if self._recorder is not None:
                self._recorder.flush()
        finally:
            connection.close()


def work(
    sweeps: Sequence[Sweep],
    stop: threading.Event,
    *,
    grace: float = 30.0,
    revive: Callable[[], bool] | None = None,
) -> None:
    """Run all sweeps until ``stop`` is set, then wait up to ``grace`` seconds for batches under way.

    ``revive`` is called while the database is away, and may bring it back.

    A batch that takes longer is cut off with the process; its transaction rolls back, and the next start
    repeats it.
    """
    outage = Outage(revive=revive)
    threads = [
        threading.Thread(
            target=Runner(s, outage, recorder=Recorder(s.name, s.every)).loop,
            args=(stop,),
            name=s.name,
            daemon=True,
        )
        for s in sweeps
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    end = time.monotonic() + grace
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            log.warning("sweep %s was cut off", thread.name)


def work_once(sweeps: Sequence[Sweep]) -> dict[str, int | None]:
    """Run each sweep until nothing is left. Returns the rows handled by name; None where it failed (and is
    logged)."""
    done: dict[str, int | None] = {}
    for sweep in sweeps:
        total = 0
        recorder = Recorder(sweep.name, sweep.every)
        try:
            while handled := sweep.run(timezone.now()):
                total += handled
            done[sweep.name] = total
            recorder.went(total)
        except Exception as error:
            log.exception("sweep %s failed", sweep.name)
            done[sweep.name] = None
            recorder.failed(error)
    return done
