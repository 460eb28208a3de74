"""Whole shares sum to what was shared, stay near their part, and never exceed a weight that covers them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.shares import shares


@given(st.lists(st.integers(0, 1000), min_size=1).filter(any), st.data())
def test_shares_sum_to_the_total_and_fit_their_weights(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    found = shares(total, weights)
    assert sum(found) == total
    for share, weight in zip(found, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share - total * weight / sum(weights)) <= 1


def test_nothing_may_be_shared_among_nobody_but_something_not() -> None:
    assert shares(0, []) == [] and shares(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nobody"):
        shares(1, [0, 0])
