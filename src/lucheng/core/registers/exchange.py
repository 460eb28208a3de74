"""Registers as sheets: out in the reader's rights, and in again, all or nothing, with a way back."""

from __future__ import annotations

import datetime as dt
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from psycopg import sql

from lucheng.core import copy, sheets
from lucheng.core.errors import Conflict, Forbidden, NotFound, Text
from lucheng.core.faults import SHOWN, Fault, Faulty
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import locate
from lucheng.core.registers.book import code_taken
from lucheng.core.registers.columns import Lookups
from lucheng.core.registers.models import Change, Entry, Import
from lucheng.core.registers.register import Register, named, terms

MAX_BYTES = 20 * 1024 * 1024
_PIECE = 2000
#: A cell of a sheet: the row as its reader sees it, and its cells by header.
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
            yield [c.shown(c.said(c.of(entry))) for c in register.columns]


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


def _how(column: Any) -> Text:
    """What to write into a column."""
    parts: list[Text] = []
    if column.required and column.kind != "yes":
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
        parts.append("、".join(str(label) for _value, label in column.choices))
    elif column.kind in hints:
        parts.append(hints[column.kind])
    if column.help and column.kind not in ("place",):
        parts.append(column.help)
    return " ".join(str(p) for p in parts)


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
    by_header = {c.header: c for c in register.columns}
    lookups = Lookups()
    known = _known(register, rows, by_header)
    twins = _twins(register, rows, by_header)
    seen: dict[str, int] = {}
    ready: list[tuple[int, Entry]] = []
    for row in sheets.counted(rows, progress):
        given = {by_header[h].name: text for h, text in row.cells.items() if h in by_header}
        values, wrong = register.read(given, lookups)
        code = given.get("code", "")
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
        entry.terms = terms(entry.name, entry.code)
        if before is None:
            found.added.append(entry)
        elif _differs(register, before, entry):
            entry.pk, entry.version = before.pk, before.version + 1
            found.changed.append((entry, before))
        else:
            found.unchanged += 1


def _differs(register: Register, one: Entry, other: Entry) -> bool:
    return any(getattr(one, c.field.attname) != getattr(other, c.field.attname) for c in register.columns)


def _known(register: Register, rows: Rows, by_header: Mapping[str, Any]) -> dict[str, Entry]:
    """The entries that ``rows`` name by their codes."""
    header = register.by_name["code"].header
    codes = [row.cells[header] for row in rows if row.cells[header]]
    entries: QuerySet[Any] = register.model.objects.all()
    found: dict[str, Entry] = {}
    for at in range(0, len(codes), 20_000):
        found |= {e.code: e for e in entries.filter(code__in=codes[at : at + 20_000])}
    return found


def _twins(register: Register, rows: Rows, by_header: Mapping[str, Any]) -> set[tuple[str, str]]:
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
            if code_taken(error):
                raise Conflict(
                    _("Somebody added an entry with one of these codes meanwhile. Check it again.")
                ) from error
            raise
    return found


def _write(
    register: Register, found: Checked, *, by: Person | None, now: dt.datetime, of: Import | None
) -> None:
    _give_codes(register, found.added)
    if found.changed:
        expected = {before.pk: before.version for _entry, before in found.changed}
        locked = (
            register.model.objects.select_for_update()
            .filter(pk__in=list(expected))
            .values_list("pk", "version")
        )
        if dict(locked) != expected:
            raise Conflict(_("Somebody changed one of these entries meanwhile. Check it again."))
    _copy(register.model, found.added)
    _replace(register.model, [entry for entry, _before in found.changed])
    rows = [
        *((e, Change.How.ADDED) for e in found.added),
        *(
            (e, Change.How.RETIRED if b.valid_to is None and e.valid_to is not None else Change.How.CHANGED)
            for e, b in found.changed
        ),
    ]
    _note(register, rows, by=by, now=now, of=of)


def _give_codes(register: Register, entries: Sequence[Entry]) -> None:
    bare = [e for e in entries if not e.code]
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)",
            [register.model._meta.db_table, len(bare)],
        )
        for entry, (number,) in zip(bare, cursor.fetchall(), strict=True):
            entry.code = f"{register.about.prefix}{number:06d}"
            entry.terms = terms(entry.name, entry.code)


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


def _note(
    register: Register,
    rows: Iterable[tuple[Entry, str]],
    *,
    by: Person | None,
    now: dt.datetime,
    of: Import | None,
) -> None:
    rows = list(rows)
    related = {name: _codes(register, name, [e for e, _how in rows]) for name in register.related}

    def said(entry: Entry) -> str:
        all_of_it = {
            c.name: related[c.name].get(getattr(entry, c.field.attname))
            if c.name in related
            else c.said(getattr(entry, c.name))
            for c in register.columns
        }
        return json.dumps(all_of_it, ensure_ascii=False)

    copy.copy(
        Change,
        ["register", "code", "number", "at", "by_id", "how", "said", "of_id"],
        (
            (
                register.slug,
                e.code,
                e.version,
                now,
                by.pk if by is not None else None,
                str(how),
                said(e),
                of.pk if of is not None else None,
            )
            for e, how in rows
        ),
    )


def _codes(register: Register, name: str, entries: Sequence[Entry]) -> dict[Any, str]:
    """The codes of the records to which the field ``name`` of ``entries`` leads, by their keys."""
    column = register.by_name[name]
    model: Any = column.field.related_model
    keys = {getattr(e, column.field.attname) for e in entries} - {None}
    return dict(model._default_manager.filter(pk__in=keys).values_list("pk", "code"))


# --- an import with its steps --------------------------------------------------------------------------------------


def pack(rows: Rows) -> bytes:
    """Rows as they were read, small enough to keep until they are taken over."""
    return zlib.compress(msgspec.json.encode([(r.row, r.cells) for r in rows]))


def unpack(content: bytes) -> Rows:
    return [sheets.Entry(row, cells) for row, cells in msgspec.json.decode(zlib.decompress(content))]


def bring(
    register: Register, file: IO[bytes], name: str, *, by: Person, scope: Scope, now: dt.datetime
) -> Import:
    """Keep a sheet that somebody brought, for the worker to check. Raises Forbidden; Faulty where it is too large."""
    if not scope.can(register.about.edit):
        register.require(scope, "")
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Faulty([Fault(0, "", _("This file is too large. Split it into several."))])
    return Import.objects.create(register=register.slug, file_name=name[:120], content=content, by=by, at=now)


def _words(fault: Fault) -> list[Any]:
    """A fault in every language, since whoever reads it may have another than the worker."""
    texts = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            texts[language] = str(fault.text)
    return [fault.row, str(fault.column), texts]


def examine(found: Import, scope: Scope | None) -> None:
    """Check an import that waits, and keep what was found. The worker does; again where it was cut off."""
    register = named(found.register)
    faults: list[Fault] = []
    checked = Checked()
    try:
        if found.read:
            rows = unpack(bytes(found.content))
        else:
            rows, faults = read(register, io.BytesIO(bytes(found.content)))
        Import.objects.filter(pk=found.pk).update(rows=len(rows), done=0)
        checked = check(register, rows, scope, progress=_progress(found))
        faults = sorted([*faults, *checked.faults], key=lambda f: f.row)
        total = len(faults)
        if not faults:
            found.content, found.read = pack(rows), True
    except Faulty as wrong:
        faults, total = list(wrong.faults), wrong.total
    found.rows = found.done = checked.rows
    found.added, found.changed, found.unchanged = len(checked.added), len(checked.changed), checked.unchanged
    found.faults, found.fault_count = [_words(f) for f in faults[:SHOWN]], total
    found.state = Import.State.FAULTY if faults else Import.State.CHECKED
    if faults:
        found.content = b""
    found.save()


def _progress(found: Import) -> sheets.Progress:
    def report(done: int, total: int) -> None:
        if done % _PIECE == 0:
            Import.objects.filter(pk=found.pk).update(done=done)

    return report


def carry_out(found: Import, scope: Scope | None, now: dt.datetime) -> None:
    """Take an approved import over. What no longer fits is said as faults, and nothing is written."""
    register = named(found.register)
    Import.objects.filter(pk=found.pk).update(done=0)
    try:
        with transaction.atomic():
            done = take_over(
                register,
                unpack(bytes(found.content)),
                by=found.by,
                scope=scope,
                now=now,
                of=found,
            )
            found.added, found.changed, found.unchanged = len(done.added), len(done.changed), done.unchanged
            found.state, found.ended_at, found.content, found.done = Import.State.DONE, now, b"", found.rows
            found.save()
    except (Faulty, Conflict) as wrong:
        # Whoever approved it looked at something else: let them look again.
        found.state = Import.State.WAITING
        if isinstance(wrong, Faulty):
            found.state, found.content = Import.State.FAULTY, b""
            found.faults, found.fault_count = [_words(f) for f in wrong.faults], wrong.total
        found.save()


def undo(found: Import, scope: Scope | None, now: dt.datetime) -> None:
    """Take an import back: what it added goes, what it changed is as it was before.

    All or nothing: where one of its entries was changed since, or is named by another record, nothing is taken back and
    the import says which.
    """
    register = named(found.register)
    try:
        with transaction.atomic():
            _undo(register, found, scope, now)
            found.state, found.ended_at = Import.State.UNDONE, now
            found.save()
    except Faulty as wrong:
        found.state = Import.State.DONE
        found.faults, found.fault_count = [_words(f) for f in wrong.faults], wrong.total
        found.save()


def _undo(register: Register, found: Import, scope: Scope | None, now: dt.datetime) -> None:
    changes = {c.code: c for c in found.changes.exclude(how=Change.How.TAKEN_BACK)}
    entries = {e.code: e for e in register.model.objects.select_for_update().filter(code__in=list(changes))}
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
        register.require(scope, entry.place)
        if change.how == Change.How.ADDED:
            gone.append(entry)
            continue
        values, wrong = register.read(earlier[code].said, lookups)
        if wrong:
            faults.append(Fault(0, code, next(iter(wrong.values()))))
            continue
        old = register.model(**values)
        old.pk, old.version, old.terms = entry.pk, entry.version + 1, terms(old.name, old.code)
        back.append(old)
    faults += [Fault(0, e.code, _("Another record names this entry.")) for e in _named_elsewhere(gone)]
    if faults:
        raise Faulty(faults)
    _replace(register.model, back)
    # No id is needed to keep that an entry is no more: its last version says what it was.
    _note(register, [(e, Change.How.TAKEN_BACK) for e in (*back, *gone)], by=found.by, now=now, of=found)
    register.model.objects.filter(pk__in=[e.pk for e in gone]).delete()


def _named_elsewhere(entries: Sequence[Entry]) -> list[Entry]:
    """Those of ``entries`` to which another record leads."""
    if not entries:
        return []
    named_: set[Any] = set()
    keys = [e.pk for e in entries]
    for relation in entries[0]._meta.related_objects:
        model: Any = relation.related_model
        name = relation.field.attname
        named_ |= set(model._default_manager.filter(**{f"{name}__in": keys}).values_list(name, flat=True))
    return [e for e in entries if e.pk in named_]


def take_over_now(
    register: Register,
    rows: Rows,
    name: str,
    now: dt.datetime,
    *,
    progress: sheets.Progress | None = None,
) -> tuple[Checked, int]:
    """Take a sheet over at once, as the operator of the machine; what was done, and the number of the import.

    Raises as :func:`take_over` does.
    """
    with transaction.atomic():
        made = Import.objects.create(
            register=register.slug,
            file_name=name[:120],
            content=b"",
            at=now,
            state=Import.State.DONE,
            ended_at=now,
        )
        done = take_over(register, rows, by=None, scope=None, now=now, of=made, progress=progress)
        made.rows = made.done = done.rows
        made.added, made.changed, made.unchanged = len(done.added), len(done.changed), done.unchanged
        made.save()
    return done, made.pk


def entered(register: Register, rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Rows that a program has by the columns' names, as a sheet would bring them. None is an empty cell."""

    def cell(given: Any) -> str:
        return "" if given is None else str(given)

    return [
        sheets.Entry(number, {c.header: cell(given.get(c.name)) for c in register.columns})
        for number, given in enumerate(rows, 2)
    ]


def undo_now(register: Register, pk: int, now: dt.datetime) -> None:
    """Take an import back at once, as the operator of the machine. Raises NotFound, Conflict or Faulty."""
    with transaction.atomic():
        found = Import.objects.select_for_update().filter(register=register.slug, pk=pk).first()
        if found is None:
            raise NotFound(_("There is no such import."))
        if found.state != Import.State.DONE:
            raise Conflict(_("This import is in another state by now: look at it again."))
        _undo(register, found, None, now)
        found.state, found.ended_at = Import.State.UNDONE, now
        found.save()


# --- steps that a person takes -------------------------------------------------------------------------------------


def imports(register: Register, reader: Scope) -> QuerySet[Import]:
    """The imports of a register, for whoever may write in it anywhere; the newest first."""
    rows = Import.objects.filter(register=register.slug).select_related("by").defer("content").order_by("-id")
    return rows if reader.can(register.about.edit) else rows.none()


def get(register: Register, reader: Scope, pk: int) -> Import:
    """Raises NotFound."""
    found = imports(register, reader).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such import."))
    return found


#: What a person may do with an import: the states in which they may, and the state that follows.
STEPS: Mapping[str, tuple[tuple[str, ...], str, Text]] = {
    "approve": ((Import.State.CHECKED,), Import.State.APPROVED, pgettext_lazy("import", "Take it over")),
    "drop": (
        (Import.State.CHECKED, Import.State.WAITING),
        Import.State.DROPPED,
        pgettext_lazy("import", "Drop it"),
    ),
    "undo": ((Import.State.DONE,), Import.State.UNDOING, pgettext_lazy("import", "Take it back")),
}


def step(register: Register, reader: Scope, pk: int, what: str, *, by: Person, now: dt.datetime) -> Import:
    """Take one of STEPS. Only whoever brought a sheet takes it over or back, since it is checked in their rights.

    Raises NotFound, Forbidden, Conflict where it is in another state by now.
    """
    if what not in STEPS:
        raise NotFound(_("There is no such step."))
    states, to, _label = STEPS[what]
    with transaction.atomic():
        found = get(register, reader, pk)
        if found.by_id != by.pk:
            raise Forbidden(
                _("Whoever brought a sheet takes it over or back: it was checked in their rights.")
            )
        held = Import.objects.select_for_update().defer("content").get(pk=pk)
        if held.state not in states:
            raise Conflict(_("This import is in another state by now: look at it again."))
        held.state, held.faults, held.fault_count = to, [], 0
        if to == Import.State.DROPPED:
            held.content, held.ended_at = b"", now
        held.save()
    return held
