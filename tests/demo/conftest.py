from __future__ import annotations

import pytest
from django.db import connection

_SEQUENCES = """
select sequencename, pg_sequence_last_value(format('%I.%I', schemaname, sequencename)::regclass)
from pg_sequences where schemaname = 'public'
"""


def _last_values() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES)
        return {name: last for name, last in cursor.fetchall() if last is not None}


def restart_sequences() -> None:
    """Let numbers begin anew, as in a database that has just been made. They do not roll back: see below."""
    with connection.cursor() as cursor:
        for name in _last_values():
            cursor.execute(f'alter sequence "{name}" restart')


@pytest.fixture
def fresh_numbers(db: None) -> object:
    """Numbers as in a new database; afterwards they go on behind where they were, for the tests that follow."""
    before = _last_values()
    with connection.cursor() as cursor:
        restart_sequences()
        yield
        after = _last_values()
        for name, last in before.items():
            cursor.execute("select setval(%s, %s)", [name, max(last, after.get(name, 0))])
