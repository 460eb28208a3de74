"""The database itself refuses to change what has been written, whoever asks."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from lucheng.core.ledger import acts
from lucheng.core.ledger.models import Act, Anchor, Event
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["ledger_event", "ledger_anchor", "ledger_act"])
@pytest.mark.parametrize("attempt", ["update {} set hash = ''", "delete from {}", "truncate {}"])
def test_update_delete_and_truncate_are_refused(table: str, attempt: str) -> None:
    case_of_a_broken_lamp()
    Anchor.objects.create(upto=1, events=1, at=NOW, prev=b"", hash=b"")
    acts.wrote("unit_added", "parks")
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")  # else TRUNCATE stumbles over those first
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(attempt.format(table))
    assert Event.objects.count() == Anchor.objects.count() == Act.objects.count() == 1


@pytest.mark.django_db
def test_a_number_in_a_chain_is_given_once() -> None:
    case = case_of_a_broken_lamp()
    with pytest.raises(DatabaseError, match="event_once_per_seq"), transaction.atomic():
        Event.objects.create(case=case, seq=1, at=NOW, actor_role="system", action="note", prev=b"", hash=b"")
