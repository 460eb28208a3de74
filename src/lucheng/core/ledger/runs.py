"""What the worker says of itself: one row for each sweep, written over and over, so that a page can tell whether the
worker is alive and which of its work fails.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.utils import timezone

from lucheng.core.ledger.models import SweepRun

log = logging.getLogger(__name__)

#: Seconds between two notes of a sweep that goes as it went before: a sweep of two seconds writes no row every time.
PULSE = 10.0


class Recorder:
    """Keeps the row of one sweep. A note that cannot be written never stops the sweep itself."""

    def __init__(
        self,
        name: str,
        every: float,
        *,
        now: Callable[[], dt.datetime] = timezone.now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._every = every
        self._now = now
        self._clock = clock
        self._written: float | None = None  # by the clock that nobody sets back
        self._failing: bool | None = None
        self._handled = 0  # since the row was last written
        self._worked_at: dt.datetime | None = None

    def went(self, handled: int) -> None:
        """A batch ended well."""
        at = self._now()
        self._handled += handled
        if handled:
            self._worked_at = at
        self._note(at, None)

    def failed(self, error: BaseException) -> None:
        """A batch failed. Only the kind of error is kept: its words may hold what people wrote; the log has them."""
        self._note(self._now(), error)

    def flush(self) -> None:
        """Write what has been counted since the last note."""
        if self._handled:
            self._write(self._now(), None)

    def _note(self, at: dt.datetime, error: BaseException | None) -> None:
        failing = error is not None
        due = self._written is None or self._clock() - self._written >= PULSE
        if failing or due or failing != self._failing:
            self._write(at, error)

    def _write(self, at: dt.datetime, error: BaseException | None) -> None:
        values: dict[str, object] = {"every": self._every, "at": at}
        if error is None:
            values |= {"went_at": at, "failures": 0, "handled": F("handled") + self._handled}
            if self._worked_at is not None:
                values["worked_at"] = self._worked_at
        else:
            values |= {"failed_at": at, "failures": F("failures") + 1, "error": type(error).__name__[:80]}
        try:
            if not SweepRun.objects.filter(pk=self._name).update(**values):
                SweepRun.objects.bulk_create([SweepRun(name=self._name, at=at)], ignore_conflicts=True)
                SweepRun.objects.filter(pk=self._name).update(**values)
        except (OperationalError, InterfaceError):  # the database is away: the sweep itself says so
            connection.close()
        except Exception:
            log.warning("the run of sweep %s could not be noted", self._name, exc_info=True)
        else:
            self._written, self._failing = self._clock(), error is not None
            if error is None:
                self._handled, self._worked_at = 0, None
