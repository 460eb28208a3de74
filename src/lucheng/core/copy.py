"""Filling tables by COPY, the quickest way in. Non-unique indexes are made anew afterwards, not kept up row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from psycopg import sql

from lucheng.core.sheets import Progress

_REPORT_EVERY = 2000


def quiet(done: int, total: int) -> None:
    """A progress that tells nobody."""


def copy(
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    report: Progress = quiet,
    total: int = 0,
) -> int:
    """Put ``rows`` into the model's table. Values are as psycopg sends them; JSON and arrays as their text.

    Returns how many there were.
    """
    table = model._meta.db_table
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    done = 0
    with raw_cursor() as cursor, cursor.copy(statement) as out:
        for row in rows:
            out.write_row(row)
            done += 1
            if not done % _REPORT_EVERY:
                report(done, total)
    report(done, total or done)
    return done


@contextmanager
def raw_cursor() -> Iterator[Any]:
    """psycopg's own cursor on Django's connection, in its transaction: Django's knows no COPY. What it raises are
    Django's errors all the same."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        yield cursor


@contextmanager
def without_indexes(models: Iterable[type[Model]], *, report: Progress = quiet) -> Iterator[None]:
    """Drop the non-unique indexes of these tables, and make them again after the block.

    Called in a transaction: where the block fails, all is as before.
    """
    tables = [m._meta.db_table for m in models]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
            from pg_index i join pg_class t on t.oid = i.indrelid
            where t.relname = any(%s) and t.relnamespace = 'public'::regnamespace and not i.indisunique
            order by t.relname, i.indexrelid
            """,
            [tables],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"drop index {name}")
        yield
        # Rows that were just copied wait for their deferred checks, and no index is made before those are done.
        cursor.execute("set constraints all immediate")
        for done, (_name, definition) in enumerate(indexes):
            report(done, len(indexes))
            cursor.execute(definition)
        cursor.execute("set constraints all deferred")
        report(len(indexes), len(indexes))


@contextmanager
def without_triggers(*, report: Callable[[str], None] = lambda note: None) -> Iterator[None]:
    """Let triggers rest within this transaction, foreign keys among them, where the database lets us.

    What is loaded is known to fit: a test loads the same rows with every check in force.
    """
    with connection.cursor() as cursor:
        if not _may_rest(cursor):
            report("the database keeps its checks on: loading takes longer")
            yield
            return
        cursor.execute("set local session_replication_role = replica")
        yield
        cursor.execute("set local session_replication_role = origin")


def _may_rest(cursor: CursorWrapper) -> bool:
    cursor.execute("select rolsuper from pg_roles where rolname = current_user")
    return bool(cursor.fetchone()[0])


def next_id(model: type[Model]) -> int:
    """The number that the table's next row would have if numbers had no gaps."""
    key = model._meta.pk
    assert key is not None  # every model has one
    with connection.cursor() as cursor:
        cursor.execute(f'select coalesce(max("{key.column}"), 0) + 1 from "{model._meta.db_table}"')
        return int(cursor.fetchone()[0])


def set_sequence(model: type[Model]) -> None:
    """Let the table's own numbers go on after the highest there is. They never go back."""
    key = model._meta.pk
    assert key is not None  # every model has one
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            select setval(name, highest) from (
                select name, greatest(coalesce(pg_sequence_last_value(name), 0),
                    (select coalesce(max("{key.column}"), 0) from "{model._meta.db_table}")) as highest
                from (select pg_get_serial_sequence(%s, %s)::regclass as name) as sequence
            ) as found where highest > 0
            """,
            [model._meta.db_table, key.column],
        )
