from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.demo.chance import apportion, draw, fit, stream
from lucheng.demo.pack import Spread

weights = st.lists(st.floats(0.0, 1000.0), min_size=1, max_size=30).filter(lambda w: sum(w) > 0.01)


@given(weights, st.integers(0, 10_000))
def test_shares_sum_up_and_keep_to_the_proportion_within_one(w: list[float], total: int) -> None:
    shares = apportion(total, w)
    exact = np.array(w) / sum(w) * total
    assert shares.sum() == total
    assert (np.abs(shares - exact) < 1 + 1e-9).all()


@given(weights, st.integers(0, 500))
def test_every_positive_weight_gets_its_least_and_no_other_anything(w: list[float], more: int) -> None:
    positive = sum(1 for x in w if x > 0)
    shares = apportion(2 * positive + more, w, 2)
    assert all(s >= 2 if x > 0 else s == 0 for s, x in zip(shares, w, strict=True))


def test_too_little_to_share_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be shared"):
        apportion(3, [1.0, 1.0], 2)
    with pytest.raises(ValueError, match="cannot be shared"):
        apportion(3, [0.0, 0.0])


@given(st.integers(0, 2**32), st.integers(1, 40), st.data())
def test_fitted_values_have_the_sum_and_keep_to_the_bounds(
    seed: int, count: int, data: st.DataObject
) -> None:
    spread = Spread(50, 12, 20, 90)
    total = data.draw(st.integers(20 * count, 90 * count))
    values = fit(draw(stream(seed, "test"), spread, count), total, spread.least, spread.most)
    assert values.sum() == total
    assert values.min() >= 20
    assert values.max() <= 90


def test_values_that_cannot_have_the_sum_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot sum to"):
        fit(np.array([5, 5]), 30, 1, 10)


def test_streams_are_apart_and_repeat() -> None:
    assert stream(1, "a").random() == stream(1, "a").random()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "a").random() != stream(2, "a").random()
