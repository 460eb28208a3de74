"""Taking over the yearly code lists: what changed is written as validity and successions, all or nothing.

A list says what is in force from a day on. Whatever differs from what was in force until then closes a row and opens
its successor; nothing is overwritten, so that every day since the first list can be looked up.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid
from lucheng.core.faults import Fault, Faulty
from lucheng.core.fields import within
from lucheng.core.ledger import acts
from lucheng.core.places.changes import Changes, Step, compare
from lucheng.core.places.kinds import stem
from lucheng.core.places.lists import LISTED, CodeList, Entry, parent_of, read
from lucheng.core.places.models import Boundary, Building, Division, Estate, Succession
from lucheng.core.revisions.snapshot import bump

How = Succession.How

#: Wraps the lists as they are taken over, to show progress.
Watch = Callable[[Sequence[CodeList]], Iterable[CodeList]]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What still carries a code that is no longer in force. It must be moved by the people who know where to."""

    code: str
    name: str
    divisions: int
    """Grids, and divisions below the depth of the list."""
    estates: int
    buildings: int


@dataclass
class Report:
    """What one list changed."""

    day: dt.date
    sources: list[str]
    rows: int
    changes: Changes
    placeholders: list[Entry] = field(default_factory=list)
    left_behind: list[LeftBehind] = field(default_factory=list)

    def steps(self, how: Succession.How) -> list[Step]:
        return [s for s in self.changes.steps if s.how == how]


def import_lists(
    files: Sequence[Path], *, as_of: dt.date | None = None, dry_run: bool = False, watch: Watch = iter
) -> list[Report]:
    """Take the lists in ``files`` over, in the order of their days, in one transaction. The same list twice changes
    nothing. ``dry_run`` reports what would happen and writes nothing.

    Raises Faulty where a row is wrong, where a list would change what a later list already built on, or where the
    divisions above it are not in force; then nothing at all is written.
    """
    lists = read(files, as_of)
    with transaction.atomic():
        lock()
        reports = [_take_over(code_list) for code_list in watch(lists)]
        if any(r.changes for r in reports):
            bump("places")
            acts.wrote("divisions_imported", ", ".join(r.day.isoformat() for r in reports))
        if dry_run:
            transaction.set_rollback(True)
    return reports


def lock() -> None:
    """Let one change of the divisions run at a time, until the transaction ends. Readers are not held up."""
    with connection.cursor() as cursor:
        cursor.execute("lock table places_division in share row exclusive mode")


def _take_over(code_list: CodeList) -> Report:
    day = code_list.day
    scope = Q()
    for code in code_list.scope:
        scope |= within("code", code)
        above = parent_of(code)
        if above and not Division.objects.as_of(day).filter(code=above).exists():
            raise Faulty(
                [
                    Fault(
                        0,
                        _("parent"),
                        format_lazy(
                            _("{parent}, above {code}, is not in force on {day}: import its list first."),
                            parent=above,
                            code=code,
                            day=day,
                        ),
                    )
                ]
            )
    rows = Division.objects.filter(scope, level__in=LISTED, level__lte=code_list.depth)
    current = {row.code: row for row in rows.as_of(day)}
    gone = {row.code: row for row in rows.filter(valid_to__lte=day, successors=None).order_by("valid_to")}
    changes = compare(
        {code: _entry(row) for code, row in current.items()},
        code_list.entries,
        {code: _entry(row) for code, row in gone.items() if code not in current},
    )
    report = Report(day, code_list.sources, len(code_list.entries), changes, code_list.placeholders)
    if not changes:
        return report
    if (last := _last_change(rows, day)) is not None:
        first = [*(s.after for s in changes.steps), *changes.added, *changes.dropped][0]
        raise Faulty(
            [
                Fault(
                    0,
                    ", ".join(code_list.sources),
                    format_lazy(
                        _(
                            "Divisions have already been changed as of {last}. The list of {day} differs from what is "
                            "recorded for that day, first at {code} {name}, and would change the past."
                        ),
                        last=last,
                        day=day,
                        code=first.code,
                        name=first.name,
                    ),
                )
            ]
        )
    _write(day, changes, code_list, current, gone)
    depth = code_list.depth
    vanished = {c: row.name for c, row in current.items() if len(c) == depth and c not in code_list.entries}
    report.left_behind = _left_behind(day, depth, vanished)
    return report


def _entry(row: Division) -> Entry:
    return Entry(row.code, row.name, row.kind, row.urban_rural_type)


def _last_change(rows: QuerySet[Division], day: dt.date) -> dt.date | None:
    """The last date, from ``day`` on, as of which something began or ended."""
    dates = rows.aggregate(began=Max("valid_from"), ended=Max("valid_to")).values()
    return max((d for d in dates if d is not None and d >= day), default=None)


def _write(
    day: dt.date,
    changes: Changes,
    code_list: CodeList,
    current: dict[str, Division],
    gone: dict[str, Division],
) -> None:
    unchanged = set(changes.unchanged)
    ended = [row.pk for code, row in current.items() if code not in unchanged]
    Division.objects.filter(pk__in=ended).update(valid_to=day)

    predecessors = Counter(s.after.code for s in changes.steps)
    origin = {
        s.after.code: s for s in changes.steps if predecessors[s.after.code] == 1 and s.how != How.SPLIT
    }
    opened = {
        code: _opened(day, entry, origin.get(code), current)
        for code, entry in code_list.entries.items()
        if code not in unchanged
    }
    Division.objects.bulk_create(opened.values())
    Succession.objects.bulk_create(
        Succession(
            before=current.get(s.before.code) or gone[s.before.code],
            after=opened.get(s.after.code) or current[s.after.code],
            at=day,
            how=s.how,
            basis=s.basis,
        )
        for s in changes.steps
    )
    # The outline goes with the code: a list that renames or reclassifies does not move anything.
    outlines = Boundary.objects.filter(division__in=ended, division__code__in=list(opened)).select_related(
        "division"
    )
    Boundary.objects.bulk_create(
        Boundary(
            division=opened[b.division.code], shape=b.shape, source_crs=b.source_crs, repaired=b.repaired
        )
        for b in outlines
    )


def _opened(day: dt.date, entry: Entry, step: Step | None, current: dict[str, Division]) -> Division:
    row = Division(
        code=entry.code,
        level=len(entry.code),
        kind=entry.kind,
        name=entry.name,
        urban_rural_type=entry.urban_rural_type or "",
        valid_from=day,
    )
    old = current.get(step.before.code) if step is not None else None
    if old is not None:
        # One became one: the people are the same, and as long as the name is, so is what they call it.
        row.households, row.residents = old.households, old.residents
        if stem(old.level, old.name) == stem(row.level, row.name):
            row.name_mn, row.aliases = old.name_mn, old.aliases
        if entry.urban_rural_type is None:
            row.urban_rural_type = old.urban_rural_type
        if old.name == row.name:
            row.kind = old.kind  # it may have been corrected by hand
    return row


def _left_behind(day: dt.date, depth: int, vanished: Mapping[str, str]) -> list[LeftBehind]:
    if not vanished:
        return []
    below = Division.objects.as_of(day).filter(level__gt=depth).values_list("code", flat=True)
    divisions = Counter(c[:depth] for c in below)
    estates = Counter(p[:depth] for p in Estate.objects.values_list("place", flat=True))
    buildings = Counter(g[:depth] for g in Building.objects.values_list("grid", flat=True))
    return [
        LeftBehind(c, name, divisions[c], estates[c], buildings[c])
        for c, name in sorted(vanished.items())
        if divisions[c] or estates[c] or buildings[c]
    ]


def declare(before: str, after: Sequence[str], how: Succession.How, *, at: dt.date) -> list[Succession]:
    """Record what a person knows: that ``before``, which ended on ``at``, became ``after``; with no ``after``, that
    nothing followed it. What had been inferred about it is replaced.

    Raises Invalid where ``before`` did not end on ``at``, or an ``after`` is not in force then.
    """
    with transaction.atomic():
        lock()
        old = Division.objects.filter(code=before, valid_to=at).first()
        if old is None:
            raise Invalid(
                {"before": format_lazy(_("No division {code} ended on {day}."), code=before, day=at)}
            )
        new = {row.code: row for row in Division.objects.as_of(at).filter(code__in=after)}
        for code in after:
            if code not in new:
                raise Invalid(
                    {"after": format_lazy(_("{code} is not in force on {day}."), code=code, day=at)}
                )
        Succession.objects.filter(before=old).delete()
        declared = Succession.objects.bulk_create(
            Succession(before=old, after=new[c], at=at, how=how, basis=Succession.Basis.DECLARED)
            for c in dict.fromkeys(after)
        )
        bump("places")
        details = {"until": at.isoformat(), "changed": list(new)}
        acts.wrote("division_declared", before, details)
        return declared


def set_aliases(code: str, aliases: Sequence[str], *, day: dt.date) -> None:
    """Say what people call the division in force under ``code``: all names beside its own (昆区 for 昆都仑区).

    Raises Invalid where none is in force on ``day``, or where a name is shorter than two characters.
    """
    wanted = list(dict.fromkeys(a.strip() for a in aliases))
    if any(len(a) < 2 or len(a) > 40 for a in wanted):
        raise Invalid({"aliases": _("A name has two to forty characters.")})
    with transaction.atomic():
        if not Division.objects.as_of(day).filter(code=code).update(aliases=wanted):
            raise Invalid({"code": format_lazy(_("{code} is not in force on {day}."), code=code, day=day)})
        bump("places")
        acts.wrote("division_named", code, {"count": len(wanted)})
