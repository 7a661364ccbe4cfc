"""Frequent statements, compiled once per database dialect."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.sql.dml import UpdateBase


class _Compiled(NamedTuple):
    sql: str
    pick: Callable[[Any], tuple[Any, ...]]
    """Picks the parameters from a row, in the order of the SQL text."""
    is_positional: bool


class CompiledStatement:
    """A statement and the names of its parameters, which are picked from rows with the fields `of`."""

    def __init__(
        self, statement: UpdateBase | Select[*tuple[Any, ...]], names: tuple[str, ...], of: Sequence[str]
    ) -> None:
        self._statement = statement
        self._names = names
        self._fields = list(of)
        self._compiled: dict[str, _Compiled] = {}

    def _for(self, dialect: Dialect) -> _Compiled:
        return self._compiled.get(dialect.name) or self._compiled.setdefault(
            dialect.name, self._compile(dialect)
        )

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(self._names))
        order = compiled.positiontup
        places = [self._fields.index(name) for name in order or self._names]
        pick = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        return _Compiled(str(compiled), pick, order is not None)


class CompiledWrite(CompiledStatement):
    """An INSERT or UPDATE for many rows.

    SQLAlchemy prepares the parameters of every row, which for a thousand rows took as long as the database.
    """

    def __init__(self, statement: UpdateBase, *names: str, of: Sequence[str] = ()) -> None:
        """Rows have the fields `of`; without it, exactly the parameters in their order."""
        super().__init__(statement, names, of or names)

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute for every row, in the connection's transaction."""
        sql, pick, is_positional = self._for(connection.dialect)
        if is_positional:
            connection.exec_driver_sql(sql, list(map(pick, rows)))
        else:
            connection.exec_driver_sql(sql, [dict(zip(self._names, pick(row), strict=True)) for row in rows])
