"""Importing the units of a city from a sheet. Units are added, changed and closed, never deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.faults import Fault, Faulty
from lucheng.core.organisation.models import Unit
from lucheng.core.places import names
from lucheng.core.revisions.snapshot import bump

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
        return _write(wanted, known, parents)


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
