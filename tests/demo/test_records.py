"""The quick way of writing and hashing an event gives the same bytes as the ledger's own."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.ledger import chain
from lucheng.demo.cases.records import encode, link

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
bodies = st.dictionaries(st.text(), values, max_size=6)


@given(bodies)
def test_bodies_are_written_canonically(body: dict[str, object]) -> None:
    assert encode(body) == chain.canonical(body)


@given(bodies, st.binary(min_size=32, max_size=32), st.integers(1, 2**62), st.none() | st.integers(1, 2**62))
def test_links_have_the_same_hash(body: dict[str, object], prev: bytes, case: int, actor: int | None) -> None:
    at = dt.datetime(2026, 3, 2, 9, 30, 0, 12, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    stamp = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    ours = link(prev, case, 3, stamp, actor, "dispatcher", "dispatch", encode(body))
    assert ours == chain.link(prev, case, 3, at, actor, "dispatcher", "dispatch", body)
