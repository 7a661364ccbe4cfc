"""Statements that are run for many rows at a time, compiled once for each database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """An INSERT or UPDATE and the names of its parameters, in the order of the tuples it is run with.

    SQLAlchemy prepares the parameters of every row anew, which for a thousand rows took as long as the database.
    """

    def __init__(self, statement: UpdateBase, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._ready: dict[str, tuple[str, Sequence[int] | None]] = {}

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute for every row, in the connection's transaction."""
        name = connection.dialect.name
        sql, order = self._ready.get(name) or self._ready.setdefault(name, self._compile(connection))
        if order is None:
            connection.exec_driver_sql(sql, [dict(zip(self._names, row, strict=True)) for row in rows])
        else:
            connection.exec_driver_sql(sql, [tuple([row[at] for at in order]) for row in rows])

    def _compile(self, connection: Connection) -> tuple[str, Sequence[int] | None]:
        """The SQL, and where each of its parameters stands in a row; None for databases that go by name."""
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=list(self._names))
        order = compiled.positiontup
        return str(compiled), None if order is None else [self._names.index(name) for name in order]
