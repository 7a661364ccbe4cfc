"""Point reads: one row by its key, so frequent that switching to a thread would cost more than the query."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Select

from app.core.database.compiled import CompiledStatement


class PointQuery(CompiledStatement):
    """A SELECT of at most one row by its key, and the names of its parameters. See `Database.lookup`."""

    def __init__(self, statement: Select[*tuple[Any, ...]], *names: str) -> None:
        super().__init__(statement, names, names)

    def find(self, connection: Connection, values: Sequence[Any]) -> Sequence[Any] | None:
        """The row, read in the connection's transaction."""
        return connection.execute(self._statement, dict(zip(self._names, values, strict=True))).one_or_none()

    def on_sqlite(self, dialect: Dialect, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """The SQL text and its positional parameters, for the sqlite3 module."""
        sql, pick, _ = self._for(dialect)
        return sql, pick(values)


class PointReader:
    """A SQLite connection for point reads. It never waits and never leaves a transaction open.

    Only the thread that first used it, the event loop's, may use or close it.
    """

    def __init__(self, dialect: Dialect, connect: Callable[[float], sqlite3.Connection]) -> None:
        """`connect` opens a connection with this timeout in seconds."""
        self._dialect = dialect
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    def fetch_one(self, query: PointQuery, values: tuple[Any, ...]) -> Sequence[Any] | None:
        """Raises sqlite3.OperationalError where it would have to wait."""
        if self._connection is None:
            self._connection = self._connect(0)
            self._connection.execute("PRAGMA query_only = ON")
        rows = self._connection.execute(*query.on_sqlite(self._dialect, values)).fetchall()
        return rows[0] if rows else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
