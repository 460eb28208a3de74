"""Replies to start from: those of a pack, for everybody, and each unit's own.

A template's blanks are filled from the case (its number, place, matter and unit) and never from its requester; what
only the writer can know stands in 【】 and is left to them. Whoever sends the reply has written it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.cases.models import Case
from lucheng.core.cases.text import clean
from lucheng.core.dispatch import matters
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.organisation.models import Person
from lucheng.core.places.names import place_name
from lucheng.core.triage import reply
from lucheng.core.triage.models import ReplyTemplate

#: The templates that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "reply_templates.toml"

#: What a template may name of the case. Nothing of its requester is here.
BLANKS = ("number", "place", "matter", "unit", "unit_phone")

LONGEST = 2000
#: The most templates of one unit: more than these nobody finds again.
MOST = 100

_FIELDS = {
    "code": packs.Field(required=True, longest=40),
    "name": packs.Field(required=True, longest=40),
    "matter": packs.Field(longest=12),
    "text": packs.Field(required=True, longest=LONGEST),
}
_BLANK = re.compile(r"\{([^{}]*)\}")


def _fault(text: str) -> Text | None:
    """Why ``text`` may not stand as a template, or None."""
    unknown = sorted({b for b in _BLANK.findall(text) if b not in BLANKS})
    if unknown:
        return format_lazy(
            _("There is no blank {unknown}. There are: {known}."),
            unknown=", ".join(f"{{{b}}}" for b in unknown),
            known=", ".join(f"{{{b}}}" for b in BLANKS),
        )
    if any(f.kind in ("phone", "identity") for f in reply.check(text, "")):
        return _("Leave personal numbers out of a template: it is used for many people.")
    return None


def fill(template: ReplyTemplate, case: Case) -> str:
    """The text of a template with its blanks filled from the case; a blank that the case cannot fill stays marked."""
    unit = case.lead_unit
    values = {
        "number": case.number,
        "place": place_name(case.place),
        "matter": str(matters.name(case.matter)) if case.matter else "",
        "unit": unit.name if unit is not None else "",
        "unit_phone": unit.phone if unit is not None else "",
    }
    return _BLANK.sub(lambda b: values.get(b[1], "") or f"【{b[1]}】", template.text)


def for_case(case: Case) -> list[ReplyTemplate]:
    """What fits a case: the lead unit's own first, then everybody's; of each the closest to the matter first."""
    found = ReplyTemplate.objects.filter(
        Q(unit=case.lead_unit_id) if case.lead_unit_id is not None else Q(pk__in=[]),
        retired_at=None,
    ) | ReplyTemplate.objects.filter(unit=None, retired_at=None)
    fitting = [t for t in found if case.matter.startswith(t.matter)]
    return sorted(fitting, key=lambda t: (t.unit_id is None, -len(t.matter), t.name, t.pk))


def of_units(units: Collection[int]) -> QuerySet[ReplyTemplate]:
    """The templates in use of these units, and everybody's."""
    return (
        ReplyTemplate.objects.filter(Q(unit__in=sorted(units)) | Q(unit=None), retired_at=None)
        .select_related("unit", "changed_by")
        .order_by("unit__name", "matter", "name", "pk")
    )


def save(
    template: ReplyTemplate | None,
    *,
    unit: int,
    name: str,
    matter: str,
    text: str,
    units: Collection[int],
    person: Person,
    version: int,
    now: dt.datetime,
) -> ReplyTemplate:
    """Make a template of ``unit``, or change one of its. ``units`` are those whose templates the person keeps.

    Raises Forbidden where the unit is not one of theirs, Conflict where somebody else changed it meanwhile or the unit
    has its most, Invalid at ``name``, ``matter`` or ``text``.
    """
    name, text = clean(name, "name", 40), clean(text, "text", LONGEST)
    wrong: dict[str, Text] = {}
    if not name:
        wrong["name"] = _("Give it a name by which it is found.")
    if matter and not matters.exists(matter):
        wrong["matter"] = _("There is no such class of matter.")
    if not text:
        wrong["text"] = _("Write the text.")
    elif fault := _fault(text):
        wrong["text"] = fault
    if wrong:
        raise Invalid(wrong)
    if unit not in units:
        raise Forbidden(_("These are not templates of your unit."))
    with transaction.atomic():
        if template is None:
            if ReplyTemplate.objects.filter(unit=unit, retired_at=None).count() >= MOST:
                raise Conflict(
                    format_lazy(_("A unit keeps {most} templates at most: retire one first."), most=MOST)
                )
            kept = ReplyTemplate(unit_id=unit, version=0)
        else:
            kept = _locked(template, units, version)
        kept.name, kept.matter, kept.text = name, matter, text
        kept.version += 1
        kept.changed_by, kept.changed_at = person, now
        kept.save()
    return kept


def retire(
    template: ReplyTemplate, *, units: Collection[int], person: Person, version: int, now: dt.datetime
) -> None:
    """Take a template of one of ``units`` out of use. Raises what :func:`save` raises."""
    with transaction.atomic():
        kept = _locked(template, units, version)
        kept.retired_at = kept.changed_at = now
        kept.changed_by = person
        kept.version += 1
        kept.save()


def _locked(template: ReplyTemplate, units: Collection[int], version: int) -> ReplyTemplate:
    kept = ReplyTemplate.objects.select_for_update().filter(pk=template.pk, retired_at=None).first()
    if kept is None:
        raise NotFound(_("There is no such template any more."))
    if kept.unit_id not in units:
        raise Forbidden(_("These are not templates of your unit."))
    if kept.version != version:
        raise Conflict(_("Somebody else has changed this template: look at it again."))
    return kept


@dataclass(frozen=True)
class Loaded:
    """How many templates a pack added, changed and left alone, and which known ones it does not name (kept)."""

    added: int
    changed: int
    unchanged: int
    kept: tuple[str, ...]


def load(now: dt.datetime, path: Path = NATIONAL) -> Loaded:
    """Add and change the templates that the pack at ``path`` names; all or none. The units' own are not touched.

    Raises Faulty with every fault at its entry: an unknown matter or blank, a personal number, what
    :func:`lucheng.core.packs.read` finds.
    """
    entries = packs.read(path, "template", _FIELDS, key="code")
    faults: list[Fault] = []
    for row, entry in enumerate(entries, 1):
        if entry.get("matter") and not matters.exists(entry["matter"]):
            faults.append(Fault(row, "matter", _("there is no such class of matter")))
        if fault := _fault(entry["text"]):
            faults.append(Fault(row, "text", fault))
    if faults:
        raise Faulty(faults)
    added = changed = 0
    with transaction.atomic():
        before = {
            t.code: t for t in ReplyTemplate.objects.select_for_update().exclude(code=None).order_by("pk")
        }
        for entry in entries:
            new = {"name": entry["name"], "matter": entry.get("matter", ""), "text": entry["text"].strip()}
            old = before.get(entry["code"])
            if old is None:
                ReplyTemplate.objects.create(code=entry["code"], changed_at=now, **new)
                added += 1
            elif old.retired_at is not None or any(getattr(old, k) != v for k, v in new.items()):
                for key, value in new.items():
                    setattr(old, key, value)
                old.retired_at, old.changed_at, old.version = None, now, old.version + 1
                old.save()
                changed += 1
    kept = sorted(c for c in before if c is not None and c not in {e["code"] for e in entries})
    return Loaded(added, changed, len(entries) - added - changed, tuple(kept))
