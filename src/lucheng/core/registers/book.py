"""Reading and writing entries, one at a time; every version is kept with its author."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from lucheng.core import copy
from lucheng.core.errors import Conflict, Invalid, NotFound, Text
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.registers.columns import Lookups
from lucheng.core.registers.models import Change, Entry, EntryQuerySet, Import
from lucheng.core.registers.register import Register, terms

#: How lists are ordered: the fields, each with the code behind it.
SORTS: Mapping[str, str] = {"place": "place", "code": "code", "name": "name", "-valid_from": "valid_from"}

IN_FORCE, TO_COME, ENDED, ANY = "in_force", "to_come", "ended", "any"


@dataclass(frozen=True)
class Wanted:
    """What a reader asked a list for; empty means any."""

    day: dt.date
    place: str = ""
    text: str = ""
    state: str = IN_FORCE
    #: Values of the register's filters by their fields' names.
    choices: tuple[tuple[str, str], ...] = ()


def find(register: Register, reader: Scope | None, wanted: Wanted) -> EntryQuerySet[Any]:
    """The entries that ``reader`` may read and ``wanted`` names, in no order."""
    rows = register.rows(reader)
    if wanted.place:
        rows = rows.under(wanted.place)
    for name, value in wanted.choices:
        column = register.by_name[name]
        several = column.kind == "choices"
        rows = rows.filter(**{f"{name}__contains": [value]} if several else {name: value})
    for word in wanted.text.casefold().split():
        # Two characters beside each other tell more than one; a word of one has nothing else.
        pieces = [t for t in terms(word) if len(t) == min(len(word), 2)]
        rows = rows.filter(terms__contains=pieces)
        if len(word) > 2:
            rows = rows.filter(Q(name__icontains=word) | Q(code__icontains=word))
    if wanted.state == IN_FORCE:
        return rows.as_of(wanted.day)
    if wanted.state == TO_COME:
        return rows.filter(valid_from__gt=wanted.day)
    if wanted.state == ENDED:
        return rows.filter(valid_to__lte=wanted.day)
    return rows


@dataclass(frozen=True)
class Page:
    """One page of a list: its rows, and the keys with which the pages beside it begin; None where there is none."""

    rows: list[Any]
    before: str | None
    after: str | None


#: Between the two parts of a key.
_APART = "~"


def page(
    rows: QuerySet[Any], sort: str = "place", *, size: int = 50, after: str = "", before: str = ""
) -> Page:
    """``size`` rows behind the key ``after``, or before the key ``before``, in the order ``sort`` (one of SORTS).

    A page is found by its key, not by counting: the last one of a million rows costs what the first does.
    """
    field = SORTS[sort]
    down = sort.startswith("-")
    key, back = (before, True) if before else (after, False)
    value, _sep, code = key.partition(_APART)
    if field == "valid_from" and not _is_day(value):
        key = ""
    if key:
        beyond = "lt" if down != back else "gt"
        if field == "code":
            rows = rows.filter(**{f"code__{beyond}": value})
        else:
            further = Q(**{f"{field}__{beyond}": value}) | Q(**{field: value, f"code__{beyond}": code})
            rows = rows.filter(further, **{f"{field}__{beyond}e": value})
    order = [field] if field == "code" else [field, "code"]
    if down != back:
        order = [f"-{name}" for name in order]
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()

    def of(row: Any) -> str:
        return str(row.code) if field == "code" else f"{getattr(row, field)}{_APART}{row.code}"

    return Page(
        found,
        of(found[0]) if found and (more if back else bool(key)) else None,
        of(found[-1]) if found and (more if not back else True) else None,
    )


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def get(register: Register, reader: Scope | None, code: str) -> Any:
    """The entry with this code, if ``reader`` may read it. Raises NotFound."""
    entry = register.rows(reader).select_related(*register.related).filter(code=code).first()
    if entry is None:
        raise NotFound(_("There is no entry with this code."))
    return entry


def history(register: Register, code: str) -> QuerySet[Change]:
    """Every version of an entry, the newest first."""
    return Change.objects.filter(register=register.slug, code=code).select_related("by").order_by("-id")


def name_all(register: Register, entries: Sequence[Entry]) -> None:
    """Give a code to each entry that came without one, the register's letters and a number that no other gets; and to
    all of them what they are found by."""
    bare = [entry for entry in entries if not entry.code]
    with connection.cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence(%s, 'id')) from generate_series(1, %s)",
            [register.model._meta.db_table, len(bare)],
        )
        for entry, (number,) in zip(bare, cursor.fetchall(), strict=True):
            entry.code = f"{register.about.prefix}{number:06d}"
    for entry in entries:
        entry.terms = terms(entry.name, entry.code)


def differs(register: Register, one: Entry, other: Entry) -> bool:
    """Whether two entries say anything that is not the same."""
    return any(getattr(one, c.field.attname) != getattr(other, c.field.attname) for c in register.columns)


def follow(before: Entry, entry: Entry) -> str:
    """Make ``entry`` the version that follows ``before``; how it came about, for :func:`note`."""
    entry.pk, entry.version = before.pk, before.version + 1
    ended = before.valid_to is None and entry.valid_to is not None
    return Change.How.RETIRED if ended else Change.How.CHANGED


def write(
    register: Register,
    code: str,
    given: Mapping[str, Any],
    *,
    by: Person | None,
    scope: Scope | None,
    now: dt.datetime,
    version: int | None = None,
) -> Any:
    """Write the entry ``code``: anew where ``version`` is None (an empty code is filled in), else over the version that
    its author saw. ``given`` holds text or JSON values by the columns' names; what it leaves out becomes empty.

    ``scope`` is checked at the place that the entry had and at the one that it gets; None is the operator of the
    machine. Writing what stands there already changes nothing.

    Raises Invalid with every wrong field, Forbidden, NotFound, Conflict (somebody else wrote first, or the code is
    taken).
    """
    values, wrong = register.read({**given, "code": code}, Lookups())
    if wrong:
        raise Invalid(wrong)
    entry = register.model(**values)
    try:
        with transaction.atomic():
            before = _locked(register, scope, code) if version is not None else None
            register.require(scope, *([before.place] if before is not None else []), entry.place)
            if wrong := register.faults(entry):
                raise Invalid(wrong)
            how: str = Change.How.ADDED
            if before is not None:
                if before.version != version:
                    raise Conflict(
                        _("Somebody else has changed this entry meanwhile: look at it again, then write.")
                    )
                if not differs(register, before, entry):
                    return before
                how = follow(before, entry)
            name_all(register, [entry])
            entry.save(force_insert=before is None)
            note(register, [(entry, how)], by=by, now=now)
            return entry
    except IntegrityError as error:
        if code_taken(error):
            raise Conflict(_("There is already an entry with this code.")) from error
        raise


def code_taken(error: IntegrityError) -> bool:
    """Whether ``error`` says that somebody else has the code already."""
    return getattr(error.__cause__, "sqlstate", None) == "23505"


def _locked(register: Register, scope: Scope | None, code: str) -> Any:
    entry = register.rows(scope).select_for_update(of=("self",)).filter(code=code).first()
    if entry is None:
        raise NotFound(_("There is no entry with this code."))
    return entry


def note(
    register: Register,
    rows: Iterable[tuple[Entry, str]],
    *,
    by: Person | None,
    now: dt.datetime,
    of: Import | None = None,
) -> None:
    """Keep these versions of entries, each with how it came about. They hold the records that they name, or each would
    be asked for."""
    author, sheet = by.pk if by is not None else None, of.pk if of is not None else None
    copy.copy(
        Change,
        ["register", "code", "number", "at", "by_id", "how", "said", "of_id"],
        (
            (
                register.slug,
                entry.code,
                entry.version,
                now,
                author,
                str(how),
                json.dumps(register.said(entry), ensure_ascii=False),
                sheet,
            )
            for entry, how in rows
        ),
    )


def retire(
    register: Register,
    code: str,
    day: dt.date,
    *,
    by: Person | None,
    scope: Scope | None,
    now: dt.datetime,
    version: int,
) -> Any:
    """Let the entry no longer hold from ``day`` on. Raises as :func:`write` does."""
    entry = get(register, scope, code)
    return write(
        register,
        code,
        {**register.said(entry), "valid_to": day.isoformat()},
        by=by,
        scope=scope,
        now=now,
        version=version,
    )


def differences(register: Register, change: Change, before: Change | None) -> list[tuple[Text, str, str]]:
    """What ``change`` altered, field by field: label, before, after, in a person's words."""
    if before is None:
        return []
    return [
        (column.label, column.shown(before.said.get(name)), column.shown(change.said.get(name)))
        for name, column in register.by_name.items()
        if before.said.get(name) != change.said.get(name)
    ]
