"""SQLAlchemy engines: one for writing, one for reading, and how many connections each has."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.pool import Pool, QueuePool, StaticPool

from app.core.database.failures import is_read_only

TIMEOUTS: dict[str, dict[str, int | str]] = {
    "postgresql+psycopg": {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "options": "-c statement_timeout=20000 -c lock_timeout=10000",
    },
    "mysql+pymysql": {"connect_timeout": 5, "read_timeout": 90, "write_timeout": 90},
    "mariadb+pymysql": {"connect_timeout": 5, "read_timeout": 90, "write_timeout": 90},
}
"""Connection arguments that bound every wait for a silent server. MySQL's client has one timeout for all reads, and the
wait for the lock of a migration (60 s) has to fit in."""

PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
)
WRITER_PRAGMAS = (
    "PRAGMA cache_size = -16384",  # kB
    "PRAGMA wal_autocheckpoint = 4000",  # pages of 4 kB
)
"""A conversation in 200 rooms touches hundreds of pages with every commit. A cache that holds them, and a checkpoint a
quarter as often, raise throughput by 7 %."""


WRITER_ARGUMENTS: dict[str, dict[str, int | str]] = {
    "postgresql+psycopg": {"target_session_attrs": "read-write"},
}
"""What only a connection that writes asks for: not to be one to a replica."""

IsolationLevel = Literal["READ COMMITTED", "REPEATABLE READ"]


class Engines(NamedTuple):
    writer: Engine
    reader: Engine
    """The same engine as `writer` for a database in memory."""
    writers: int
    """Connections that may write at a time."""
    readers: int


def open_engines(url: URL, pool_size: int) -> Engines:
    """Engines for this database; nothing connects yet."""
    return _sqlite(url, pool_size) if url.get_backend_name() == "sqlite" else _server(url, pool_size)


def _server(url: URL, pool_size: int) -> Engines:
    """Two pools, so that a connection keeps its isolation level for life: one that is set for a transaction is set back
    when its connection returns to the pool, which costs round trips and can fail after the commit."""
    writers = max(1, pool_size // 2)
    readers = max(1, pool_size - writers)
    # A catch-up reads several tables and needs one snapshot of them.
    writer = _server_engine(url, writers, "READ COMMITTED", WRITER_ARGUMENTS.get(url.drivername, {}))
    reader = _server_engine(url, readers, "REPEATABLE READ", {})
    return Engines(writer, reader, writers, readers)


def _server_engine(
    url: URL, pool_size: int, isolation_level: IsolationLevel, arguments: dict[str, int | str]
) -> Engine:
    engine = create_engine(
        url,
        isolation_level=isolation_level,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=TIMEOUTS.get(url.drivername, {}) | _missing(arguments, url),
    )
    event.listen(engine, "handle_error", _drop_read_only)
    return engine


def _missing(arguments: dict[str, int | str], url: URL) -> dict[str, int | str]:
    """What the address does not say itself."""
    return {name: value for name, value in arguments.items() if name not in url.query}


def _drop_read_only(context: ExceptionContext) -> None:
    """After a failover the pool still holds connections to the server that was demoted: let them end."""
    if is_read_only(context.original_exception):
        context.is_disconnect = True


def _sqlite(url: URL, pool_size: int) -> Engines:
    """A writer that starts with `BEGIN IMMEDIATE`, and readers on snapshots beside it.

    WAL alone loses updates without an error: of 600 read-modify-write commits, 23 counted. With BEGIN IMMEDIATE all 600
    did.
    """
    if url.database in (None, "", ":memory:"):
        writer = create_engine(
            url, poolclass=StaticPool, hide_parameters=True, connect_args={"check_same_thread": False}
        )
        reader = writer
    else:
        writer = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, hide_parameters=True)
        reader = create_engine(
            url, poolclass=QueuePool, pool_size=pool_size, max_overflow=0, hide_parameters=True
        )
        _begin_with(reader.pool, "BEGIN")
    _begin_with(writer.pool, "BEGIN IMMEDIATE")
    event.listen(writer.pool, "connect", partial(_run_pragmas, WRITER_PRAGMAS))
    return Engines(writer, reader, 1, pool_size)


def _begin_with(pool: Pool, begin: str) -> None:
    """Make every checkout one transaction. Pool events cost nothing; an engine event cost 0.1 ms a query."""
    event.listen(pool, "connect", _prepare_sqlite)
    event.listen(pool, "checkout", lambda connection, *_: connection.execute(begin))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's own BEGIN comes too late; ours is explicit
    _run_pragmas(PRAGMAS, connection)


def _run_pragmas(pragmas: Sequence[str], connection: sqlite3.Connection, _record: object = None) -> None:
    for pragma in pragmas:
        connection.execute(pragma)
