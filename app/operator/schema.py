"""Whose tables these are, and whether this program can serve them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from app.core.database.migrations import SCRIPTS

OURS = frozenset({"users", "rooms", "members", "messages", "sessions"})
"""Tables that every version has had."""
VERSIONS = "alembic_version"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database says of its tables."""

    tables: frozenset[str]
    revision: str | None
    """The last migration that ran."""


def of_file(connection: sqlite3.Connection) -> Schema:
    tables = frozenset(
        name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    )
    rows = connection.execute("SELECT version_num FROM alembic_version") if VERSIONS in tables else ()
    return Schema(tables, _only(name for (name,) in rows))


def of_database(connection: Connection) -> Schema:
    tables = frozenset(inspect(connection).get_table_names())
    rows: Iterable[str] = ()
    if VERSIONS in tables:
        rows = connection.scalars(text("SELECT version_num FROM alembic_version"))
    return Schema(tables, _only(rows))


def why_foreign(found: Schema) -> str | None:
    """Why this program cannot serve the tables, as the end of a sentence; None if it can, perhaps after migrating."""
    if found.revision is None or not found.tables >= OURS:
        return "is not a database of this program"
    if found.revision not in {script.revision for script in _scripts().walk_revisions()}:
        return f"was made by a newer version of this program (migration {found.revision}); upgrade first"
    return None


def is_current(found: Schema) -> bool:
    return found.revision == _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return ScriptDirectory.from_config(config)


def _only(names: Iterable[str]) -> str | None:
    return next(iter(names), None)
