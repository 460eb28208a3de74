"""Django's PostgreSQL backend, which tells the server for whom it reads, and never hands out a connection that the
server has left.

Django can ask the server before each use (CONN_HEALTH_CHECKS); that is a round trip for every request. A server that
went away has closed its end, and that can be seen without asking.
"""

from __future__ import annotations

import select
from contextlib import ExitStack
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from lucheng.postgresql import context


def alive(connection: Any) -> bool:
    """Whether the server is still at the other end of an idle connection.

    An idle server says nothing. Only where something waits to be read (its farewell, the end, or a harmless note) is
    the server asked.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if not waiting.poll(0):
        return True
    try:
        ConnectionPool.check_connection(connection)
    except OperationalError:
        return False
    return True


#: What a connection was told last stands on the connection itself: it goes back to the pool and comes out again.
_TOLD = "lucheng_told"
_TELL = context.TELL.format(local="false")
_TELL_LOCALLY = context.TELL.format(local="true")


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """The address of the process: a walled one signs in as the role that owns nothing."""
        parameters: dict[str, Any] = super().get_connection_params()
        if context.process() is not None:
            parameters |= self.settings_dict["WALLED"]
        return parameters

    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection with a server at its other end, as far as can be seen."""
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and not alive(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor whose statements run in the context wanted now."""
        self._tell()
        return super().create_cursor(name)

    def _is_told(self) -> bool:
        wanted = context.current()
        told = getattr(self.connection, _TOLD, None)
        if told is None:  # a new connection; a command's needs no word
            return wanted is None and context.process() is None
        return bool(told == (wanted,))

    def _tell(self) -> None:
        if self._is_told() or self.connection.info.transaction_status == TransactionStatus.INERROR:
            return  # in a failed transaction nothing but its rollback can follow
        wanted = context.current()
        with self.wrap_database_errors:
            self.connection.execute(_TELL, context.parameters(wanted), prepare=True)
        setattr(self.connection, _TOLD, (wanted,))

    def _untold(self) -> None:
        """What was said in a transaction that is rolled back was not said."""
        if self.connection is not None and hasattr(self.connection, _TOLD):
            setattr(self.connection, _TOLD, ("unknown",))

    def _rollback(self) -> None:
        self._untold()
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self._untold()

    def _close(self) -> None:
        if self.connection is not None and self.connection.info.transaction_status != TransactionStatus.IDLE:
            self._untold()
        super()._close()  # type: ignore[misc]

    def one_trip(self, statement: bytes, parameters: list[Any]) -> Any:
        """The first row of a statement with PostgreSQL's own placeholders, or None. Where the connection must first be
        told of a context, that goes with it in one round trip, and holds for this statement alone.

        Raises what the statement raises.
        """
        self.ensure_connection()
        connection = self.connection
        with self.wrap_database_errors, ExitStack() as trip:
            if connection.autocommit and not self._is_told():
                trip.enter_context(connection.pipeline())
                connection.execute(_TELL_LOCALLY, context.parameters(context.current()), prepare=True)
            else:
                self._tell()
            cursor = trip.enter_context(psycopg.RawCursor(connection))
            return cursor.execute(statement, parameters, prepare=True).fetchone()
