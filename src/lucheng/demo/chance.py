"""Chance that repeats: one stream of numbers for each purpose, so that a change to one part leaves the others alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lucheng.demo.pack import Spread

Rng = np.random.Generator


def stream(seed: int, *purpose: object) -> Rng:
    """The generator for ``purpose``; the same seed and purpose give the same numbers on every machine."""
    return np.random.Generator(np.random.PCG64([seed, *(zlib.crc32(str(p).encode()) for p in purpose)]))


def apportion(
    total: int, weights: Sequence[float] | NDArray[np.float64], least: int | NDArray[np.int64] = 0
) -> NDArray[np.int64]:
    """Whole shares of ``total`` in proportion to ``weights``, by largest remainder; a positive weight gets at least its
    ``least``.

    Raises ValueError where the total does not suffice for that, or where there is something to share and nobody.
    """
    w = np.asarray(weights, dtype=np.float64)
    base = np.where(w > 0, least, 0).astype(np.int64)
    rest = total - int(base.sum())
    if rest < 0 or (rest > 0 and not w.sum() > 0):
        raise ValueError(f"{total} cannot be shared among {int((w > 0).sum())} with at least {least} each")
    if rest == 0:
        return base
    exact = w / w.sum() * rest
    shares = np.floor(exact).astype(np.int64)
    left = rest - int(shares.sum())
    order = np.argsort(shares - exact, kind="stable")
    shares[order[:left]] += 1
    total_shares: NDArray[np.int64] = base + shares
    return total_shares


def draw(rng: Rng, spread: Spread, size: int) -> NDArray[np.int64]:
    """Whole numbers about the mean, cut at least and most."""
    values = np.rint(rng.normal(spread.mean, spread.spread, size)).astype(np.int64)
    return np.clip(values, spread.least, spread.most)


def fit(values: NDArray[np.int64], total: int, least: int, most: int) -> NDArray[np.int64]:
    """``values`` nudged by one, again and again, until they sum to ``total``, each staying within least and most.

    Raises ValueError where no such values exist.
    """
    if not least * len(values) <= total <= most * len(values):
        raise ValueError(f"{len(values)} values between {least} and {most} cannot sum to {total}")
    out = values.copy()
    while (gap := total - int(out.sum())) != 0:
        step = 1 if gap > 0 else -1
        free = np.flatnonzero(out < most if step > 0 else out > least)[: abs(gap)]
        out[free] += step
    return out
