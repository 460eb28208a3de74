"""The role catalogue: loading it from a pack, and editing a role. Posts stay; what they allow changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.organisation import capabilities
from lucheng.core.organisation.models import Post, Role

#: The catalogue that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "roles.toml"

_FIELDS = {
    "code": packs.Field(required=True, longest=40),
    "name": packs.Field(required=True, longest=40),
    "name_en": packs.Field(required=True, longest=60),
    "reach": packs.Field(required=True),
    "capabilities": packs.Field(list, required=True),
}


@dataclass(frozen=True)
class Loaded:
    """What a pack changed, by code. Codes that the pack does not name are kept and never deleted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def _check_reach(reach: str, held: Iterable[str]) -> None:
    if reach not in Role.Reach.values:
        raise Invalid(
            {"reach": format_lazy(_("write one of {choices}"), choices=", ".join(Role.Reach.values))}
        )
    if reach == Role.Reach.NONE and any(c.startswith("case.") and c != "case.create" for c in held):
        raise Invalid({"reach": _("A role that reaches no cases cannot be allowed to see or handle them.")})


def load(path: Path = NATIONAL) -> Loaded:
    """Add and change the roles that the pack at ``path`` names; all or none.

    Raises Faulty with every fault at its entry: unknown reach or capability, rights that must be apart.
    """
    entries = packs.read(path, "role", _FIELDS, key="code")
    faults: list[Fault] = []
    for row, entry in enumerate(entries, 1):
        try:
            capabilities.check(entry["capabilities"])
            _check_reach(entry["reach"], entry["capabilities"])
        except Invalid as wrong:
            faults += [Fault(row, column, text) for column, text in wrong.fields.items()]
    if faults:
        raise Faulty(faults)
    added, changed, unchanged = [], [], []
    with transaction.atomic():
        before = {r.code: r for r in Role.objects.select_for_update()}
        for entry in entries:
            role = Role(**{**entry, "capabilities": sorted(set(entry["capabilities"]))})
            old = before.get(role.code)
            if old is None:
                added.append(role.code)
            elif all(getattr(old, f) == getattr(role, f) for f in _FIELDS):
                unchanged.append(role.code)
                continue
            else:
                changed.append(role.code)
            role.save()
        if added or changed:
            acts.wrote("roles_loaded", details={"added": added, "changed": changed})
    return Loaded(tuple(added), tuple(changed), tuple(unchanged))


def stamp(role: Role) -> str:
    """A short word for a role as it stands, by which an edit says what its editor saw."""
    said = [role.name, role.name_en, role.reach, sorted(role.capabilities)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


#: People named where a change of a role would mix rights that must be apart.
_NAMED = 5


def _check_holders(role: Role, given: Iterable[str]) -> None:
    """Refuse where somebody's posts together would hold, from now on, what must be apart."""
    lasting = Q(valid_to=None) | Q(valid_to__gt=timezone.localdate())
    holders = Post.objects.filter(lasting, role=role).values("person")
    others = Post.objects.filter(lasting, person__in=holders).exclude(role=role)
    together: dict[str, set[str]] = {}
    for username, allowed in others.values_list("person__username", "role__capabilities"):
        together.setdefault(username, set(given)).update(allowed)
    mixed = []
    for username, all_of_them in sorted(together.items()):
        try:
            capabilities.check(all_of_them)
        except Invalid:
            mixed.append(username)
    if mixed:
        text = _("With their other posts these people would hold rights that must be apart: {people}.")
        shown = ", ".join(mixed[:_NAMED]) + (" …" if len(mixed) > _NAMED else "")
        raise Invalid({"capabilities": format_lazy(text, people=shown)})


def edit(
    code: str, *, name: str, name_en: str, reach: str, held: Iterable[str], seen: str | None = None
) -> Role:
    """Change one role. Every post in this role allows the new capabilities from the next request on.

    ``seen`` is the :func:`stamp` of the role as its editor saw it.

    Raises NotFound for an unknown role; Invalid at ``name``, ``name_en``, ``reach`` or ``capabilities``, also where
    somebody who holds the role would come to hold what must be apart; Conflict where somebody else has changed it.
    """
    held = sorted(set(held))
    if not name.strip():
        raise Invalid({"name": _("this may not be empty")})
    capabilities.check(held)
    _check_reach(reach, held)
    with transaction.atomic():
        role = Role.objects.select_for_update().filter(code=code).first()
        if role is None:
            raise NotFound(_("There is no such role."))
        if seen is not None and stamp(role) != seen:
            raise Conflict(_("Somebody has changed this role meanwhile. Look at it again."))
        _check_holders(role, held)
        before = set(role.capabilities)
        role.name, role.name_en, role.reach, role.capabilities = name.strip(), name_en.strip(), reach, held
        role.save()
        details = {"reach": reach, "added": sorted({*held} - before), "removed": sorted(before - {*held})}
        acts.wrote("role_changed", code, details)
    return role
