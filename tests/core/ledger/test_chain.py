"""A link covers its content and the link before it, and only content that the database gives back unchanged."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.ledger import chain
from lucheng.core.ledger.models import Event
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp

# PostgreSQL's jsonb holds no NUL and no half of a surrogate pair; events hold codes, ids and digests.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.django_db
@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_what_may_stand_in_an_event_comes_back_from_the_database_with_the_same_hash(
    body: dict[str, Any],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select %s::jsonb", [chain.canonical(body).decode()])
        (kept,) = cursor.fetchone()
    kept = json.loads(kept) if isinstance(kept, str) else kept  # Django's cursor leaves jsonb as text
    assert chain.canonical(kept) == chain.canonical(body)


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, {1: "a"}, b"bytes", NOW, {"a": {2}}])
def test_what_would_not_come_back_the_same_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        chain.canonical(value)


LINK: dict[str, Any] = {
    "prev": chain.GENESIS,
    "case_id": 7,
    "seq": 2,
    "at": NOW,
    "actor_id": 3,
    "actor_role": "operator",
    "action": "accept",
    "body": {"from": "received", "to": "accepted"},
}


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("prev", bytes(31) + b"\1"),
        ("case_id", 8),
        ("seq", 3),
        ("at", NOW + dt.timedelta(microseconds=1)),
        ("actor_id", None),
        ("actor_role", "dispatcher"),
        ("action", "reject"),
        ("body", {"from": "received", "to": "rejected"}),
    ],
)
def test_every_part_of_an_event_is_covered(field: str, other: Any) -> None:
    assert chain.link(**LINK) != chain.link(**{**LINK, field: other})


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    assert chain.link(**LINK) == chain.link(**{**LINK, "at": NOW.astimezone(dt.UTC)})


@pytest.mark.django_db
def test_an_appended_event_reads_back_to_its_own_hash() -> None:
    case = case_of_a_broken_lamp(events=3)
    head = chain.GENESIS
    for e in Event.objects.filter(case=case).order_by("seq"):
        assert bytes(e.prev) == head
        head = chain.link(head, e.case_id, e.seq, e.at, e.actor_id, e.actor_role, e.action, e.body)
        assert bytes(e.hash) == head
    assert bytes(case.chain_head) == head
