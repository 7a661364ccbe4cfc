"""Migrates the tables at start, under a lock: `create_all` in four workers failed three times out of three."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.core.database.session_limits import lifted

SCRIPTS = Path(__file__).parents[3] / "migrations"
LOCK = 0x63686174  # "chat", for databases whose locks are numbers
LOCK_SECONDS = 60


class StillMigrating(Exception):
    """Another process is migrating this database and has not finished in time; start again later."""

    def __init__(self) -> None:
        super().__init__(f"{self.__doc__} (waited {LOCK_SECONDS} s)")


def upgrade(engine: Engine, then: Callable[[Connection], None]) -> None:
    """Run the missing migrations, then `then` (sample data) in the same transaction, while other processes wait.

    Raises StillMigrating, on MySQL and MariaDB.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.connect() as connection, lifted(connection), locked(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if _dialect(connection) == "mysql":
            connection.commit()  # each CREATE TABLE was committed at once, see `repeatable_ddl`
        then(connection)
        connection.commit()


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
    """Take an advisory lock; the wait may be long."""
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
        connection.commit()


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
