"""Limits that the database server itself puts on our connections, so that no lock outlives the process that took it.

They are set after connecting, in one round trip: a pooler may refuse them as start-up parameters, and options in the
address stay what the operator wrote.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection

from app.core.database.deadlines import Deadlines

CONNECT_SECONDS = 3
MYSQL_READ_SECONDS = 90
"""The last resort for a MySQL connection without a watchdog: the wait for the lock of a migration (60 s) fits in."""
KEEPALIVE = {"idle": 5, "interval": 2, "count": 3}
"""Seconds, and probes: a peer that vanished is noticed after 11 s."""

_OPTIONAL = {"client_connection_check_interval"}
"""PostgreSQL refuses this on systems where it cannot look at a socket without reading it."""


def set_on_postgresql(connection: Any, deadlines: Deadlines) -> None:
    """Set the limits on a psycopg connection that nothing uses yet; a server too old for one goes without it."""
    limits = {
        "lock_timeout": _ms(deadlines.lock),
        "statement_timeout": _ms(deadlines.run),
        "idle_in_transaction_session_timeout": _ms(deadlines.idle_transaction),
        "client_connection_check_interval": _ms(deadlines.lock),
        **{f"tcp_keepalives_{name}": number for name, number in KEEPALIVE.items()},
    }
    connection.autocommit = True
    try:
        connection.execute(_set_on_postgresql(limits))
    except psycopg.errors.InvalidParameterValue:
        connection.execute(_set_on_postgresql({name: limits[name] for name in limits.keys() - _OPTIONAL}))
    connection.autocommit = False


def _set_on_postgresql(limits: dict[str, int]) -> str:
    """What the address sets itself (`source = 'client'`) is left alone."""
    values = ", ".join(f"('{name}', '{number}')" for name, number in limits.items())
    return (
        f"SELECT set_config(name, value, false) FROM (VALUES {values}) AS limits (name, value)"  # noqa: S608 - ours
        " JOIN pg_catalog.pg_settings USING (name) WHERE source <> 'client'"
    )


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
        "SET statement_timeout = 0",
        "SET lock_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
    ),
    "mysql": (
        "SET innodb_lock_wait_timeout = DEFAULT",
        "SET lock_wait_timeout = DEFAULT /*M!100300 , idle_transaction_timeout = 0, max_statement_time = 0 */",
    ),
}
_LIFT["mariadb"] = _LIFT["mysql"]


@contextmanager
def lifted(connection: Connection) -> Iterator[None]:
    """No limits, for work that may take minutes. The connection is closed at the end: the next one has them again."""
    statements = _LIFT.get(connection.dialect.name, ())
    for statement in statements:
        connection.exec_driver_sql(statement)
    connection.commit()
    try:
        yield
    finally:
        if statements:
            connection.invalidate()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
