"""Statements that are run very often, compiled once for each database."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.sql.dml import UpdateBase


class _Compiled(NamedTuple):
    sql: str
    pick: Callable[[Any], tuple[Any, ...]]
    """Takes the parameters out of a row."""
    by_place: bool
    """Whether they go by place, or by name."""


class _Statement:
    """A statement and the names of its parameters."""

    def __init__(
        self, statement: UpdateBase | Select[*tuple[Any, ...]], names: tuple[str, ...], of: Sequence[str]
    ) -> None:
        self._statement = statement
        self._names = names
        self._fields = list(of)
        self._ready: dict[str, _Compiled] = {}

    def _for(self, dialect: Dialect) -> _Compiled:
        return self._ready.get(dialect.name) or self._ready.setdefault(dialect.name, self._compile(dialect))

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(self._names))
        order = compiled.positiontup
        places = [self._fields.index(name) for name in order or self._names]
        pick = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        return _Compiled(str(compiled), pick, order is not None)


class Prepared(_Statement):
    """An INSERT or UPDATE and the names of its parameters, which it takes out of rows with the fields `of`.

    SQLAlchemy prepares the parameters of every row anew, which for a thousand rows took as long as the database.
    """

    def __init__(self, statement: UpdateBase, *names: str, of: Sequence[str] = ()) -> None:
        super().__init__(statement, names, of or names)

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute for every row, in the connection's transaction."""
        sql, pick, by_place = self._for(connection.dialect)
        if by_place:
            connection.exec_driver_sql(sql, list(map(pick, rows)))
        else:
            connection.exec_driver_sql(sql, [dict(zip(self._names, pick(row), strict=True)) for row in rows])


class Glance(_Statement):
    """A SELECT of one row by its key, and the names of its parameters.

    It asks for so little that SQLite can be asked in the event loop: see `Database.glance`.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], *names: str) -> None:
        super().__init__(statement, names, names)

    def find(self, connection: Connection, values: Sequence[Any]) -> Sequence[Any] | None:
        """The row, in the connection's transaction."""
        return connection.execute(self._statement, dict(zip(self._names, values, strict=True))).one_or_none()

    def on_sqlite(self, dialect: Dialect, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """The SQL and its parameters, for sqlite3 itself."""
        sql, pick, _ = self._for(dialect)
        return sql, pick(values)
