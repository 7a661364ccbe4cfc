"""What a failure of the database means: whether anything may have been stored, and whether to try again."""

import sqlite3
from collections.abc import Iterator
from types import TracebackType

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    PendingRollbackError,
    ResourceClosedError,
    SQLAlchemyError,
    TimeoutError,  # noqa: A004 - of the pool
)

from app.core.errors import Unavailable

DRIVERS = frozenset({"psycopg", "psycopg_pool", "pymysql"})
"""Packages whose errors are failures of the database, whatever their class: PyMySQL lets `ConnectionResetError`, errors
of unpacking and even `AttributeError` of a closed socket through, and SQLAlchemy does not wrap those."""
DEADLOCKS = frozenset({"40001", "40P01", 1213})
"""PostgreSQL's and MySQL's codes for a deadlock or a serialization failure: run the transaction again."""
LOCK_TIMEOUTS = frozenset({"55P03", 1205, 3572})
"""Another transaction holds the lock and did not let go in time: to run again at once would only wait again."""
READ_ONLY = frozenset({"25006", "57P01", "57P02", "57P03", 1142, 1290, 1836})
"""Codes of a server that cannot be written to: a connection that got one is of no more use, even after a failover."""

_NOT_WRITTEN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
    }
)
_MAYBE_WRITTEN = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
"""The pages are in the log, and only a crash would show whether they reached the disk."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer; try again."""

    waited_for_lock = False
    """Whether the reason is a lock that another transaction holds, and not the database."""


class Unknown(Unavailable):
    """Whether this was stored is unknown; try again with the same client_id."""


def unavailable(error: BaseException) -> DatabaseUnavailable:
    """What callers are told of a failure after which nothing was stored."""
    told = DatabaseUnavailable()
    told.waited_for_lock = is_lock_timeout(error)
    return told


def is_failure(error: BaseException) -> bool:
    """Whether the database, its driver or the pool failed, and not the work itself.

    IntegrityError and DataError speak of the data: services handle them.
    """
    if isinstance(error, IntegrityError | DataError):
        return False
    if isinstance(
        error, DBAPIError | TimeoutError | PendingRollbackError | ResourceClosedError | sqlite3.Error
    ):
        return True
    return not DRIVERS.isdisjoint(_packages(error.__traceback__))


def is_deadlock(error: BaseException) -> bool:
    return is_failure(error) and error_code(error) in DEADLOCKS


def is_lock_timeout(error: BaseException) -> bool:
    return is_failure(error) and error_code(error) in LOCK_TIMEOUTS


def is_lost(error: BaseException) -> bool:
    """Whether the connection broke, perhaps while it was idle: a new one may do."""
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, DBAPIError) and error.connection_invalidated
    return is_failure(error) and not isinstance(error, sqlite3.Error)


def is_harmless(error: BaseException) -> bool:
    """Whether the connection that reported this failure is as good as before."""
    return is_deadlock(error) or is_lock_timeout(error)


def is_read_only(error: BaseException | None) -> bool:
    return error_code(error) in READ_ONLY


def wrote_nothing(error: BaseException) -> bool:
    """Whether a COMMIT that failed is known to have stored nothing. Only SQLite can tell."""
    code = _sqlite_code(error)
    return code & 0xFF in _NOT_WRITTEN and code not in _MAYBE_WRITTEN


def is_disk_error(error: BaseException) -> bool:
    """Whether SQLite could not write to its file."""
    return _sqlite_code(error) & 0xFF in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}


def error_code(error: BaseException | None) -> str | int | None:
    """The SQLSTATE of PostgreSQL, or the number of MySQL and MariaDB."""
    cause = getattr(error, "orig", None) or error
    number = next(iter(getattr(cause, "args", ())), None)
    if isinstance(number, int):  # MySQL has an SQLSTATE too, which is HY000 for most of them
        return number
    code: str | None = getattr(cause, "sqlstate", None)
    return code


def _sqlite_code(error: BaseException) -> int:
    """SQLite's extended result code; 0 for all other errors."""
    code: int = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return code


def _packages(traceback: TracebackType | None) -> Iterator[str]:
    """The top-level packages of the functions that an exception passed through."""
    while traceback is not None:
        yield str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        traceback = traceback.tb_next
