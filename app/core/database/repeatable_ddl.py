"""Makes migrations repeatable on MySQL and MariaDB, which commit every CREATE, ALTER and DROP at once.

A migration that was interrupted begins again from its first statement. Importing this module replaces the way Alembic
changes tables there: it looks first, and does only what is left to do. SQLite and PostgreSQL roll the whole
migration back.
"""

from typing import Any

from alembic.ddl.mysql import MySQLImpl
from alembic.util import CommandError
from sqlalchemy import Column, Constraint, Index, Table, inspect
from sqlalchemy.engine.interfaces import ReflectedConstraint
from sqlalchemy.engine.reflection import Inspector

REPEATABLE = frozenset(
    {
        "add_column",
        "alter_column",
        "batch_alter_table",
        "create_check_constraint",
        "create_foreign_key",
        "create_index",
        "create_table",
        "create_unique_constraint",
        "drop_column",
        "drop_constraint",
        "drop_index",
        "drop_table",
        "f",
    }
)
"""Operations that a migration may use to change tables. `alter_column` must not rename."""
TRANSACTIONAL = frozenset({"bulk_insert", "execute", "get_bind"})
"""Operations for data. They come last in a migration: MySQL then commits them together with the version, or neither."""


class ForeignTable(CommandError):
    """A table of this name has other columns than ours: is this the database of another program?"""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table}: {self.__doc__}")


class RepeatableMySql(MySQLImpl):
    """Alembic's operations on MySQL, each of which does nothing if it is done already."""

    __dialect__ = "mysql"

    def create_table(self, table: Table, **options: Any) -> None:
        """Raises ForeignTable if there is another table of this name."""
        if not self._look().has_table(table.name):
            super().create_table(table, **options)
            return
        if not {column.name for column in table.columns} <= self._columns(table.name):
            raise ForeignTable(table.name)
        for index in table.indexes:
            self.create_index(index)

    def drop_table(self, table: Table, **options: Any) -> None:
        if self._look().has_table(table.name):
            super().drop_table(table, **options)

    def create_index(self, index: Index, **options: Any) -> None:
        if not self._has_index(index):
            super().create_index(index, **options)

    def drop_index(self, index: Index, **options: Any) -> None:
        if self._has_index(index):
            super().drop_index(index, **options)

    def add_column(self, table_name: str, column: Column[Any], **options: Any) -> None:
        if column.name not in self._columns(table_name):
            super().add_column(table_name, column, **options)

    def drop_column(self, table_name: str, column: Column[Any], **options: Any) -> None:
        if column.name in self._columns(table_name):
            super().drop_column(table_name, column, **options)

    def add_constraint(self, const: Any, **options: Any) -> None:
        if not self._has_constraint(const):
            super().add_constraint(const, **options)

    def drop_constraint(self, const: Constraint, **options: Any) -> None:
        if self._has_constraint(const):
            super().drop_constraint(const, **options)

    def _look(self) -> Inspector:
        """A new inspector, since one remembers what it saw."""
        assert self.connection is not None
        return inspect(self.connection)

    def _columns(self, table: str) -> set[str]:
        return {column["name"] for column in self._look().get_columns(table)}

    def _has_index(self, index: Index) -> bool:
        assert index.table is not None
        return index.name in {found["name"] for found in self._look().get_indexes(index.table.name)}

    def _has_constraint(self, constraint: Constraint) -> bool:
        assert constraint.table is not None
        look, table = self._look(), constraint.table.name
        found: list[ReflectedConstraint] = [
            *look.get_foreign_keys(table),
            *look.get_unique_constraints(table),
            *look.get_check_constraints(table),
        ]
        return constraint.name in {one["name"] for one in found}


class RepeatableMariaDb(RepeatableMySql):
    """The same for addresses that begin with `mariadb:`."""

    __dialect__ = "mariadb"
