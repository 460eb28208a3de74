"""Recent cases that look like a text: shown before a new order is written, joined only by a person.

Place first, then words (as fixmystreet does): candidates are the newest cases of the township, and of the townships
that a circle around the point touches; they are compared by the characters and pairs of characters they share, rare
ones counting more. What the reader may not see is not compared, and who called is never looked at.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from django.db.models import Q
from django.db.models.functions import Substr

from lucheng.core.cases.models import Case, State
from lucheng.core.cases.public import anyone_may_know
from lucheng.core.fields import within
from lucheng.core.places.locate import locate_points
from lucheng.core.places.models import LEVELS
from lucheng.core.triage.classify import propose_matter
from lucheng.core.triage.words import cut, grams, plain
from lucheng.postgresql.context import everything

#: Metres within which two points may be the same spot.
NEAR = 500.0
#: From this similarity on a case is shown (measured on real messages, docs/triage.md).
LEAST = 0.2
#: The newest cases of the place that are compared.
_CANDIDATES = 300
#: Characters of a text that are compared, and the share of words below which nothing else counts.
_READ = 200
_LEAST_WORDS = 0.08
#: What the same class and the same spot add to the share of words.
_SAME_CLASS, _SAME_LARGE_CLASS, _SAME_SPOT = 0.1, 0.05, 0.2
_GONE = (State.DRAFT, State.REJECTED, State.WITHDRAWN, State.MERGED)
_METRES = 111_320.0  # in one degree of latitude


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A case that looks like the text, for staff who may see it.

    ``similarity`` is 0 to 1; ``distance_m`` is None where either point is unknown; ``words`` are shared, the longest
    first.
    """

    id: int
    number: str
    title: str
    state: str
    similarity: float
    distance_m: float | None
    words: tuple[str, ...]
    matter: str
    place: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PublicLookAlike:
    """What anyone may be told of a case nearby: its class, community, day and state, and no word anybody wrote.

    ``id`` is for the page's own use ("me too") and is not to be shown.
    """

    id: int
    matter: str
    place: str
    created_at: dt.datetime
    state: str
    similarity: float


class _Row(NamedTuple):
    id: int
    number: str
    title: str
    state: str
    matter: str
    place: str
    lon: float | None
    lat: float | None
    created_at: dt.datetime
    content: str


def _metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Distance of two points of one city; a plane is exact to a metre over a kilometre."""
    east = (other_lon - lon) * _METRES * float(np.cos(np.radians(lat)))
    north = (other_lat - lat) * _METRES
    return sqrt(east * east + north * north)


def _around(place: str, lon: float | None, lat: float | None) -> Q:
    """Cases of the township of ``place`` and of those that a circle of 500 m around the point touches."""
    township = LEVELS["township"]
    prefixes = {place[:township]}
    if lon is not None and lat is not None and len(place) >= township:
        turn = np.linspace(0, 2 * np.pi, 8, endpoint=False)
        reach = NEAR / _METRES
        lons = lon + reach * np.cos(turn) / np.cos(np.radians(lat))
        prefixes.update(
            str(code)[:township] for code in locate_points(lons, lat + reach * np.sin(turn)) if code
        )
    around = Q()
    for prefix in sorted(prefixes):
        around |= within("place", prefix)
    return around


def _nearness(row: _Row, place: str, distance: float | None) -> float:
    """1 at the same spot, 0 from 500 m; half where only the community is known and is the same."""
    if distance is not None:
        return max(0.0, 1 - distance / NEAR)
    community = LEVELS["community"]
    return 0.5 if len(place) >= community and row.place[:community] == place[:community] else 0.0


def _alike(texts: list[str]) -> list[float]:
    """How much each text has in common with the first, 0 to 1: shared characters and pairs, rare ones counting more.

    What stands in every case of the township tells none of them apart and counts nearly nothing.
    """
    owner, codes, _counts = grams(texts)
    distinct, which = np.unique(codes, return_inverse=True)
    known = np.bincount(which[owner > 0], minlength=len(distinct))
    weight = np.log((len(texts) + 1) / (known + 1))
    said = np.zeros(len(distinct))
    said[which[owner == 0]] = 1
    every = weight.take(which)
    whole = np.bincount(owner, every, len(texts))
    shared = np.bincount(owner, every * said.take(which), len(texts))
    both = np.sqrt(whole * whole[0])
    similar: list[float] = np.divide(shared, both, out=np.zeros(len(texts)), where=both > 0)[1:].tolist()
    return similar


def _ranked(
    text: str,
    place: str,
    lon: float | None,
    lat: float | None,
    matter: str,
    where: Q,
    now: dt.datetime,
    days: int,
) -> list[tuple[float, float | None, _Row]]:
    """(Similarity, distance, row) of the candidates that are similar enough, the most similar first. One query."""
    said = plain(text, _READ)
    if not len(grams([said])[1]):
        return []
    rows = [
        _Row(*row)
        for row in Case.objects.filter(
            where,
            _around(place, lon, lat),
            created_at__gt=now - dt.timedelta(days=days),
            created_at__lte=now,
            main=None,
        )
        .exclude(state__in=_GONE)
        .order_by("-created_at")
        .values_list(*_Row._fields[:-1], Substr("content", 1, _READ))[:_CANDIDATES]
    ]
    alike = _alike([said, *(plain(f"{row.title} {row.content}", _READ) for row in rows)])
    found: list[tuple[float, float | None, _Row]] = []
    for row, similarity in zip(rows, alike, strict=True):
        if similarity < _LEAST_WORDS:
            continue
        distance = None
        if lon is not None and lat is not None and row.lon is not None and row.lat is not None:
            distance = _metres(lon, lat, row.lon, row.lat)
            if distance > NEAR:
                similarity /= 2
        similarity += _SAME_SPOT * _nearness(row, place, distance)
        if matter and row.matter:
            if row.matter.startswith(matter) or matter.startswith(row.matter):
                similarity += _SAME_CLASS
            elif row.matter[:2] == matter[:2]:
                similarity += _SAME_LARGE_CLASS
        if similarity >= LEAST:
            found.append((round(min(similarity, 1.0), 4), distance, row))
    found.sort(key=lambda f: (-f[0], -f[2].created_at.timestamp(), f[2].id))
    return found


def _shared(text: str, row: _Row) -> tuple[str, ...]:
    theirs = plain(f"{row.title} {row.content}", _READ)
    words = dict.fromkeys(
        w for w in cut(plain(text, _READ)) if len(w) > 1 and w in theirs and not w.isdigit()
    )
    return tuple(sorted(words, key=lambda w: -len(w))[:5])


def find(
    text: str,
    place: str,
    lon: float | None,
    lat: float | None,
    *,
    scope_q: Q,
    now: dt.datetime,
    matter: str = "",
    limit: int = 5,
    days: int = 30,
) -> list[LookAlike]:
    """Up to ``limit`` cases of the last ``days`` near ``place`` that look like ``text``, the most similar first.

    ``place`` is any division code, the point WGS 84 or None; ``scope_q`` is the reader's condition on cases
    (:meth:`lucheng.core.organisation.access.Scope.q`); ``matter`` is the class entered so far, proposed from the text
    where it is not. Merged cases stand behind their main case. One query.
    """
    matter = matter or propose_matter(text).matter
    return [
        LookAlike(
            id=row.id,
            number=row.number,
            title=row.title,
            state=row.state,
            similarity=similarity,
            distance_m=distance,
            words=_shared(text, row),
            matter=row.matter,
            place=row.place,
            created_at=row.created_at,
        )
        for similarity, distance, row in _ranked(text, place, lon, lat, matter, scope_q, now, days)[:limit]
    ]


def of(case: Case, text: str, *, scope_q: Q, now: dt.datetime, limit: int) -> list[LookAlike]:
    """Up to ``limit`` cases that look like ``text`` of a case that is there already, itself apart; see :func:`find`."""
    found = find(
        text, case.place, case.lon, case.lat, scope_q=scope_q, now=now, matter=case.matter, limit=limit + 1
    )
    return [a for a in found if a.id != case.pk][:limit]


@everything("anybody may know that a matter of the street is known")
def find_public(
    text: str,
    place: str,
    lon: float | None,
    lat: float | None,
    *,
    now: dt.datetime,
    matter: str = "",
    limit: int = 3,
    days: int = 30,
) -> list[PublicLookAlike]:
    """As :func:`find`, for residents: only what anyone may know of (:func:`lucheng.core.cases.public.anyone_may_know`),
    and nothing that somebody wrote."""
    matter = matter or propose_matter(text).matter
    ranked = _ranked(text, place, lon, lat, matter, anyone_may_know(), now, days)
    return [
        PublicLookAlike(
            id=row.id,
            matter=row.matter,
            place=row.place[: LEVELS["community"]],
            created_at=row.created_at,
            state=row.state,
            similarity=similarity,
        )
        for similarity, distance, row in ranked
        if distance is None or distance <= NEAR
    ][:limit]
