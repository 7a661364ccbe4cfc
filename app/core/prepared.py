"""Statements that are run for many rows at a time, compiled once for each database."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """An INSERT or UPDATE and the names of its parameters, which it takes out of rows with the fields `of`.

    SQLAlchemy prepares the parameters of every row anew, which for a thousand rows took as long as the database.
    """

    def __init__(self, statement: UpdateBase, *names: str, of: Sequence[str] = ()) -> None:
        self._statement = statement
        self._names = names
        self._fields = list(of or names)
        self._ready: dict[str, tuple[str, Callable[[Any], tuple[Any, ...]], bool]] = {}

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute for every row, in the connection's transaction."""
        name = connection.dialect.name
        sql, pick, by_place = self._ready.get(name) or self._ready.setdefault(name, self._compile(connection))
        if by_place:
            connection.exec_driver_sql(sql, list(map(pick, rows)))
        else:
            connection.exec_driver_sql(sql, [dict(zip(self._names, pick(row), strict=True)) for row in rows])

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Any], tuple[Any, ...]], bool]:
        """The SQL, what takes the parameters out of a row, and whether they go by place or by name."""
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=list(self._names))
        order = compiled.positiontup
        pick = itemgetter(*[self._fields.index(name) for name in order or self._names])
        return str(compiled), pick, order is not None
