"""The units of a city: one by one, or many from a sheet. Units are added, changed and closed, never deleted."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from typing import IO, Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.dispatch import matters
from lucheng.core.errors import Conflict, Invalid, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.organisation.access import subtree
from lucheng.core.organisation.models import Post, Unit
from lucheng.core.places import names
from lucheng.core.revisions.snapshot import bump
from lucheng.postgresql.context import everything

CODE, NAME, KIND, PARENT = "单位编码", "单位名称", "单位类型", "上级单位编码"
PLACE, DOMAINS, PHONE, ACTIVE = "区划编码", "事项范围", "办公电话", "状态"

COLUMNS = (
    sheets.Column(CODE, required=True, longest=40),
    sheets.Column(NAME, required=True, longest=80),
    sheets.Column(KIND, required=True),
    sheets.Column(PARENT),
    sheets.Column(PLACE, required=True),
    sheets.Column(DOMAINS),
    sheets.Column(PHONE, longest=30),
    sheets.Column(ACTIVE),
)

#: The words of the sheet for kinds of unit.
KINDS = {
    "政府": Unit.Kind.GOVERNMENT,
    "部门": Unit.Kind.DEPARTMENT,
    "街道苏木乡镇": Unit.Kind.STREET,
    "社区嘎查村": Unit.Kind.COMMUNITY,
    "公用企业": Unit.Kind.COMPANY,
    "热线中心": Unit.Kind.HOTLINE,
    "公安": Unit.Kind.POLICE,
    "法院检察院": Unit.Kind.COURT,
    "社会组织": Unit.Kind.ORGANISATION,
}
STATES = {"": True, "在用": True, "停用": False}
_SPLIT = re.compile(r"[、,，;；\s]+")
_FIELDS = ("name", "kind", "place", "domains", "phone", "active")


@dataclass(frozen=True)
class Imported:
    """How many units a sheet added, changed and left alone."""

    added: int
    changed: int
    unchanged: int


def import_units(file: IO[bytes], *, progress: sheets.Progress | None = None) -> Imported:
    """Add and change the units of a sheet (xlsx or CSV), all or none. Units that it does not name stay.

    A parent may stand anywhere in the sheet, or be known already. Raises Faulty with every fault at its row and
    column: an unknown kind, state, place or parent, a code given twice, units above each other in a circle.
    """
    entries, faults = sheets.read(file, COLUMNS)
    with transaction.atomic():
        # The catalogue holds the names of units and whether they stand; the lock lets one import pass at a time.
        bump("catalogue")
        known = {u.code: u for u in Unit.objects.select_for_update()}
        codes = {pk: code for code, pk in ((u.code, u.pk) for u in known.values())}
        parents = {u.code: codes[u.parent_id] if u.parent_id else "" for u in known.values()}
        rows: dict[str, int] = {}
        wanted: dict[str, Unit] = {}
        for entry in sheets.counted(entries, progress):
            cells, code = entry.cells, entry.cells[CODE]
            if code in rows:
                text = format_lazy(_("The same code as in row {row}."), row=rows[code])
                faults.append(Fault(entry.row, CODE, text))
                continue
            rows[code] = entry.row
            if cells[KIND] not in KINDS:
                text = format_lazy(_("Write one of: {choices}."), choices="、".join(KINDS))
                faults.append(Fault(entry.row, KIND, text))
            if cells[ACTIVE] not in STATES:
                text = format_lazy(_("Write one of: {choices}."), choices="、".join(s for s in STATES if s))
                faults.append(Fault(entry.row, ACTIVE, text))
            if not names.exists(cells[PLACE]):
                text = format_lazy(_("There is no division or grid {code} in force."), code=cells[PLACE])
                faults.append(Fault(entry.row, PLACE, text))
            wanted[code] = Unit(
                code=code,
                name=cells[NAME],
                kind=KINDS.get(cells[KIND], ""),
                place=cells[PLACE],
                domains=[d for d in _SPLIT.split(cells[DOMAINS]) if d],
                phone=cells[PHONE],
                active=STATES.get(cells[ACTIVE], True),
            )
            parents[code] = cells[PARENT]
        for code, row in rows.items():
            if parents[code] and parents[code] not in parents:
                text = format_lazy(_("There is no unit with the code {code}."), code=parents[code])
                faults.append(Fault(row, PARENT, text))
            elif _in_circle(code, parents):
                faults.append(Fault(row, PARENT, _("These units stand above each other in a circle.")))
        if faults:
            raise Faulty(sorted(faults, key=lambda f: f.row))
        imported = _write(wanted, known, parents)
        if imported.added or imported.changed:
            acts.wrote("units_imported", details={"added": imported.added, "changed": imported.changed})
    return imported


def _in_circle(code: str, parents: dict[str, str]) -> bool:
    at, seen = parents[code], {code}
    while at and at in parents:
        if at in seen:
            return True
        seen.add(at)
        at = parents[at]
    return False


def _write(wanted: dict[str, Unit], known: dict[str, Unit], parents: dict[str, str]) -> Imported:
    added = changed = 0

    def settle(code: str) -> Unit:
        """Write one unit after the units above it."""
        nonlocal added, changed
        if code not in wanted:
            return known[code]
        new, old = wanted.pop(code), known.get(code)
        new.parent = settle(parents[code]) if parents[code] else None
        if old is not None:
            new.pk = old.pk
        if old is None:
            added += 1
            new.save()
        elif old.parent_id != new.parent_id or any(getattr(old, f) != getattr(new, f) for f in _FIELDS):
            changed += 1
            new.save(force_update=True)
        known[code] = new
        return new

    total = len(wanted)
    while wanted:
        settle(next(iter(wanted)))
    return Imported(added, changed, total - added - changed)


@dataclass(frozen=True)
class Entered:
    """What an editor says of a unit."""

    name: str
    kind: str
    place: str
    parent: Unit | None = None
    domains: tuple[str, ...] = ()
    phone: str = ""


def stamp(unit: Unit) -> str:
    """A short word for a unit as it stands, by which an edit says what its editor saw."""
    said = [getattr(unit, field) for field in _FIELDS] + [unit.parent_id]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _wrong(entered: Entered, itself: Unit | None) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    if not entered.name.strip() or len(entered.name.strip()) > 80:
        wrong["name"] = _("Write a name of at most 80 characters.")
    if entered.kind not in Unit.Kind.values:
        wrong["kind"] = format_lazy(_("Write one of: {choices}."), choices="、".join(KINDS))
    if not names.exists(entered.place):
        wrong["place"] = format_lazy(_("There is no division or grid {code} in force."), code=entered.place)
    if unknown := [d for d in entered.domains if not matters.exists(d)]:
        wrong["domains"] = format_lazy(_("There is no matter {code}."), code=", ".join(unknown))
    if len(entered.phone) > 30:
        wrong["phone"] = format_lazy(_("At most {longest} characters."), longest=30)
    if entered.parent is not None:
        if not entered.parent.active:
            wrong["parent"] = format_lazy(_("{unit} has been closed."), unit=entered.parent.name)
        elif itself is not None and entered.parent.pk in subtree([itself.pk])[itself.pk]:
            wrong["parent"] = _("These units stand above each other in a circle.")
    return wrong


def _say(unit: Unit, entered: Entered) -> None:
    unit.name, unit.kind, unit.place = entered.name.strip(), entered.kind, entered.place
    unit.parent, unit.domains, unit.phone = entered.parent, list(entered.domains), entered.phone.strip()


def add_unit(code: str, entered: Entered) -> Unit:
    """A new unit. Raises Invalid at ``code`` (empty, odd characters, taken) and at the fields of ``entered``."""
    code = code.strip()
    with transaction.atomic():
        bump("catalogue")  # first: its row lock lets one change of units pass at a time
        wrong = _wrong(entered, None)
        if not re.fullmatch(r"[\w.\-]{1,40}", code):
            wrong["code"] = _("Write at most 40 letters, digits, dots and dashes, without spaces.")
        elif Unit.objects.filter(code=code).exists():
            wrong["code"] = format_lazy(_("There is a unit with the code {code} already."), code=code)
        if wrong:
            raise Invalid(wrong)
        unit = Unit(code=code)
        _say(unit, entered)
        unit.save(force_insert=True)
        acts.wrote("unit_added", code, _told(unit))
    return unit


def _told(unit: Unit) -> dict[str, str]:
    """What the act says of a unit."""
    return {"place": unit.place, "parent": unit.parent.code if unit.parent is not None else ""}


def _locked(unit: Unit, seen: str) -> Unit:
    bump("catalogue")
    now = Unit.objects.select_for_update().get(pk=unit.pk)
    if stamp(now) != seen:
        raise Conflict(_("Somebody has changed this unit meanwhile. Look at it again."))
    return now


def edit_unit(unit: Unit, entered: Entered, *, seen: str) -> Unit:
    """Change a unit; its code stays. ``seen`` is the :func:`stamp` of the unit as the editor saw it.

    Raises Invalid at the fields of ``entered``; Conflict where somebody else has changed it since.
    """
    with transaction.atomic():
        locked = _locked(unit, seen)
        if wrong := _wrong(entered, locked):
            raise Invalid(wrong)
        _say(locked, entered)
        locked.save(force_update=True)
        acts.wrote("unit_changed", locked.code, _told(locked))
    return locked


#: What hangs on a unit is counted up to here.
COUNT_LIMIT = 1000


@dataclass(frozen=True)
class Ties:
    """What hangs on a unit: counts only, each no further than COUNT_LIMIT + 1. Who keeps units reads no cases: orders
    are told in whole fives, None for fewer (lucheng.core.cases.public.told)."""

    orders: int | None  # open ones that it leads
    assisted: int | None  # open ones in which it assists
    posts: int  # in force or to come
    below: int  # units below it that stand
    rows: int  # rows of the catalogue in force that name it as lead


@everything("how many orders hang on a unit, in fives")
def ties(unit: Unit, day: dt.date) -> Ties:
    """What hangs on ``unit`` on ``day``, in five queries."""
    from lucheng.core.cases.models import Case
    from lucheng.core.cases.public import told
    from lucheng.core.dispatch.models import Rule, Version

    def count(rows: Any) -> int:
        counted: int = rows.order_by()[: COUNT_LIMIT + 1].count()
        return counted

    involved = Case.objects.filter(open=True, units__contains=[unit.pk])
    return Ties(
        orders=told(count(involved.filter(lead_unit=unit))),
        assisted=told(count(involved.exclude(lead_unit=unit))),
        posts=count(Post.objects.filter(unit=unit).exclude(valid_to__lte=day)),
        below=count(Unit.objects.filter(parent=unit, active=True)),
        rows=count(Rule.objects.filter(version__state=Version.State.PUBLISHED, lead=unit)),
    )


def close_unit(unit: Unit, *, seen: str) -> Unit:
    """Close a unit: no new order comes to it. What it has in hand stays with it, and so do the posts in it.

    Raises Conflict where units below it stand, where it is closed already, or as :func:`edit_unit` does.
    """
    with transaction.atomic():
        locked = _locked(unit, seen)
        if not locked.active:
            raise Conflict(_("This unit has been closed already."))
        if Unit.objects.filter(parent=locked, active=True).exists():
            raise Conflict(_("Units below it stand: close them or put them under another unit first."))
        locked.active = False
        locked.save(update_fields=["active"])
        acts.wrote("unit_closed", locked.code)
    return locked


def reopen_unit(unit: Unit, *, seen: str) -> Unit:
    """Let a closed unit stand again. Raises Conflict as :func:`edit_unit` does, or where it stands already."""
    with transaction.atomic():
        locked = _locked(unit, seen)
        if locked.active:
            raise Conflict(_("This unit stands already."))
        if locked.parent is not None and not locked.parent.active:
            raise Conflict(format_lazy(_("{unit} has been closed."), unit=locked.parent.name))
        locked.active = True
        locked.save(update_fields=["active"])
        acts.wrote("unit_reopened", locked.code)
    return locked
