"""An anchor covers every event up to its id, for good: it waits for whoever might still bring one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from lucheng.core.ledger import anchors, chain
from lucheng.core.ledger.anchors import anchor
from lucheng.core.ledger.models import Anchor, Event, Mark
from lucheng.core.ledger.verify import Tally, verify
from lucheng.core.organisation import people
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other(transactional_db: None) -> Iterator[psycopg.Connection]:
    """Somebody else's connection to the same database."""
    with psycopg.connect(**connection.get_connection_params()) as conn:
        conn.rollback()
        yield conn
        conn.rollback()


def event_in(conn: psycopg.Connection, case_id: int = 1) -> int:
    """Write an event in the other's transaction, which stays open."""
    row = conn.execute(
        "insert into ledger_event (case_id, seq, at, actor_role, action, body, prev, hash) "
        "values (%s, 1, now(), 'system', 'create', '{}', '', %s) returning id",
        [case_id, bytes(32)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def ids() -> list[int]:
    return list(Event.objects.order_by("id").values_list("id", flat=True))


def test_in_quiet_times_everything_is_anchored_at_once() -> None:
    case_of_a_broken_lamp(events=3)
    made = anchor(NOW)
    assert made is not None
    assert (made.upto, made.events, bytes(made.prev)) == (ids()[-1], 3, chain.GENESIS)
    assert anchor(NOW) is None


def test_each_anchor_continues_the_one_before() -> None:
    case_of_a_broken_lamp()
    first = anchor(NOW)
    case_of_a_broken_lamp(events=2)
    second = anchor(NOW + dt.timedelta(minutes=1))
    assert first is not None and second is not None
    assert (bytes(second.prev), second.events) == (bytes(first.hash), 2)


def test_an_empty_ledger_needs_no_anchor() -> None:
    assert anchor(NOW) is None


def test_acts_alone_are_anchored_too_and_once() -> None:
    case_of_a_broken_lamp()
    first = anchor(NOW)
    assert first is not None and first.acts is None
    for name in ("li", "wang"):
        people.add_person(name, name)
    second = anchor(NOW)
    assert second is not None
    assert (second.upto, second.events, second.acts, bytes(second.prev)) == (
        first.upto,
        0,
        2,
        bytes(first.hash),
    )
    assert anchor(NOW) is None
    case_of_a_broken_lamp()
    third = anchor(NOW)
    assert third is not None
    assert (third.events, third.acts, bytes(third.prev)) == (1, 2, bytes(second.hash))
    assert list(verify(Tally())) == []


def test_a_smaller_id_that_commits_later_is_under_the_anchor(other: psycopg.Connection) -> None:
    late = event_in(other)
    case_of_a_broken_lamp()
    early = ids()
    assert early and early[0] > late  # ours has the larger id and is already visible
    assert anchor(NOW) is None  # the other could still commit
    assert anchor(NOW) is None
    other.commit()
    made = anchor(NOW)
    assert made is not None
    assert (made.upto, made.events) == (early[0], 2)
    assert ids() == [late, early[0]]


def test_whoever_rolls_back_leaves_a_gap_and_no_harm(other: psycopg.Connection) -> None:
    event_in(other)
    case_of_a_broken_lamp()
    assert anchor(NOW) is None
    other.rollback()
    made = anchor(NOW)
    assert made is not None and made.events == 1


def test_a_transaction_that_has_drawn_no_id_yet_is_waited_for_too(other: psycopg.Connection) -> None:
    other.execute("select 1")  # begun, no row written, no transaction id assigned
    case_of_a_broken_lamp()
    assert anchor(NOW) is None
    other.commit()
    assert anchor(NOW) is not None


def test_later_transactions_do_not_hold_an_anchor_up(other: psycopg.Connection) -> None:
    with psycopg.connect(**connection.get_connection_params()) as first:
        first.execute("select 1")
        case_of_a_broken_lamp()
        marked = ids()[-1]
        assert anchor(NOW) is None
        later = event_in(other)  # began after the mark, and stays open
        first.rollback()
    made = anchor(NOW)
    assert made is not None
    assert made.upto == marked < later


def test_two_workers_do_not_anchor_the_same_events(other: psycopg.Connection) -> None:
    case_of_a_broken_lamp()
    assert anchor(NOW) is not None
    case_of_a_broken_lamp()
    other.execute("select * from ledger_mark for update")
    assert anchor(NOW) is None
    other.rollback()
    assert anchor(NOW) is not None
    assert [a.events for a in Anchor.objects.order_by("upto")] == [1, 1]


def test_a_long_backlog_becomes_several_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "MOST", 4)
    case_of_a_broken_lamp(events=10)
    total = 0
    while anchors.sweep(NOW):
        total += 1
    assert [a.events for a in Anchor.objects.order_by("upto")] == [4, 4, 2]
    assert total == 3
    assert Anchor.objects.order_by("-upto").values_list("upto", flat=True)[0] == ids()[-1]


def test_a_mark_outlives_a_restart_of_the_worker(other: psycopg.Connection) -> None:
    other.execute("select 1")
    case_of_a_broken_lamp()
    assert anchor(NOW) is None
    marked = Mark.objects.get().upto
    case_of_a_broken_lamp()
    other.rollback()
    made = anchor(NOW)
    assert made is not None and made.upto == marked


def test_creates_take_no_lock_for_anchors(other: psycopg.Connection) -> None:
    case_of_a_broken_lamp()
    other.execute("select * from ledger_mark for update")
    other.execute("lock table ledger_anchor in exclusive mode")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local lock_timeout = '100ms'")
        case_of_a_broken_lamp(events=2)
    assert len(ids()) == 3
