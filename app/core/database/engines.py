"""SQLAlchemy engines: one for writing, one for reading, and how many connections each has."""

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from sqlalchemy import Dialect, Engine, create_engine, event
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.pool import Pool, QueuePool, StaticPool

from app.core.database import lines, postgresql_sessions, server_identity, session_limits
from app.core.database.deadlines import Deadlines
from app.core.database.failures import is_read_only
from app.core.database.jobs import current_job
from app.core.database.lines import SocketLine, SqliteLine

_MYSQL = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), session_limits.CONNECT_SECONDS)
TIMEOUTS: dict[str, dict[str, int | str]] = {
    "postgresql+psycopg": {"connect_timeout": session_limits.CONNECT_SECONDS, "tcp_user_timeout": 10_000},
    "mysql+pymysql": {**_MYSQL},
    "mariadb+pymysql": {**_MYSQL},
}
"""Connection arguments that bound connecting, where no watchdog can look."""

PRAGMAS = (
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


def open_engines(url: URL, pool_size: int, deadlines: Deadlines) -> Engines:
    """Engines for this database; nothing connects yet."""
    open_them = _sqlite if url.get_backend_name() == "sqlite" else _server
    return open_them(url, pool_size, deadlines)


def _server(url: URL, pool_size: int, deadlines: Deadlines) -> Engines:
    """Two pools, so that a connection keeps its isolation level for life: one that is set for a transaction is set back
    when its connection returns to the pool, which costs round trips and can fail after the commit."""
    writers = max(2, pool_size // 2)  # one may wait for a row that is locked
    readers = max(1, pool_size - writers)
    writing = WRITER_ARGUMENTS.get(url.drivername, {})
    writer = _server_engine(url, writers, "READ COMMITTED", writing, deadlines)
    # A catch-up reads several tables and needs one snapshot of them.
    reader = _server_engine(url, readers, "REPEATABLE READ", {}, deadlines)
    return Engines(writer, reader, writers, readers)


def _server_engine(
    url: URL,
    pool_size: int,
    isolation_level: IsolationLevel,
    arguments: dict[str, int | str],
    deadlines: Deadlines,
) -> Engine:
    url, options = postgresql_sessions.without_options(url)
    if options.rest:
        arguments = arguments | {"options": options.rest}
    elif options.settings:
        arguments = arguments | {"options": ""}  # they replace PGOPTIONS, as they do in libpq
    engine = create_engine(
        url,
        isolation_level=isolation_level,
        pool_size=pool_size,
        max_overflow=0,
        pool_reset_on_return=None,  # a session ends its own transaction; a ROLLBACK after COMMIT is a round trip
        hide_parameters=True,
        connect_args=_missing(TIMEOUTS.get(url.drivername, {}) | arguments, url),
    )
    event.listen(engine, "handle_error", _drop_read_only)
    _limit(engine, deadlines, options.settings)
    server_identity.choose(engine)  # after the limits, which hold for it too
    return engine


def _limit(engine: Engine, deadlines: Deadlines, own: dict[str, str]) -> None:
    """Put every connection under the limits of the server and in reach of the watchdog. `own` are the settings that
    the operator chose for PostgreSQL."""
    pool = engine.pool
    if engine.dialect.driver == "psycopg":
        lines.watch(pool, lambda connection: SocketLine(connection.fileno()))
        event.listen(pool, "connect", postgresql_sessions.Sessions(engine, deadlines, own).set_up)
    else:
        lines.watch(pool, lambda connection: SocketLine(connection._sock.fileno()))
        event.listen(
            pool, "connect", lambda connection, _: session_limits.set_on_mysql(connection, deadlines)
        )
    event.listen(engine, "do_connect", _stop_if_over)
    lines.ping_idle(pool, engine.dialect.do_ping)


def _stop_if_over(*_: object) -> None:
    """A job that was cut has an answer: it does not connect again, which may take as long once more."""
    job = current_job()
    if job is not None:
        job.check()


def can_skip_locked(dialect: Dialect) -> bool:
    """Whether SELECT … FOR UPDATE knows SKIP LOCKED: MariaDB since 10.6, MySQL since 8."""
    if not isinstance(dialect, MySQLDialect):
        return True
    return (dialect.server_version_info or ()) >= ((10, 6) if dialect.is_mariadb else (8,))


def _missing(arguments: dict[str, int | str], url: URL) -> dict[str, int | str]:
    """What the address does not say itself."""
    return {name: value for name, value in arguments.items() if name not in url.query}


def _drop_read_only(context: ExceptionContext) -> None:
    """After a failover the pool still holds connections to the server that was demoted: let them end."""
    if is_read_only(context.original_exception):
        context.is_disconnect = True


def _sqlite(url: URL, pool_size: int, deadlines: Deadlines) -> Engines:
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
        _begin_with(reader.pool, "BEGIN", deadlines)
    _begin_with(writer.pool, "BEGIN IMMEDIATE", deadlines)
    event.listen(writer.pool, "connect", partial(_run_pragmas, WRITER_PRAGMAS))
    return Engines(writer, reader, 1, pool_size)


def _begin_with(pool: Pool, begin: str, deadlines: Deadlines) -> None:
    """Make every checkout one transaction. Pool events cost nothing; an engine event cost 0.1 ms a query."""
    event.listen(pool, "connect", partial(_prepare_sqlite, round(deadlines.begin * 1000)))
    lines.watch(pool, SqliteLine)
    event.listen(pool, "checkout", lambda connection, *_: connection.execute(begin))


def _prepare_sqlite(busy_ms: int, connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's own BEGIN comes too late; ours is explicit
    _run_pragmas((f"PRAGMA busy_timeout = {busy_ms}", *PRAGMAS), connection)


def _run_pragmas(pragmas: Sequence[str], connection: sqlite3.Connection, _record: object = None) -> None:
    for pragma in pragmas:
        connection.execute(pragma)
