"""What a division was before, and what became of it."""

from __future__ import annotations

import datetime as dt

from lucheng.core.places.models import Division, Succession


def row(code: str, day: dt.date) -> Division | None:
    """The division under ``code`` on ``day``; where none was then, the last one before, else the first after."""
    rows = list(Division.objects.filter(code=code).order_by("valid_from"))
    past = [r for r in rows if r.valid_from <= day]
    return past[-1] if past else next(iter(rows), None)


def origins(division: Division) -> list[Succession]:
    """The successions that led to this row, directly."""
    return list(division.predecessors.select_related("before", "after").order_by("at", "before__code"))


def fate(division: Division) -> list[Succession]:
    """Everything that followed from this row, in the order of time: each step's ``before`` is the row itself or the
    ``after`` of a step above it. Empty where it is still in force or nothing is known to follow.
    """
    steps: list[Succession] = []
    seen = {division.pk}
    frontier = [division.pk]
    while frontier:
        found = list(Succession.objects.filter(before__in=frontier).select_related("before", "after"))
        steps += found
        frontier = sorted({s.after_id for s in found} - seen)
        seen.update(frontier)
    return sorted(steps, key=lambda s: (s.at, s.before.code, s.after.code))
