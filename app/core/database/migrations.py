"""Migrates the tables at start, under a lock: `create_all` in four workers failed three times out of three."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from app.core.config import ConfigurationError
from app.core.database import session_limits
from app.core.database.failures import is_lock_timeout
from app.core.database.session_limits import lifted

SCRIPTS = Path(__file__).parents[3] / "migrations"
LOCK = 0x63686174  # "chat", for databases whose locks are numbers
LOCK_SECONDS = session_limits.MIGRATION_LOCK_SECONDS


class StillMigrating(Exception):
    """Another process is migrating this database and has not finished in time; start again later."""

    def __init__(self) -> None:
        super().__init__(f"{self.__doc__} (waited {LOCK_SECONDS} s)")


class ForeignTables(ConfigurationError):
    """Another program has tables of the same names in this database."""

    def __init__(self, error: DBAPIError) -> None:
        reason = " ".join(str(error.orig).split())
        super().__init__(
            f"the database has tables of these names already, so it belongs to another program ({reason}); "
            "name another database"
        )


class MissingColumns(ConfigurationError):
    """Another program counts its migrations as this one does, or tables were changed by hand."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(
            f"the tables are not those of this program ({table} has no {column}); name another database, or "
            "restore a backup"
        )


class UnknownVersion(ConfigurationError):
    """The last migration of the tables is none that this program knows."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"the tables were made by a newer version of this program, or by another one (migration {version}); "
            "install that version, or name another database"
        )


def _check_version(connection: Connection) -> bool:
    """Whether the tables have a version yet. Raises UnknownVersion for one that this program does not know."""
    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    versions = MigrationContext.configure(connection).get_current_heads()
    for version in versions:
        if version not in known:
            raise UnknownVersion(version)
    return bool(versions)


def upgrade(engine: Engine, then: Callable[[Connection], None], expected: MetaData | None = None) -> None:
    """Run the missing migrations, then `then` (sample data) in the same transaction, while other processes wait.
    `expected` are the tables that must be there then.

    Raises StillMigrating, and ConfigurationError for a database of a newer version or of another program.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.connect() as connection, lifted(connection), locked(connection):
        has_version = _check_version(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            if not has_version and "already exists" in str(error.orig):
                raise ForeignTables(error) from None
            raise
        if _dialect(connection) == "mysql":
            connection.commit()  # each CREATE TABLE was committed at once, see `repeatable_ddl`
        if expected is not None:
            _check_tables(connection, expected)
        then(connection)
        connection.commit()


def _check_tables(connection: Connection, expected: MetaData) -> None:
    """Another program may count its migrations as this one does. Raises MissingColumns."""
    found = {
        table: {column["name"] for column in columns}
        for (_, table), columns in inspect(connection).get_multi_columns().items()
    }
    for table in expected.sorted_tables:
        missing = {column.name for column in table.columns} - found.get(table.name, set())
        if missing:
            raise MissingColumns(table.name, min(missing))


def newest_version() -> str | None:
    """The version of the tables that this program works with."""
    return ScriptDirectory(str(SCRIPTS)).get_current_head()


@contextmanager
def locked(connection: Connection) -> Iterator[None]:
    """Lock out other processes. SQLite needs only the transaction, which begins with BEGIN IMMEDIATE."""
    match _dialect(connection):
        case "postgresql":
            with _locked_on_postgresql(connection):
                yield
        case "mysql":
            with _locked_on_mysql(connection):
                yield
        case _:
            connection.begin()  # our own, so that Alembic does not commit before the end
            yield


@contextmanager
def _locked_on_postgresql(connection: Connection) -> Iterator[None]:
    """Take an advisory lock until the transaction ends: one of the session could stay behind a pooler for ever."""
    try:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise StillMigrating from None
        raise
    try:
        yield
    finally:
        connection.rollback()


@contextmanager
def _locked_on_mysql(connection: Connection) -> Iterator[None]:
    """Take a named lock. Locks belong to the whole server, so the name is specific to the database."""
    name = {"name": _lock_name(connection.engine.url.database or "")}
    got = connection.execute(
        text("SELECT GET_LOCK(:name, :seconds)"), name | {"seconds": LOCK_SECONDS}
    ).scalar()
    if got != 1:  # 0 if another process holds it, NULL if the wait was aborted
        raise StillMigrating
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)
        connection.commit()


def _lock_name(database: str) -> str:
    """The name of the lock: at most 64 characters, and the same in any case, since the database may be the same."""
    return f"chat {blake2b(database.lower().encode(), digest_size=16).hexdigest()}"


def _dialect(connection: Connection) -> str:
    return "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
