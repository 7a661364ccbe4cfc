"""Limits that the database server itself puts on our connections, so that no lock outlives the process that took it.

They are set after connecting, in one round trip: a pooler may refuse them as start-up parameters. Those of PostgreSQL
are in `postgresql_sessions`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from app.core.database.deadlines import Deadlines

CONNECT_SECONDS = 3
MYSQL_READ_SECONDS = 90
"""The last resort for a MySQL connection without a watchdog: the wait for the lock of a migration (60 s) fits in."""
MIGRATION_LOCK_SECONDS = 60
"""How long a migration waits for another process that migrates, or for a table that another session has locked."""
KEEPALIVE = {"idle": 5, "interval": 2, "count": 3}
"""Seconds, and probes: a peer that vanished is noticed after 11 s."""


def set_on_mysql(connection: Any, deadlines: Deadlines) -> None:
    """Set the limits on a PyMySQL connection. MySQL has none for idle transactions and skips the comment."""
    lock, idle = math.ceil(deadlines.lock), math.ceil(deadlines.idle_transaction)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET innodb_lock_wait_timeout = {lock}, lock_wait_timeout = {lock}"
            f" /*M!100300 , idle_transaction_timeout = {idle}, max_statement_time = {deadlines.run} */"
        )
    if connection._read_timeout == CONNECT_SECONDS:  # else the address says it
        connection._read_timeout = connection._write_timeout = MYSQL_READ_SECONDS


_LIFT = {
    "postgresql": (
        "SET LOCAL statement_timeout = 0",
        f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_SECONDS}s'",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
    ),
    "mysql": (
        f"SET innodb_lock_wait_timeout = {MIGRATION_LOCK_SECONDS}",
        (
            f"SET lock_wait_timeout = {MIGRATION_LOCK_SECONDS}"
            " /*M!100300 , idle_transaction_timeout = 0, max_statement_time = 0 */"
        ),
    ),
}
_LIFT["mariadb"] = _LIFT["mysql"]


@contextmanager
def lifted(connection: Connection) -> Iterator[None]:
    """No limits but one on the wait for a lock, for work that may take minutes: on PostgreSQL until the transaction
    ends. On MySQL the connection is closed at the end: the next one has the limits again."""
    for statement in _LIFT.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
    if connection.dialect.name not in ("mysql", "mariadb"):
        yield
        return
    connection.commit()
    try:
        yield
    finally:
        connection.invalidate()
