"""Trying an edition on past cases before it is published: who would get what, and what would find no unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Max, Min, QuerySet

from lucheng.core.cases.models import Case
from lucheng.core.dispatch.catalogue import edition
from lucheng.core.dispatch.models import Version
from lucheng.core.organisation.models import Unit

#: Case numbers given as examples for each line.
SAMPLES = 5


@dataclass
class Line:
    """A part of the cases with one fate, and a few of their numbers."""

    cases: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, cases: int, numbers: Sequence[str]) -> None:
        self.cases += cases
        for number in numbers:
            if number not in self.samples and len(self.samples) < SAMPLES:
                self.samples.append(number)


@dataclass(frozen=True)
class Move:
    """Cases that one unit had and another would get."""

    before: str
    after: str
    line: Line
    had: int = 0  # ids of the two
    gets: int = 0


@dataclass(frozen=True)
class Gap:
    """Cases of one matter at one place for which the edition has no unit."""

    matter: str
    place: str
    line: Line


@dataclass(frozen=True)
class Trial:
    """How an edition would have dispatched the cases of a period. Moves and gaps: the largest first."""

    version: int
    cases: int
    same: int
    moves: tuple[Move, ...]
    gaps: tuple[Gap, ...]

    @property
    def moved(self) -> int:
        return sum(m.line.cases for m in self.moves)

    @property
    def unmatched(self) -> int:
        return sum(g.line.cases for g in self.gaps)


def try_on(version: Version, cases: QuerySet[Case], since: dt.datetime, until: dt.datetime) -> Trial:
    """Run ``version`` over those of ``cases`` that were created from ``since`` up to but not on ``until`` and have a
    lead unit. ``cases`` are all that the reader may see: what they may not is neither counted nor given as an example.

    Each is compared with the unit that has it, which a person may have named against the catalogue. The database
    groups the cases by matter, place and unit, so that the time follows the number of groups. Writes nothing.
    """
    tried = edition(version)
    names = dict(Unit.objects.values_list("id", "name"))
    groups = (
        cases.filter(created_at__gte=since, created_at__lt=until, lead_unit__isnull=False)
        .order_by("matter", "place", "lead_unit_id")
        .values_list("matter", "place", "lead_unit_id")
        .annotate(many=Count("id"), first=Min("number"), last=Max("number"))
    )
    total = same = 0
    moves: dict[tuple[int, int], Line] = {}
    gaps: dict[tuple[str, str], Line] = {}
    for matter, place, had, many, first, last in groups.iterator(5000):
        total += many
        decision = tried.match(matter, place)
        if decision is None:
            gaps.setdefault((matter, place), Line()).add(many, (first, last))
        elif decision.lead_unit_id == had:
            same += many
        else:
            moves.setdefault((had, decision.lead_unit_id), Line()).add(many, (first, last))
    return Trial(
        version=version.number,
        cases=total,
        same=same,
        moves=tuple(
            Move(names[before], names[after], line, before, after)
            for (before, after), line in sorted(moves.items(), key=lambda item: -item[1].cases)
        ),
        gaps=tuple(
            Gap(matter, place, line)
            for (matter, place), line in sorted(gaps.items(), key=lambda item: -item[1].cases)
        ),
    )


def moved(version: Version, cases: Iterable[Case], gets: int) -> Iterator[Case]:
    """Those of ``cases`` that ``version`` would send to the unit with the id ``gets``."""
    tried = edition(version)
    for case in cases:
        decision = tried.match(case.matter, case.place)
        if decision is not None and decision.lead_unit_id == gets:
            yield case
