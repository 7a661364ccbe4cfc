"""SQLite connections whose k-th statement fails as it does on a full, broken or locked disk."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """An error as SQLite raises it."""

    message: str
    code: int
    """The extended result code."""
    is_carried_out: bool = False
    """Whether the statement took effect nevertheless."""
    rolls_back: bool = False
    """Whether SQLite ends the transaction by itself."""
    kind: type[sqlite3.DatabaseError] = sqlite3.OperationalError

    def __str__(self) -> str:
        return f"{self.message}{', carried out' * self.is_carried_out}"

    def error(self) -> sqlite3.DatabaseError:
        error = self.kind(self.message)
        error.sqlite_errorcode = self.code
        return error


FAILURES = (
    Failure("database is locked", sqlite3.SQLITE_BUSY),
    Failure("database or disk is full", sqlite3.SQLITE_FULL, rolls_back=True),
    Failure("disk I/O error", sqlite3.SQLITE_IOERR_WRITE, rolls_back=True),
    Failure("disk I/O error in fsync", sqlite3.SQLITE_IOERR_FSYNC, rolls_back=True),
    Failure("disk I/O error in fsync", sqlite3.SQLITE_IOERR_FSYNC, is_carried_out=True),
    Failure("attempt to write a readonly database", sqlite3.SQLITE_READONLY_DBMOVED),
    Failure("database disk image is malformed", sqlite3.SQLITE_CORRUPT, kind=sqlite3.DatabaseError),
)


class FaultySqlite:
    """Every connection opened since `install`; `cut` arms one failure."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure
        self._lock = threading.Lock()
        self._until_cut = 0
        """Statements that still succeed, plus one; 0 if no failure is armed."""
        self.has_cut = False
        self.failed: list[str] = []
        """What failed, for the assertion that every part of the work was reached."""

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the module and SQLAlchemy's driver open connections that can fail."""
        connect = sqlite3.connect

        class Connection(_FaultyConnection):
            faults = self

        def connect_faulty(*arguments: Any, **options: Any) -> Any:
            return connect(*arguments, **options, factory=Connection)

        monkeypatch.setattr(sqlite3, "connect", connect_faulty)
        monkeypatch.setattr(sqlite3.dbapi2, "connect", connect_faulty)

    @contextmanager
    def cut(self, statement: int) -> Iterator[None]:
        """Let the k-th statement from now on fail, once."""
        with self._lock:
            self._until_cut, self.has_cut = statement, False
        try:
            yield
        finally:
            with self._lock:
                self._until_cut = 0

    def passes(self, statement: str, connection: sqlite3.Connection, carry_out: Callable[[], T]) -> T:
        """Carry out a statement, or fail."""
        with self._lock:
            is_cut = self._until_cut == 1
            self._until_cut = max(0, self._until_cut - 1)
            self.has_cut |= is_cut
        if not is_cut:
            return carry_out()
        self.failed.append(statement.split(maxsplit=1)[0])
        if self._failure.is_carried_out:
            carry_out()
        if self._failure.rolls_back:
            sqlite3.Connection.rollback(connection)
        raise self._failure.error()


class _FaultyCursor(sqlite3.Cursor):
    def execute(self, sql: str, *parameters: Any) -> "_FaultyCursor":
        run = super().execute
        return _faults(self.connection).passes(sql, self.connection, lambda: run(sql, *parameters))

    def executemany(self, sql: str, *parameters: Any) -> "_FaultyCursor":
        run = super().executemany
        return _faults(self.connection).passes(sql, self.connection, lambda: run(sql, *parameters))


class _FaultyConnection(sqlite3.Connection):
    faults: FaultySqlite

    def cursor(self, _factory: object = None) -> sqlite3.Cursor:  # type: ignore[override]
        return super().cursor(_FaultyCursor)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return self.cursor().execute(sql, *parameters)

    def commit(self) -> None:
        self.faults.passes("COMMIT", self, super().commit)

    def rollback(self) -> None:
        self.faults.passes("ROLLBACK", self, super().rollback)


def _faults(connection: sqlite3.Connection) -> FaultySqlite:
    assert isinstance(connection, _FaultyConnection)
    return connection.faults
