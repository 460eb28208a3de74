"""The classes of matter: names in memory, and loading them from a data pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.dispatch.models import Matter
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.revisions.snapshot import Snapshot, bump

#: The classes that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "matters.toml"

_FIELDS = {
    "code": packs.Field(required=True, longest=12),
    "name": packs.Field(required=True, longest=40),
    "name_en": packs.Field(longest=80),
    "terms": packs.Field(list, longest=40),
    "examples": packs.Field(list, longest=500),
    "grassroots": packs.Field(bool),
    "urgency": packs.Field(),
}
#: As in lucheng.core.cases.models.Urgency; ordinary is what a matter without an urgency has.
_URGENCIES = ("", "urgent", "critical")


class Known(NamedTuple):
    """What is known of one matter; see :class:`lucheng.core.dispatch.models.Matter`."""

    name: str
    name_en: str
    grassroots: bool
    urgency: str
    terms: tuple[str, ...] = ()


def _load() -> dict[str, Known]:
    rows = Matter.objects.order_by("code").values_list(
        "code", "name", "name_en", "grassroots", "urgency", "terms"
    )
    return {row[0]: Known(*row[1:5], tuple(row[5])) for row in rows}


_known = Snapshot("matters", _load)


def known() -> Mapping[str, Known]:
    """All matters by code, in the order of the codes; at most a second old."""
    return _known.get()


def choices() -> list[tuple[str, Any]]:
    """All small classes under their large class, in the reader's language, for a select box; first an empty one."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for code in sorted(known()):
        if len(code) == 6:
            groups.setdefault(code[:2], []).append((code, _name(code)))
    return [("", "—"), *((_name(large), rows) for large, rows in groups.items())]


def exists(code: str) -> bool:
    return code in known()


def _name(code: str) -> str:
    matter = known().get(code)
    if matter is None:
        return code
    return matter.name_en if matter.name_en and (get_language() or "").startswith("en") else matter.name


_lazy_name = lazy(_name, str)


def urgency(code: str) -> str:
    """The urgency that comes with a matter; ordinary where none does, or where the matter is not known."""
    matter = known().get(code)
    return (matter.urgency if matter is not None else "") or "ordinary"


def name(code: str) -> str | Promise:
    """The name of a matter in the reader's language; its code where it is not known."""
    return _lazy_name(code)


@dataclass(frozen=True)
class Loaded:
    """How many matters a pack added, changed and left alone, and which known codes it does not name (kept)."""

    added: int
    changed: int
    unchanged: int
    kept: tuple[str, ...]


def load(path: Path = NATIONAL) -> Loaded:
    """Add and change the matters that the pack at ``path`` names; all or none, and never delete one.

    Raises Faulty with every fault at its entry: a code that is not digits in pairs, a class above it that is
    nowhere, an unknown urgency, what :func:`lucheng.core.packs.read` finds.
    """
    entries = packs.read(path, "matter", _FIELDS, key="code")
    with transaction.atomic():
        bump("matters")  # first: its lock lets one load pass at a time
        before = {m.code: m for m in Matter.objects.select_for_update()}
        codes = before.keys() | {e["code"] for e in entries}
        faults: list[Fault] = []
        for row, entry in enumerate(entries, 1):
            code = entry["code"]
            if not (code.isascii() and code.isdigit() and len(code) % 2 == 0):
                faults.append(Fault(row, "code", _("write two digits for each level: 01, 0102, 010203")))
            elif len(code) > 2 and code[:-2] not in codes:
                text = format_lazy(_("the class above it, {code}, is missing"), code=code[:-2])
                faults.append(Fault(row, "code", text))
            if entry.get("urgency", "") not in _URGENCIES:
                faults.append(Fault(row, "urgency", _("write urgent or critical, or leave it out")))
        if faults:
            raise Faulty(faults)
        added, changed = [], []
        for entry in entries:
            matter = Matter(**entry)
            old = before.get(matter.code)
            if old is None:
                added.append(matter)
            elif any(getattr(old, f) != getattr(matter, f) for f in _FIELDS):
                changed.append(matter)
        Matter.objects.bulk_create(added)
        if changed:
            Matter.objects.bulk_update(changed, [f for f in _FIELDS if f != "code"])
        if added or changed:
            acts.wrote("matters_loaded", details={"added": len(added), "changed": len(changed)})
    kept = before.keys() - {e["code"] for e in entries}
    return Loaded(len(added), len(changed), len(entries) - len(added) - len(changed), tuple(sorted(kept)))
