"""Brings the tables up to date at start, under a lock: `create_all` in four workers failed three times of three."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

SCRIPTS = Path(__file__).parents[3] / "migrations"
LOCK = 0x63686174  # «chat», for databases whose locks have numbers
LOCK_SECONDS = 60


class StillMigrating(Exception):
    """Another process is bringing this database up to date, and has not finished in time; start again later."""

    def __init__(self) -> None:
        super().__init__(f"{self.__doc__} (waited {LOCK_SECONDS} s)")


def upgrade(engine: Engine, then: Callable[[Connection], None]) -> None:
    """Run what is missing, then `then` (sample data) in the same transaction, while any other process waits.

    Raises StillMigrating, on MySQL and MariaDB.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.connect() as connection, _alone(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if _dialect(connection) == "mysql":
            connection.commit()  # each CREATE TABLE was final there; that it has been done must be so too
        then(connection)
        connection.commit()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """SQLite needs no more than the transaction, which begins with BEGIN IMMEDIATE."""
    match _dialect(connection):
        case "postgresql":
            with _alone_on_postgresql(connection):
                yield
        case "mysql":
            with _alone_on_mysql(connection):
                yield
        case _:
            connection.begin()  # ours, so that Alembic does not commit before all is done
            yield


@contextmanager
def _alone_on_postgresql(connection: Connection) -> Iterator[None]:
    """A migration may take longer than any request, and so may the wait for another's."""
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SET lock_timeout = 0"))
    connection.commit()
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
        connection.execute(text("RESET statement_timeout"))
        connection.execute(text("RESET lock_timeout"))
        connection.commit()


@contextmanager
def _alone_on_mysql(connection: Connection) -> Iterator[None]:
    """Locks there are the whole server's, so the name of this one says which database it is about."""
    name = {"name": _lock_name(connection.engine.url.database or "")}
    got = connection.execute(
        text("SELECT GET_LOCK(:name, :seconds)"), name | {"seconds": LOCK_SECONDS}
    ).scalar()
    if got != 1:  # 0 when somebody else has it, NULL when the wait was broken off
        raise StillMigrating
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), name)
        connection.commit()


def _lock_name(database: str) -> str:
    """At most 64 characters, whatever the database is called; in capitals or not, it may be the same one."""
    return f"chat {blake2b(database.lower().encode(), digest_size=16).hexdigest()}"


def _dialect(connection: Connection) -> str:
    return "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
