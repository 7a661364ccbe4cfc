"""The database: plain SQLAlchemy sessions in threads, one writer for SQLite, a bounded pool for servers.

Services get a session and never commit. What they announce is published after the commit and forgotten on rollback;
there is no other way to publish.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool, QueuePool, StaticPool

from app.core.erasure import LogEraser
from app.core.errors import Unavailable
from app.core.prepared import Glance

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Session, P], T]
Publish = Callable[[list[Any]], None]

ATTEMPTS = 3
TIMEOUTS: dict[str, dict[str, Any]] = {
    "postgresql+psycopg": {
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "options": "-c statement_timeout=20000 -c lock_timeout=10000",
    },
    "mysql+pymysql": {"connect_timeout": 5, "read_timeout": 90, "write_timeout": 90},
    "mariadb+pymysql": {"connect_timeout": 5, "read_timeout": 90, "write_timeout": 90},
}
"""A database that has gone silent is one that is away: nobody waits for it for ever. MySQL's client has one timeout for
everything, and the lock of a migration (60 s) must fit in."""
DEADLOCKS = frozenset({"40001", "40P01", 1205, 1213})
"""PostgreSQL's and MySQL's words for «somebody else was faster, begin again»."""

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
"""In a conversation in 200 rooms every commit touches hundreds of pages: with a cache that holds them, and written back
from the log a quarter as often, the server takes in 7 % more."""


MOVING_SECONDS = 0.02
"""A write of which nothing was heard for so long waits for something else than the interpreter."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer; try again."""


class Unknown(Unavailable):
    """Whether this was stored is unknown; try again with the same client_id."""


def announce(db: Session, what: object) -> None:
    """Tell `what` to the world once this transaction is on disk, or never."""
    db.info.setdefault("announced", []).append(what)


def erases(db: Session) -> None:
    """Note that this transaction takes something back, which has to be gone from the disk too."""
    db.info["erases"] = True


class Database:
    """Runs units of work. `publish` is called in the event loop with what each commit announced."""

    def __init__(self, url: URL, pool_size: int, publish: Publish = lambda _: None) -> None:
        self.dialect = url.get_backend_name()
        self.publish = publish
        if self.dialect == "sqlite":
            self.writer, self.reader = _sqlite_engines(url, pool_size)
            writers, readers = 1, pool_size
        else:
            engine = create_engine(
                url,
                pool_size=pool_size,
                max_overflow=0,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args=TIMEOUTS.get(url.drivername, {}),
            )
            self.writer = engine.execution_options(isolation_level="READ COMMITTED")
            # A catch-up reads several tables and must see one moment of them.
            self.reader = engine.execution_options(isolation_level="REPEATABLE READ")
            writers = max(1, pool_size // 2)
            readers = max(1, pool_size - writers)
        # As many threads as connections: work waits in line, and no thread ever waits for a connection.
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="db-write")
        self._readers = self._writers if self.reader is self.writer else _pool(readers)
        in_file = self.dialect == "sqlite" and self.reader is not self.writer
        self._eye = SqliteEye(self.reader) if in_file else None
        self._eraser = LogEraser(str(url.database), self._writers) if in_file else None
        self._has_erased = False
        self._writing = 0
        self._moved_at = 0.0

    @property
    def is_writing(self) -> bool:
        """Whether something is on its way to disk, and moves: nobody can help what waits for a lock or for the disk."""
        return self._writing > 0 and time.monotonic() - self._moved_at < MOVING_SECONDS

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work that changes nothing, on one snapshot of the data. Raises DatabaseUnavailable."""
        job = partial(self._look, work, args, kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._readers, job)

    async def glance(self, what: Glance, *values: Any) -> Sequence[Any] | None:
        """One row, or None, that an index leads to. Raises DatabaseUnavailable.

        SQLite is asked right here: it answers from memory within some 10 µs, and readers wait for nobody. The way to a
        thread and back takes 300.
        """
        if self._eye is not None:
            try:
                return self._eye.see(what, values)
            except sqlite3.OperationalError:
                pass  # it would have had to wait, and that is for threads
        return await self.read(_glance, what, values)

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work in a transaction; when this returns, it is on disk and published.

        Raises DatabaseUnavailable when nothing was stored and Unknown when that cannot be told.
        """
        loop = asyncio.get_running_loop()
        job = partial(self._change, loop, work, args, kwargs)
        if not self._writing:
            self._moved_at = time.monotonic()
        self._writing += 1
        try:
            return await loop.run_in_executor(self._writers, job)
        finally:
            self._writing -= 1
            self._moved_at = time.monotonic()

    def _look(self, work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        try:
            with Session(
                self.reader, expire_on_commit=False
            ) as db:  # its end is a ROLLBACK, which can fail too
                return work(db, *args, **kwargs)
        except (OperationalError, InterfaceError, InternalError) as error:
            raise DatabaseUnavailable from error

    def _change(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> T:
        for attempt in range(ATTEMPTS):
            try:
                result, announced = self.transact(work, *args, **kwargs)
            except (OperationalError, InterfaceError, InternalError) as error:
                if _is_deadlock(error) and attempt + 1 < ATTEMPTS:
                    continue
                raise DatabaseUnavailable from error
            if announced:
                loop.call_soon_threadsafe(self.publish, announced)
            if self._has_erased and self._eraser:
                self._has_erased = False
                loop.call_soon_threadsafe(self._eraser.soon)
            return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    def transact(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T, list[Any]]:
        """One transaction in this thread: the result, and what was announced. Raises Unknown if COMMIT fails."""
        with Session(self.writer, expire_on_commit=False) as db:
            result = work(db, *args, **kwargs)
            db.flush()
            try:
                db.commit()
            except DBAPIError as error:
                db.invalidate()  # a ROLLBACK that fails as well would say something else
                raise Unknown from error
            announced: list[Any] = db.info.pop("announced", [])
            self._has_erased |= "erases" in db.info
            return result, announced

    def empty_log(self) -> None:
        """Erase for good what a process that was killed had no time for."""
        if self._eraser:
            self._eraser.now()

    async def aclose(self) -> None:
        """Let running work finish, which may take its time, then let go of every connection."""
        self._shut_eye()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same without an event loop to keep free. Raises sqlite3.ProgrammingError in another thread than its."""
        self._shut_eye()
        self._writers.shutdown()
        self._readers.shutdown()
        if self._eraser and self._eraser.is_due:
            self._eraser.now()
        self.writer.dispose()
        self.reader.dispose()

    def _shut_eye(self) -> None:
        if self._eye is not None:
            self._eye.close()
            self._eye = None


class SqliteEye:
    """A connection for glances, which never waits and never leaves a transaction open. It is the event loop's thread's:
    sqlite3 lets no other use or close it."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._connection: sqlite3.Connection | None = None

    def see(self, what: Glance, values: tuple[Any, ...]) -> Sequence[Any] | None:
        """Raises sqlite3.Error."""
        if self._connection is None:
            path = str(self._reader.url.database)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._connection.execute("PRAGMA query_only = ON")
        rows = self._connection.execute(*what.on_sqlite(self._reader.dialect, values)).fetchall()
        return rows[0] if rows else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _glance(db: Session, what: Glance, values: tuple[Any, ...]) -> Sequence[Any] | None:
    return what.find(db.connection(), values)


def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="db-read")


def _is_deadlock(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None) or next(iter(error.orig.args if error.orig else ()), None)
    return code in DEADLOCKS


def _sqlite_engines(url: URL, pool_size: int) -> tuple[Engine, Engine]:
    """A writer that begins with `BEGIN IMMEDIATE`, and readers on snapshots beside it.

    WAL alone is silently wrong: of 600 read-modify-write commits, 23 counted. With BEGIN IMMEDIATE all 600 did.
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
    event.listen(writer.pool, "connect", partial(_set, WRITER_PRAGMAS))
    return writer, reader


def _begin_with(pool: Pool, begin: str) -> None:
    """Every checkout is one transaction. Events of the pool cost nothing; one of the engine cost 0.1 ms a query."""
    event.listen(pool, "connect", _prepare_sqlite)
    event.listen(pool, "checkout", lambda connection, *_: connection.execute(begin))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # sqlite3's own BEGIN comes too late; ours is explicit
    _set(PRAGMAS, connection)


def _set(pragmas: Sequence[str], connection: Any, _record: object = None) -> None:
    for pragma in pragmas:
        connection.execute(pragma)
