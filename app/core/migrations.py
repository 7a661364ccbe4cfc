"""Brings the tables up to date at start, under a lock: `create_all` in four workers failed three times of three."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

SCRIPTS = Path(__file__).parents[2] / "migrations"
LOCK = 0x63686174  # «chat», for databases whose locks have numbers
LOCK_SECONDS = 60


def upgrade(engine: Engine, then: Callable[[Connection], None]) -> None:
    """Run what is missing, then `then` (sample data) in the same transaction, while any other process waits."""
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
    locks = {
        "postgresql": (f"SELECT pg_advisory_lock({LOCK})", f"SELECT pg_advisory_unlock({LOCK})"),
        "mysql": (f"SELECT GET_LOCK('{LOCK}', {LOCK_SECONDS})", f"SELECT RELEASE_LOCK('{LOCK}')"),
    }
    take, release = locks.get(_dialect(connection), (None, None))
    if take is None or release is None:
        connection.begin()  # ours, so that Alembic does not commit before all is done
        yield
        return
    patient = _dialect(connection) == "postgresql"
    if patient:  # a migration may take longer than any request, and so may the wait for another's
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        connection.commit()
    connection.execute(text(take))
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(release))
        if patient:
            connection.execute(text("RESET statement_timeout"))
            connection.execute(text("RESET lock_timeout"))
        connection.commit()


def _dialect(connection: Connection) -> str:
    return "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
