"""Sharing a whole number out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares of ``total`` in proportion to ``weights``, none below zero, that sum to it exactly. Where the total
    is no more than the weights' sum, whole weights are shared at most themselves.

    Raises ValueError where there is something to share and nobody.

    >>> shares(10, [1, 1, 2])
    [2, 3, 5]
    """
    over = sum(weights)
    if not over:
        if total:
            raise ValueError(f"nobody to share {total}")
        return [0] * len(weights)
    reached = [int(total * up / over) for up in accumulate(weights, initial=0)]
    reached[-1] = total
    return [after - before for before, after in pairwise(reached)]
