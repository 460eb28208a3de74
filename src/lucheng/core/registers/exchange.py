"""Registers as sheets: out in the reader's rights, and in again, all or nothing, with a way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import ManyToOneRel, QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from lucheng.core import copy, sheets
from lucheng.core.errors import Conflict, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import locate
from lucheng.core.registers import book
from lucheng.core.registers.columns import BETWEEN, Column, Lookups, foresee
from lucheng.core.registers.models import Change, Entry, Import
from lucheng.core.registers.register import Register

_PIECE = 2000
#: A sheet as it was read: each row's number as its reader sees it, and its cells by header.
Rows = list[sheets.Entry]


# --- out -----------------------------------------------------------------------------------------------------------


def _columns(register: Register) -> tuple[sheets.Column, ...]:
    # Whether a cell may be empty is said by the column itself, in one place for sheet, form and API.
    return tuple(
        sheets.Column(c.header, longest=c.longest(), kind=c.kind if c.kind in ("day", "number") else "text")
        for c in register.columns
    )


def headers(register: Register) -> list[str]:
    return [c.header for c in register.columns]


def _cells(register: Register, entries: Iterable[Any]) -> Iterator[list[str]]:
    with translation.override(settings.LANGUAGE_CODE):
        for entry in entries:
            yield [c.text(entry) for c in register.columns]


def export(register: Register, rows: QuerySet[Any], file: IO[bytes], *, kind: str = "xlsx") -> int:
    """Write the entries ``rows``, by place and code, to ``file``; how many there were. Import takes the sheet back
    unchanged. ``kind`` is xlsx or csv.

    Raises Faulty where there are more than a sheet may hold.
    """
    rows = rows.select_related(*register.related).order_by("place", "code")
    count = rows.count()
    if count > sheets.MAX_ROWS:
        raise Faulty([Fault(0, "", _("These are more rows than a sheet holds. Narrow the list first."))])
    cells = _cells(register, rows.iterator(_PIECE))
    if kind == "csv":
        sheets.write_csv(file, headers(register), cells)
    else:
        with translation.override(settings.LANGUAGE_CODE):
            title = str(register.about.name)
        sheets.write(file, title, headers(register), cells, [_width(c.kind) for c in register.columns])
    return count


def _width(kind: str) -> int:
    return {"text": 24, "words": 24, "choices": 24, "place": 17, "unit": 20}.get(kind, 12)


def template(register: Register, file: IO[bytes]) -> None:
    """Write an empty sheet with the register's headers, and under them what may stand in each column."""
    with translation.override(settings.LANGUAGE_CODE):
        sheets.write(
            file,
            str(register.about.name),
            headers(register),
            [],
            [_width(c.kind) for c in register.columns],
            notes=[(c.header, str(_how(c))) for c in register.columns],
        )


def _how(column: Column) -> Text:
    """What to write into a column."""
    parts: list[Text] = []
    if column.required:
        parts.append(_("Must be filled in."))
    hints: dict[str, Text] = {
        "place": _("The code of a division or grid, or its whole name."),
        "unit": _("The code of a unit, or its whole name."),
        "entry": _("The code of an entry of the other register, or its whole name."),
        "day": _("A day as 2026-03-01."),
        "yes": _("是 or 否."),
        "number": _("A number."),
        "words": _("Several words, with 、 between them."),
    }
    if column.choices:
        one = column.kind == "choice"
        parts.append(_("One of:") if one else _("One or several, with 、 between them:"))
        parts.append(BETWEEN.join(str(label) for _value, label in column.choices))
    elif column.kind in hints:
        parts.append(hints[column.kind])
    if column.help and column.kind != "place":
        parts.append(column.help)
    return " ".join(str(p) for p in parts)


def sheet_of(register: Register, given: Iterable[Mapping[str, Any]]) -> Rows:
    """A sheet as it would be read whose rows say ``given``, text or numbers by the columns' names; None is empty."""
    headers = {c.name: c.header for c in register.columns}
    return [
        sheets.Entry(
            number,
            {h: "" if (said := row.get(name)) is None else str(said) for name, h in headers.items()},
        )
        for number, row in enumerate(given, 2)
    ]


# --- in: checking --------------------------------------------------------------------------------------------------


@dataclass
class Checked:
    """What a sheet would do to a register. ``faults`` empty means that it may be taken over."""

    rows: int = 0
    added: list[Entry] = field(default_factory=list)
    #: The entry as it would become, and as it stands.
    changed: list[tuple[Entry, Entry]] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)


def read(register: Register, file: IO[bytes]) -> tuple[Rows, list[Fault]]:
    """The rows of a sheet for this register. Raises Faulty where nothing can be read."""
    return sheets.read(file, _columns(register))


def check(
    register: Register, rows: Rows, scope: Scope | None, *, progress: sheets.Progress | None = None
) -> Checked:
    """What ``rows`` would do, on behalf of whoever has ``scope``. Writes nothing.

    An entry is known by its code. A row without one is new, and is refused where an entry in force has its name and
    place: it would stand there twice.
    """
    found = Checked(rows=len(rows))
    lookups = Lookups()
    foresee(register.columns, [row.cells for row in rows], lookups)
    known = _known(register, rows)
    twins = _twins(register, rows)
    seen: dict[str, int] = {}
    ready: list[tuple[int, Entry]] = []
    for row in sheets.counted(rows, progress):
        given = {c.name: row.cells[c.header] for c in register.columns}
        values, wrong = register.read(given, lookups)
        code = given["code"]
        if code and code in seen:
            wrong["code"] = _("This code stands there twice.")
        seen.setdefault(code, row.row)
        if not wrong:
            entry = register.model(**values)
            before = known.get(entry.code)
            if not code and (entry.name, entry.place) in twins:
                wrong["code"] = _("An entry of this name stands at this place already. Give its code.")
            places = [entry.place, *([before.place] if before is not None else [])]
            if not all(register.may_write(scope, place) for place in places):
                wrong["place"] = _("Your posts do not let you write at this place.")
            if not code:
                twins.add((entry.name, entry.place))
            ready.append((row.row, entry))
        found.faults += [Fault(row.row, register.by_name[n].header, text) for n, text in wrong.items()]
    _as_wholes(register, ready, known, found)
    return found


def _as_wholes(
    register: Register, ready: Sequence[tuple[int, Entry]], known: Mapping[str, Entry], found: Checked
) -> None:
    """Look at entries as wholes, and sort them into new ones, changed ones and others."""
    points = [(e.lon, e.lat) for _row, e in ready if e.lon is not None and e.lat is not None]
    located = iter(locate.locate_points([lon for lon, _lat in points], [lat for _lon, lat in points]))
    for row, entry in ready:
        has_point = entry.lon is not None and entry.lat is not None
        wrong = register.faults(entry, point=next(located) if has_point else None)
        if wrong:
            found.faults += [Fault(row, register.by_name[n].header, text) for n, text in wrong.items()]
            continue
        before = known.get(entry.code) if entry.code else None
        if before is None:
            found.added.append(entry)
        elif book.differs(register, before, entry):
            found.changed.append((entry, before))
        else:
            found.unchanged += 1


def _known(register: Register, rows: Rows) -> dict[str, Entry]:
    """The entries that ``rows`` name by their codes."""
    header = register.by_name["code"].header
    codes = [row.cells[header] for row in rows if row.cells[header]]
    entries: QuerySet[Any] = register.model.objects.all()
    found: dict[str, Entry] = {}
    for at in range(0, len(codes), 20_000):
        found |= {e.code: e for e in entries.filter(code__in=codes[at : at + 20_000])}
    return found


def _twins(register: Register, rows: Rows) -> set[tuple[str, str]]:
    """Name and place of the entries in force that have a name which a row without a code brings."""
    code, name = register.by_name["code"].header, register.by_name["name"].header
    names = list({row.cells[name] for row in rows if not row.cells[code]})
    found: set[tuple[str, str]] = set()
    for at in range(0, len(names), 20_000):
        entries = register.model.objects.filter(name__in=names[at : at + 20_000], valid_to=None)
        found |= set(entries.values_list("name", "place"))
    return found


# --- in: writing ---------------------------------------------------------------------------------------------------


def take_over(
    register: Register,
    rows: Rows,
    *,
    by: Person | None,
    scope: Scope | None,
    now: dt.datetime,
    of: Import | None = None,
    progress: sheets.Progress | None = None,
) -> Checked:
    """Write what ``rows`` say, all or nothing.

    Raises Faulty with every fault at its row and column, Conflict where somebody wrote one of the entries meanwhile.
    """
    found = check(register, rows, scope, progress=progress)
    if found.faults:
        raise Faulty(found.faults)
    with transaction.atomic():
        try:
            _write(register, found, by=by, now=now, of=of)
        except IntegrityError as error:
            if book.code_taken(error):
                raise Conflict(
                    _("Somebody added an entry with one of these codes meanwhile. Check it again.")
                ) from error
            raise
    return found


def _write(
    register: Register, found: Checked, *, by: Person | None, now: dt.datetime, of: Import | None
) -> None:
    if found.changed:
        expected = {before.pk: before.version for _entry, before in found.changed}
        locked = (
            register.model.objects.select_for_update()
            .filter(pk__in=list(expected))
            .values_list("pk", "version")
        )
        if dict(locked) != expected:
            raise Conflict(_("Somebody changed one of these entries meanwhile. Check it again."))
    versions: list[tuple[Entry, str]] = [(entry, Change.How.ADDED) for entry in found.added]
    versions += [(entry, book.follow(before, entry)) for entry, before in found.changed]
    book.name_all(register, [entry for entry, _how in versions])
    _copy(register.model, found.added)
    _replace(register.model, [entry for entry, _before in found.changed])
    book.note(register, versions, by=by, now=now, of=of)


def _fields(model: type[Entry]) -> list[Any]:
    return [f for f in model._meta.concrete_fields if not f.primary_key]


def _values(entry: Entry, fields: Sequence[Any]) -> list[Any]:
    return [f.get_db_prep_save(getattr(entry, f.attname), connection) for f in fields]


def _copy(model: type[Entry], entries: Sequence[Entry]) -> None:
    fields = _fields(model)
    copy.copy(model, [f.column for f in fields], (_values(e, fields) for e in entries))


def _replace(model: type[Entry], entries: Sequence[Entry]) -> None:
    """Overwrite the rows of ``entries``, by way of a table that lasts as long as the transaction."""
    if not entries:
        return
    fields = _fields(model)
    columns = ["id", *(f.column for f in fields)]
    table = sql.Identifier(model._meta.db_table)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with copy.raw_cursor() as cursor:
        cursor.execute(
            sql.SQL("create temp table brought on commit drop as select {} from {} with no data").format(
                names, table
            )
        )
        with cursor.copy(sql.SQL("copy brought ({}) from stdin").format(names)) as out:
            for entry in entries:
                out.write_row([entry.pk, *_values(entry, fields)])
        cursor.execute(
            sql.SQL("update {} t set {} from brought b where b.id = t.id").format(
                table,
                sql.SQL(", ").join(
                    sql.SQL("{0} = b.{0}").format(sql.Identifier(name)) for name in columns if name != "id"
                ),
            )
        )
        cursor.execute("drop table brought")


def take_back(register: Register, found: Import, scope: Scope | None, now: dt.datetime) -> None:
    """Undo what an import wrote, all or nothing: what it added goes, what it changed is as it was before. In the
    caller's transaction.

    Raises Faulty with the code of each entry that was changed since, that another record names, or that lies beyond
    ``scope``.
    """
    changes = {c.code: c for c in found.changes.exclude(how=Change.How.TAKEN_BACK)}
    locked = register.model.objects.select_related(*register.related).select_for_update(of=("self",))
    entries = {e.code: e for e in locked.filter(code__in=list(changes))}
    faults: list[Fault] = []
    back: list[Entry] = []
    gone: list[Entry] = []
    lookups = Lookups()
    versions = Change.objects.filter(register=register.slug, code__in=list(changes)).exclude(of=found)
    earlier = {c.code: c for c in versions.order_by("code", "-id").distinct("code")}
    for code, change in changes.items():
        entry = entries.get(code)
        if entry is None or entry.version != change.number:
            faults.append(
                Fault(0, code, _("This entry was changed since. It is not taken back, nor are the others."))
            )
            continue
        if not register.may_write(scope, entry.place):
            faults.append(Fault(0, code, _("Your posts do not let you write at this place.")))
            continue
        if change.how == Change.How.ADDED:
            gone.append(entry)
            continue
        values, wrong = register.read(earlier[code].said, lookups)
        if wrong:
            faults.append(Fault(0, code, next(iter(wrong.values()))))
            continue
        old = register.model(**values)
        book.follow(entry, old)
        back.append(old)
    faults += [Fault(0, e.code, _("Another record names this entry.")) for e in _named_elsewhere(gone)]
    if faults:
        raise Faulty(faults)
    book.name_all(register, back)
    _replace(register.model, back)
    # No id is needed to keep that an entry is no more: its last version says what it was.
    taken: list[tuple[Entry, str]] = [(e, Change.How.TAKEN_BACK) for e in (*back, *gone)]
    book.note(register, taken, by=found.by, now=now, of=found)
    register.model.objects.filter(pk__in=[e.pk for e in gone]).delete()


def _named_elsewhere(entries: Sequence[Entry]) -> list[Entry]:
    """Those of ``entries`` to which another record leads."""
    if not entries:
        return []
    found: set[Any] = set()
    keys = [e.pk for e in entries]
    relations = [f for f in entries[0]._meta.get_fields(include_hidden=True) if isinstance(f, ManyToOneRel)]
    for relation in relations:
        model: Any = relation.related_model
        name = relation.field.attname
        found |= set(model._default_manager.filter(**{f"{name}__in": keys}).values_list(name, flat=True))
    return [e for e in entries if e.pk in found]
