"""``lucheng divisions …``: code lists, outlines, and what became of a division."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

import typer
from django.utils import timezone
from django.utils.translation import gettext as _
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lucheng.cli import ensure_database
from lucheng.core.errors import Refused
from lucheng.core.faults import Faulty
from lucheng.core.places import boundaries, history, imports, names
from lucheng.core.places.boundaries import Outline
from lucheng.core.places.changes import Step
from lucheng.core.places.crs import Crs
from lucheng.core.places.lists import level_of
from lucheng.core.places.models import Boundary, Kind, Succession
from lucheng.core.sheets import unformulated

T = TypeVar("T")
How = Succession.How

divisions = typer.Typer(help="Divisions, their code lists and outlines.", no_args_is_help=True)

console = Console()
errors = Console(stderr=True)

AsOf = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A date, such as 2022-01-01.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would change and write nothing.")]


def register(app: typer.Typer) -> None:
    app.add_typer(divisions, name="divisions")


def _watch(items: Sequence[T]) -> Iterable[T]:
    return track(items, console=errors, transient=True, description=_("taking over"))


def _table(*columns: str) -> Table:
    """Narrow enough for twelve columns of counts; the first column is never broken."""
    table = Table(*columns, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.columns[0].no_wrap = True
    return table


def _refuse(error: Refused) -> typer.Exit:
    """Print everything that is wrong, and end with status 1."""
    if isinstance(error, Faulty):
        for fault in error.faults:
            errors.print(str(fault), markup=False, highlight=False)
        errors.print(
            _("%(total)d faults; nothing was written.") % {"total": error.total},
            markup=False,
            highlight=False,
        )
    else:
        errors.print(str(error.detail), markup=False, highlight=False)
    return typer.Exit(1)


@divisions.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Code lists: CSV or TSV, one year or several in a file.")
    ],
    as_of: AsOf = None,
    dry_run: DryRun = False,
    details: Annotated[
        typer.FileTextWrite | None,
        typer.Option(
            help="Write every change, with how it is known, to this CSV file.",
            lazy=False,
            encoding="utf-8-sig",
        ),
    ] = None,
) -> None:
    """Take over yearly lists of division codes, in the order of their years, all or nothing.

    A list holds from 1 January of its year, or from the date given with --as-of. The report says for each list what
    was added, dropped, renamed, recoded and merged, and puts to you what it cannot tell.
    """
    ensure_database()
    try:
        reports = imports.import_lists(
            files, as_of=as_of.date() if as_of else None, dry_run=dry_run, watch=_watch
        )
    except Refused as error:
        raise _refuse(error) from error

    head = [_("added"), _("dropped"), *(str(h.label) for h in How), _("likely"), _("to ask")]
    table = _table(_("in force from"), _("divisions"), *head)
    for r in reports:
        likely = sum(not Succession.is_certain(s.how, s.basis) for s in r.changes.steps)
        counts = [
            r.rows,
            len(r.changes.added),
            len(r.changes.dropped),
            *(len(r.steps(h)) for h in How),
            likely,
        ]
        table.add_row(str(r.day), *(str(n) if n else "·" for n in (*counts, len(r.changes.questions))))
    console.print(table)
    for entry in sorted({e for r in reports for e in r.placeholders}, key=lambda e: e.code):
        text = _("left out %(code)s %(name)s, which stands for no place")
        console.print(text % {"code": entry.code, "name": entry.name}, markup=False, highlight=False)
    for r in reports:
        for left in r.left_behind:
            what = {"divisions": left.divisions, "estates": left.estates, "buildings": left.buildings}
            text = _(
                "%(day)s: %(code)s %(name)s is no longer in force; %(divisions)d grids or divisions below it, "
                "%(estates)d estates and %(buildings)d buildings still carry its code"
            )
            text %= {"day": r.day, "code": left.code, "name": left.name, **what}
            console.print(text, markup=False, highlight=False)
    if details is not None:
        _write_details(details, reports)
        console.print(
            _("Every change is in %(file)s.") % {"file": details.name}, markup=False, highlight=False
        )
    if dry_run:
        console.print(_("This was a trial: nothing was written."))
    elif not any(r.changes for r in reports):
        console.print(_("Everything was already recorded; nothing changed."))


def _write_details(file: TextIO, reports: Iterable[imports.Report]) -> None:
    out = csv.writer(file)

    def write(*cells: object) -> None:
        out.writerow([unformulated(cell) for cell in cells])

    old, new = (_("old code"), _("old name")), (_("new code"), _("new name"))
    write(_("date"), _("what"), *old, *new, _("known by"), _("sure"))
    for r in reports:
        for e in r.changes.added:
            write(r.day, _("added"), "", "", e.code, e.name, "", "")
        for s in r.changes.steps:
            write(r.day, *_step_cells(s))
        for e in r.changes.dropped:
            write(r.day, _("dropped"), e.code, e.name, "", "", "", "")
        for q in r.changes.questions:
            for c in q.candidates:
                write(r.day, _("perhaps"), q.before.code, q.before.name, c.code, c.name, "", _("ask"))


def _step_cells(s: Step) -> list[str]:
    sure = _("certain") if Succession.is_certain(s.how, s.basis) else _("likely")
    return [
        str(s.how.label),
        s.before.code,
        s.before.name,
        s.after.code,
        s.after.name,
        str(s.basis.label),
        sure,
    ]


@divisions.command("boundaries")
def boundaries_(
    file: Annotated[
        Path, typer.Argument(help="GeoJSON of polygons, each with the code of its division or grid.")
    ],
    crs: Annotated[Crs, typer.Option(help="The reference system of the file; outlines are kept in WGS 84.")],
    as_of: AsOf = None,
    code_property: Annotated[
        str, typer.Option(help="The property that holds the code; by default code or adcode.")
    ] = "",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse invalid polygons and unknown codes instead of reporting them."),
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Take over outlines from GeoJSON, all or nothing.

    An invalid polygon is repaired and the reason kept with it; a code not in force is reported and left out.
    """
    ensure_database()
    day = as_of.date() if as_of else timezone.localdate()
    try:
        report = boundaries.import_boundaries(
            file, crs, day=day, code_property=code_property, strict=strict, dry_run=dry_run, watch=_watch
        )
    except Refused as error:
        raise _refuse(error) from error
    table = _table(_("added"), _("replaced"), _("unchanged"), _("repaired"), _("not in force"))
    groups = (report.added, report.replaced, report.unchanged, report.repaired, report.not_in_force)
    table.add_row(*(str(len(g)) for g in groups))
    console.print(table)
    for o in report.repaired:
        _say_outline(_("repaired %(code)s %(name)s: %(reason)s"), o, reason=o.repaired)
    for o in report.not_in_force:
        _say_outline(_("left out %(code)s %(name)s: not in force on %(day)s"), o, day=str(day))
    if dry_run:
        console.print(_("This was a trial: nothing was written."))
    if not any(groups[:3]):
        raise typer.Exit(1)


def _say_outline(text: str, o: Outline, **more: str) -> None:
    console.print(text % {"code": o.code, "name": o.name, **more}, markup=False, highlight=False)


@divisions.command()
def show(
    code: Annotated[str, typer.Argument(help="A code, with or without trailing zeros.")],
    as_of: AsOf = None,
) -> None:
    """Show a division as of a date: what it is, what it was before, what became of it."""
    ensure_database()
    day = as_of.date() if as_of else timezone.localdate()
    division = history.row(_stripped(code), day)
    if division is None:
        errors.print(_("No division was ever in force under %(code)s.") % {"code": code}, highlight=False)
        raise typer.Exit(1)

    until = division.valid_to
    kind = str(Kind(division.kind).label)
    lines = [f"{division.code}  {names.place_name(division.code, division.valid_from)}  {kind}"]
    if division.valid_from <= day and (until is None or day < until):
        lines.append(_("in force on %(day)s") % {"day": day})
    else:
        lines.append(_("not in force on %(day)s") % {"day": day})
    lines.append(
        _("from %(start)s, up to but not on %(end)s") % {"start": division.valid_from, "end": until}
        if until
        else _("from %(start)s") % {"start": division.valid_from}
    )
    if division.aliases:
        lines.append(_("also called %(names)s") % {"names": "、".join(division.aliases)})
    under = names.children(division.code, day)
    lines.append(_("%(count)d divisions directly under it") % {"count": len(under)})
    outline = Boundary.objects.filter(division=division).first()
    if outline is None:
        lines.append(_("no outline"))
    else:
        lines.append(_("outline from %(crs)s") % {"crs": outline.source_crs})
        if outline.repaired:
            lines.append(_("outline repaired: %(reason)s") % {"reason": outline.repaired})
    console.print("\n".join(lines), markup=False, highlight=False)
    _successions(_("came from"), history.origins(division))
    _successions(_("became"), history.fate(division))


def _successions(title: str, steps: list[Succession]) -> None:
    if not steps:
        return
    table = _table(_("date"), _("what"), _("old"), _("new"), _("known by"), _("sure"))
    table.title = title
    for s in steps:
        sure = _("certain") if Succession.is_certain(s.how, s.basis) else _("likely")
        how, basis = str(How(s.how).label), str(Succession.Basis(s.basis).label)
        table.add_row(str(s.at), how, str(s.before), str(s.after), basis, sure)
    console.print(table)


@divisions.command()
def declare(
    before: Annotated[str, typer.Argument(help="The code that ended.")],
    at: Annotated[
        dt.datetime,
        typer.Option(formats=["%Y-%m-%d"], help="The day from which it was no longer in force."),
    ],
    after: Annotated[
        list[str] | None, typer.Argument(help="What it became; leave out to remove what was inferred.")
    ] = None,
    how: Annotated[How, typer.Option(help="What happened to it.")] = How.MERGED,
) -> None:
    """Record what you know became of a division; it replaces what had been inferred."""
    ensure_database()
    try:
        declared = imports.declare(_stripped(before), [_stripped(c) for c in after or []], how, at=at.date())
    except Refused as error:
        raise _refuse(error) from error
    _successions(_("became"), declared)


@divisions.command()
def alias(
    code: Annotated[str, typer.Argument(help="The code of a division in force.")],
    aliases: Annotated[
        list[str], typer.Argument(help="All the names that people use for it beside its own.")
    ],
) -> None:
    """Say what people call a division, so that it is found in what they write."""
    ensure_database()
    try:
        imports.set_aliases(_stripped(code), aliases, day=timezone.localdate())
    except Refused as error:
        raise _refuse(error) from error


def _stripped(code: str) -> str:
    """A code as it is kept, without trailing zeros; what has not the shape of a code stays as it is."""
    level = level_of(code.ljust(12, "0"))
    return code[:level] if level is not None and len(code) <= 12 else code
