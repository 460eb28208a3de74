"""What places are called, from memory: for lists and pages that show a place in every row."""

from __future__ import annotations

import bisect
import datetime as dt
from dataclasses import dataclass

from lucheng.core.fields import after
from lucheng.core.places.day import today
from lucheng.core.places.models import LEVELS, Division, Kind
from lucheng.core.revisions.snapshot import Snapshot

_LEVELS = tuple(LEVELS.values())
_SEPARATOR = " · "
_PLACEHOLDER = Kind.PLACEHOLDER.value


@dataclass(frozen=True, slots=True)
class Place:
    """One division over one stretch of time; ``valid_to`` is the first day on which it no longer holds."""

    code: str
    name: str
    kind: str
    valid_from: dt.date
    valid_to: dt.date | None

    def in_force(self, day: dt.date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class _Register:
    rows: dict[str, tuple[Place, ...]]
    """For each code ever in force, its rows in the order of time."""
    codes: dict[int, list[str]]
    """The codes of each length, sorted."""


def _load() -> _Register:
    rows: dict[str, list[Place]] = {}
    for row in Division.objects.order_by("code", "valid_from").values_list(
        "code", "name", "kind", "valid_from", "valid_to"
    ):
        rows.setdefault(row[0], []).append(Place(*row))
    codes: dict[int, list[str]] = {n: [] for n in _LEVELS}
    for code in rows:
        codes[len(code)].append(code)
    return _Register({code: tuple(found) for code, found in rows.items()}, codes)


_register = Snapshot("places", _load)


def get(code: str, day: dt.date | None = None) -> Place | None:
    """The division in force under ``code`` on ``day`` (today, if not given), or None."""
    day = day or today()
    for place in _register.get().rows.get(code, ()):
        if place.in_force(day):
            return place
    return None


def exists(code: str, day: dt.date | None = None) -> bool:
    """Whether a division is in force under ``code`` on ``day`` (today, if not given)."""
    return get(code, day) is not None


def children(code: str, day: dt.date | None = None) -> list[Place]:
    """The divisions in force directly under ``code``, by code; of the empty code, those at the top.

    Where a level is missing (a city without counties), the children are those of the next level that has any.
    """
    day = day or today()
    register = _register.get()
    for level in _LEVELS:
        codes = register.codes[level] if level > len(code) else []
        some = codes[bisect.bisect_left(codes, code) : bisect.bisect_left(codes, after(code))]
        if under := [p for c in some for p in register.rows[c] if p.in_force(day)]:
            return under
    return []


def _name(register: _Register, code: str, day: dt.date) -> str | None:
    """The name under ``code`` on ``day``; of a code not in force then, the last name before, else the first after."""
    rows = register.rows.get(code)
    if rows is None:
        return None
    place = rows[0]
    for later in rows[1:]:
        if later.valid_from <= day:
            place = later
    return None if place.kind == _PLACEHOLDER else place.name


def root(day: dt.date | None = None) -> str:
    """The code under which everything lies on ``day``: the city's. Empty where nothing is recorded.

    Raises ValueError where several divisions stand at the top, as no one of them holds everything.
    """
    top = children("", day)
    if len(top) > 1:
        raise ValueError(f"no one place holds everything: {', '.join(p.code for p in top)}")
    return top[0].code if top else ""


def place_name(code: str, day: dt.date | None = None) -> str:
    """A label for people: the last three names down to ``code``, the city only where it stands alone.

    ``"150203005001012"`` gives "友谊大街街道 · 第三社区 · 012网格", ``"150203"`` gives "昆都仑区". A place no longer in
    force keeps its name; what never was in force is shown as its code, after the names above it.
    """
    day = day or today()
    register = _register.get()
    names = [name for n in _LEVELS[1:] if n <= len(code) and (name := _name(register, code[:n], day))]
    if code not in register.rows:
        names.append(code)
    return _SEPARATOR.join(names[-3:]) or _name(register, code[:4], day) or code
