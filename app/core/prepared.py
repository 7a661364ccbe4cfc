"""Statements that are run very often, compiled once for each database."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Select
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


class Glance:
    """A SELECT of one row by its key, and the names of its parameters.

    It asks for so little that SQLite can be asked in the event loop: see `Database.glance`.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], *names: str) -> None:
        self._statement = statement
        self._names = names
        self._ready: tuple[str, Callable[[Any], tuple[Any, ...]]] | None = None

    def find(self, connection: Connection, values: Sequence[Any]) -> Sequence[Any] | None:
        """The row, in the connection's transaction."""
        return connection.execute(self._statement, dict(zip(self._names, values, strict=True))).one_or_none()

    def on_sqlite(self, dialect: Dialect, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """The SQL and its parameters, for sqlite3 itself."""
        if self._ready is None:
            compiled = self._statement.compile(dialect=dialect)
            places = [self._names.index(name) for name in compiled.positiontup or ()]
            self._ready = str(compiled), lambda values: tuple([values[place] for place in places])
        sql, pick = self._ready
        return sql, pick(values)
