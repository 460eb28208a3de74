"""Django's PostgreSQL backend, which never hands out a connection that the server has left.

Django can ask the server before each use (CONN_HEALTH_CHECKS); that is a round trip for every request. A server that
went away has closed its end, and that can be seen without asking.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import ConnectionPool


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


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection with a server at its other end, as far as can be seen."""
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and not alive(connection):
            connection.close()
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection
