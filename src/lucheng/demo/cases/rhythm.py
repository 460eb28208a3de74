"""When cases come in: the rhythm of a hotline over the day, the week, holidays and the heating season."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucheng.core import packs
from lucheng.core.clocks.calendar import ZONE, Calendar
from lucheng.demo.chance import Rng


def plan() -> dict[str, Any]:
    return packs.of_demo_city("cases.toml")


def in_season(day: dt.date, spans: Sequence[Sequence[int]]) -> bool:
    """Whether a day lies in one of the spans [month, day, month, day], which may run over New Year."""
    at = (day.month, day.day)
    for from_month, from_day, to_month, to_day in spans:
        first, last = (from_month, from_day), (to_month, to_day)
        if (first <= at <= last) if first <= last else (at >= first or at <= last):
            return True
    return False


def day_weight(day: dt.date, calendar: Calendar) -> float:
    """How much comes in on a day, against an ordinary one."""
    rhythm = plan()["rhythm"]
    weekday: float = rhythm["weekdays"][day.weekday()]
    working = calendar.is_working(day)
    if day.weekday() < 5 and not working:
        weekday = rhythm["holiday"]
    elif day.weekday() >= 5 and working:
        weekday = rhythm["worked"]
    if in_season(day, plan()["seasons"]["heating"]):
        weekday *= 1 + rhythm["heating"]
    if in_season(day, [[10, 12, 11, 5]]):
        weekday *= 1 + rhythm["heating_start"]
    return weekday


def moments(
    rng: Rng, count: int, findings: NDArray[np.bool_], until: dt.datetime, days: int, calendar: Calendar
) -> list[dt.datetime]:
    """``count`` moments in the ``days`` before ``until``, to the second, in no order: one for each case, whose kind
    ``findings`` says, since grid workers keep other hours than callers."""
    last = until.astimezone(ZONE)
    dates = [last.date() - dt.timedelta(days=i) for i in range(days, -1, -1)]
    weights = np.array([day_weight(d, calendar) for d in dates])
    rhythm = plan()["rhythm"]
    # The first and the last day count only as far as they lie within.
    passed = (last.hour * 60 + last.minute) / 1440
    weights[0] *= 1 - passed
    weights[-1] *= passed
    chosen = rng.choice(len(dates), count, p=weights / weights.sum())
    hours = np.where(
        findings,
        rng.choice(24, count, p=_shares(rhythm["rounds"])),
        rng.choice(24, count, p=_shares(rhythm["calls"])),
    )
    seconds = hours * 3600 + rng.integers(0, 3600, count)
    start = dt.datetime.combine(dates[0], dt.time(), ZONE)
    first = last - dt.timedelta(days=days)
    found = []
    for day, second in zip(chosen.tolist(), seconds.tolist(), strict=True):
        at = start + dt.timedelta(days=day, seconds=second)
        # What falls outside at either end moves by whole days to where it lies within.
        while at >= last:
            at -= dt.timedelta(days=1)
        while at < first:
            at += dt.timedelta(days=1)
        found.append(at)
    return found


def _shares(weights: Sequence[float]) -> NDArray[np.float64]:
    w = np.array(weights, dtype=np.float64)
    shares: NDArray[np.float64] = w / w.sum()
    return shares
