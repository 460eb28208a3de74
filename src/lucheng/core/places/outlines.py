"""From a point to the code of the smallest division that holds it.

All outlines in force are held in memory, one R-tree for each level. A point is looked for among the grids first, then
among communities, townships, counties and the city, so that it is placed as finely as the outlines at hand allow.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from lucheng.core.places.day import today
from lucheng.core.places.models import LEVELS, Boundary, Division
from lucheng.core.revisions.snapshot import Snapshot

#: Points looked up at a time: what they need then stays in the processor's cache.
_CHUNK = 1 << 16


@dataclass(frozen=True)
class _Level:
    """The outlines of one level, the smallest first: where two overlap (a school's own grid in a basic grid), the
    smaller one has the point."""

    codes: NDArray[np.str_]
    shapes: NDArray[Any]
    tree: shapely.STRtree


def _level(codes: NDArray[np.str_], shapes: NDArray[Any]) -> _Level:
    order = np.lexsort((codes, shapely.area(shapes)))
    codes, shapes = codes[order], shapes[order]
    shapely.prepare(shapes)
    # A prepared outline builds its index at the first question put to it; threads must not meet there.
    west, south, east, north = shapely.bounds(shapes).T
    shapely.intersects_xy(shapes, (west + east) / 2, (south + north) / 2)
    return _Level(codes, shapes, shapely.STRtree(shapes))


@functools.lru_cache(maxsize=4)
def _outlines(day: dt.date) -> Snapshot[tuple[_Level, ...]]:
    """The outlines in force on one day; each day has its own, since a list may come into force at midnight."""

    def load() -> tuple[_Level, ...]:
        rows = Boundary.objects.filter(division__in=Division.objects.as_of(day)).values_list(
            "division__code", "shape"
        )
        codes = np.array([code for code, _ in rows], dtype="U15")
        shapes = shapely.from_wkb(np.array([bytes(shape) for _, shape in rows], dtype=object))
        lengths = np.strings.str_len(codes)
        levels = sorted(LEVELS.values(), reverse=True)
        return tuple(
            _level(codes[lengths == n], shapes[lengths == n]) for n in levels if (lengths == n).any()
        )

    return Snapshot("places", load)


def locate_points(lon: ArrayLike, lat: ArrayLike, day: dt.date | None = None) -> NDArray[np.str_]:
    """The code of the smallest division with an outline around each point, ``""`` where none has.

    ``lon`` and ``lat`` are degrees in WGS 84, one-dimensional and of one length; what is not a finite number lies
    nowhere. A point on an outline is inside it, and of several the smallest has it. ``day`` asks for the divisions in
    force on another day than today.

    Raises ValueError where the two are not of one length.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"longitudes and latitudes must be two lists of one length, not {x.shape} and {y.shape}"
        )
    levels = _outlines(day or today()).get()
    codes = np.full(len(x), "", dtype="U15")
    for start in range(0, len(x), _CHUNK):
        part = slice(start, start + _CHUNK)
        codes[part] = _locate(levels, x[part], y[part])
    return codes


def _locate(levels: tuple[_Level, ...], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.str_]:
    codes = np.full(len(x), "", dtype="U15")
    open_ = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    points = np.asarray(shapely.points(x[open_], y[open_]))
    for level in levels:
        at, shape = level.tree.query(points)
        order = np.argsort(shape)  # one outline after the other: each is asked while it is in the cache
        at, shape = at[order], shape[order]
        asked = open_[at]
        inside = shapely.intersects_xy(level.shapes[shape], x[asked], y[asked])
        first = np.full(len(open_), len(level.codes))
        np.minimum.at(first, at[inside], shape[inside])
        found = first < len(level.codes)
        codes[open_[found]] = level.codes[first[found]]
        open_, points = open_[~found], points[~found]
    return codes


def locate_point(lon: float, lat: float, day: dt.date | None = None) -> str | None:
    """The code of the smallest division with an outline around the point (degrees, WGS 84), or None."""
    point = shapely.Point(lon, lat)
    for level in _outlines(day or today()).get():
        found = level.tree.query(point)
        inside = found[shapely.intersects_xy(level.shapes[found], lon, lat)] if len(found) else found
        if len(inside):
            return str(level.codes[inside.min()])
    return None
