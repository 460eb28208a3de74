"""Imports of sheets with their steps: brought by somebody, checked and written by the worker, taken over and taken back
by whoever brought them; and at once, for the operator of the machine."""

from __future__ import annotations

import datetime as dt
import io
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core import sheets
from lucheng.core.errors import Conflict, Forbidden, NotFound, Text, in_every_language
from lucheng.core.faults import SHOWN, Fault, Faulty
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.registers import exchange
from lucheng.core.registers.exchange import Checked, Rows
from lucheng.core.registers.models import Import
from lucheng.core.registers.register import Register, named

#: Rows looked at between two notes of progress.
_EVERY = 2000


def _pack(rows: Rows) -> bytes:
    """Rows as they were read, small enough to keep until they are taken over."""
    return zlib.compress(msgspec.json.encode([(r.row, r.cells) for r in rows]))


def _unpack(content: bytes) -> Rows:
    return [sheets.Entry(row, cells) for row, cells in msgspec.json.decode(zlib.decompress(content))]


def bring(
    register: Register, file: IO[bytes], name: str, *, by: Person, scope: Scope, now: dt.datetime
) -> Import:
    """Keep a sheet that somebody brought, for the worker to check. Raises Forbidden; Faulty where it is too large."""
    register.require_keeper(scope)
    content = file.read(sheets.MAX_BYTES + 1)
    if len(content) > sheets.MAX_BYTES:
        raise sheets.too_large()
    return Import.objects.create(register=register.slug, file_name=name[:120], content=content, by=by, at=now)


def _blame(found: Import, faults: Sequence[Fault], total: int) -> None:
    """Say on an import what is wrong with it: the first faults, and how many there are in all."""
    shown = [(f.row, str(f.column), in_every_language(f.text)) for f in faults[:SHOWN]]
    found.faults, found.fault_count = shown, total


def _tell(found: Import, checked: Checked) -> None:
    """Say on an import what it does."""
    found.rows = found.done = checked.rows
    found.added, found.changed, found.unchanged = len(checked.added), len(checked.changed), checked.unchanged


def examine(found: Import, scope: Scope | None) -> None:
    """Check an import that waits, and keep what was found. The worker does; again where it was cut off."""
    register = named(found.register)
    faults: list[Fault] = []
    checked = Checked()
    try:
        if found.read:
            rows = _unpack(bytes(found.content))
        else:
            rows, faults = exchange.read(register, io.BytesIO(bytes(found.content)))
        Import.objects.filter(pk=found.pk).update(rows=len(rows), done=0)
        checked = exchange.check(register, rows, scope, progress=_progress(found))
        faults = sorted([*faults, *checked.faults], key=lambda f: f.row)
        total = len(faults)
        if not faults:
            found.content, found.read = _pack(rows), True
    except Faulty as wrong:
        faults, total = list(wrong.faults), wrong.total
    _tell(found, checked)
    _blame(found, faults, total)
    found.state = Import.State.FAULTY if faults else Import.State.CHECKED
    if faults:
        found.content = b""
    found.save()


def _progress(found: Import) -> sheets.Progress:
    def report(done: int, total: int) -> None:
        if done % _EVERY == 0:
            Import.objects.filter(pk=found.pk).update(done=done)

    return report


def carry_out(found: Import, scope: Scope | None, now: dt.datetime) -> None:
    """Take an approved import over. What no longer fits is said as faults, and nothing is written."""
    register = named(found.register)
    Import.objects.filter(pk=found.pk).update(done=0)
    try:
        with transaction.atomic():
            done = exchange.take_over(
                register,
                _unpack(bytes(found.content)),
                by=found.by,
                scope=scope,
                now=now,
                of=found,
            )
            _tell(found, done)
            found.state, found.ended_at, found.content = Import.State.DONE, now, b""
            found.save()
    except (Faulty, Conflict) as wrong:
        # Whoever approved it looked at something else: let them look again.
        found.state = Import.State.WAITING
        if isinstance(wrong, Faulty):
            found.state, found.content = Import.State.FAULTY, b""
            _blame(found, wrong.faults, wrong.total)
        found.save()


def _take_back(register: Register, found: Import, scope: Scope | None, now: dt.datetime) -> None:
    exchange.take_back(register, found, scope, now)
    found.state, found.ended_at = Import.State.UNDONE, now
    found.save()


def undo(found: Import, scope: Scope | None, now: dt.datetime) -> None:
    """Take an import back: what it added goes, what it changed is as it was before.

    All or nothing: where one of its entries was changed since, or is named by another record, nothing is taken back and
    the import says which.
    """
    register = named(found.register)
    try:
        with transaction.atomic():
            _take_back(register, found, scope, now)
    except Faulty as wrong:
        found.state = Import.State.DONE
        _blame(found, wrong.faults, wrong.total)
        found.save()


def take_over_now(
    register: Register,
    rows: Rows,
    name: str,
    now: dt.datetime,
    *,
    progress: sheets.Progress | None = None,
) -> tuple[Checked, int]:
    """Take a sheet over at once, as the operator of the machine; what was done, and the number of the import.

    Raises as :func:`exchange.take_over` does.
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
        done = exchange.take_over(register, rows, by=None, scope=None, now=now, of=made, progress=progress)
        _tell(made, done)
        made.save()
    return done, made.pk


def write(
    slug: str, given: Iterable[Mapping[str, Any]], now: dt.datetime, name: str = ""
) -> tuple[Checked, int]:
    """The same for rows that a program has, by the columns' names, in the register called ``slug``. Without a ``name``
    the sheet is called as the register is."""
    register = named(slug)
    rows = exchange.sheet_of(register, given)
    return take_over_now(register, rows, name or f"{register.about.name}.xlsx", now)


def undo_now(register: Register, pk: int, now: dt.datetime) -> None:
    """Take an import back at once, as the operator of the machine. Raises NotFound, Conflict or Faulty."""
    with transaction.atomic():
        found = Import.objects.select_for_update().filter(register=register.slug, pk=pk).first()
        if found is None:
            raise NotFound(_("There is no such import."))
        if found.state != Import.State.DONE:
            raise Conflict(_("This import is in another state by now: look at it again."))
        _take_back(register, found, None, now)


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
