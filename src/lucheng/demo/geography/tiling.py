"""Outlines that nest: a parent is cut into one cell for each site, and the cells tile it.

Cells are Voronoi cells of points within a convex parent, hence convex and in one piece. Longitude is shrunk by the
cosine of the city's latitude while cutting, so that cells are about as wide as they are high on the ground.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from lucheng.demo.chance import Rng

Points = NDArray[np.float64]  # n x 2, longitude and latitude

#: Cosine of the city's latitude.
SHRINK = 0.755


def _scaled(points: Points) -> Points:
    scaled: Points = points * np.array([SHRINK, 1.0])
    return scaled


def _unscaled(points: Points) -> Points:
    unscaled: Points = points / np.array([SHRINK, 1.0])
    return unscaled


def cut(parent: Polygon, sites: Points) -> list[Polygon]:
    """The cells of ``parent``, one for each site, in the order of the sites. One site gets the parent itself.

    Raises ValueError where two sites coincide.
    """
    if len(sites) == 1:
        return [parent]
    frame = shapely.transform(parent, _scaled)
    diagram = shapely.voronoi_polygons(shapely.multipoints(_scaled(sites)), extend_to=frame, ordered=True)
    cells = shapely.get_parts(diagram)
    if len(cells) != len(sites):
        raise ValueError(f"{len(sites)} sites gave {len(cells)} cells: some coincide")
    clipped = shapely.transform(shapely.intersection(cells, frame), _unscaled)
    return [_only(c) for c in clipped]


def _only(cell: shapely.Geometry) -> Polygon:
    """The polygon, without the stray points and lines that an intersection may add."""
    if isinstance(cell, Polygon):
        return cell
    parts = [p for p in shapely.get_parts(cell) if isinstance(p, Polygon)]
    return max(parts, key=lambda p: p.area)


def scatter(rng: Rng, parent: Polygon, count: int, *, calm: int = 2) -> Points:
    """``count`` sites within a convex ``parent``, spread evenly: each moves to its cell's middle ``calm`` times."""
    sites = sample(rng, parent, count)
    for _ in range(calm if count > 1 else 0):
        sites = shapely.get_coordinates(shapely.centroid(np.array(cut(parent, sites), dtype=object)))
    return sites


def sample(rng: Rng, parent: Polygon, count: int) -> Points:
    """``count`` points within a convex ``parent``, evenly by area and off its edge."""
    ring = shapely.get_coordinates(parent.exterior)[:-1]
    middle = ring.mean(axis=0)
    after = np.roll(ring, -1, axis=0)
    a, b = ring - middle, after - middle
    area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    pick = rng.choice(len(ring), size=count, p=area / area.sum())
    u, v = rng.random(count), rng.random(count)
    over = u + v > 1
    u[over], v[over] = 1 - u[over], 1 - v[over]
    points: Points = middle + 0.96 * (u[:, None] * a[pick] + v[:, None] * b[pick])
    return points


def reading_order(sites: Points) -> NDArray[np.int64]:
    """From north to south in bands, and from west to east in each: the order in which cells are numbered."""
    bands = max(1, round(len(sites) ** 0.5))
    south = np.empty(len(sites), dtype=np.int64)
    south[np.argsort(-sites[:, 1], kind="stable")] = np.arange(len(sites)) * bands // len(sites)
    return np.lexsort((sites[:, 0], south))
