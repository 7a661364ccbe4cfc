"""Hints for MySQL and MariaDB, which take locks along the index that they read.

Two transactions that lock the same rows along different indexes can deadlock, whatever the order of the rows. So rows
that several kinds of work lock are always locked along their primary key.
"""

from typing import Any, TypeVar

from sqlalchemy import Select, Update
from sqlalchemy.sql.roles import FromClauseRole

S = TypeVar("S", bound=Select[*tuple[Any, ...]])

_DIALECTS = ("mysql", "mariadb")
_HINT = "FORCE INDEX (PRIMARY)"


def update_by_key(statement: Update) -> Update:
    for dialect in _DIALECTS:
        statement = statement.with_hint(_HINT, dialect_name=dialect)
    return statement


def select_by_key(statement: S, table: type[Any] | FromClauseRole) -> S:
    for dialect in _DIALECTS:
        statement = statement.with_hint(table, _HINT, dialect)
    return statement
