"""A database that falls silent while the server prepares it: the start ends, in one sentence."""

import asyncio
import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine

from app.core.config import ConfigurationError, Settings
from app.core.database import Database, migrations, preparing, session_limits
from tests.databases.servers import MariaDb, Postgres


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PING_SECONDS", 0.1)
    monkeypatch.setattr(preparing, "SILENT_SECONDS", 0.5)


async def prepare(url: str, work: Callable[[Engine], None]) -> None:
    database = Database(Settings(database_url=url).url, pool_size=4)
    try:
        async with asyncio.timeout(60):
            await preparing.unless_silent(database.writer, lambda: work(database.writer))
    finally:
        await asyncio.to_thread(database.close)


@pytest.mark.xdist_group("postgresql")
async def test_postgresql_that_falls_silent_in_a_migration(postgres: Postgres) -> None:
    url = postgres.new_database()

    def fall_silent(engine: Engine) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            with postgres.frozen():
                connection.exec_driver_sql("SELECT 2")

    with pytest.raises(ConfigurationError, match="stopped answering during the start"):
        await prepare(url, fall_silent)


@pytest.mark.xdist_group("mariadb")
async def test_mariadb_that_falls_silent_in_a_migration(mariadb: MariaDb) -> None:
    url = mariadb.new_database()

    def fall_silent(engine: Engine) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            with mariadb.frozen():
                connection.exec_driver_sql("SELECT 2")

    with pytest.raises(ConfigurationError, match="stopped answering during the start"):
        await prepare(url, fall_silent)


@pytest.mark.xdist_group("postgresql")
async def test_a_slow_migration_is_left_alone_while_the_database_answers(postgres: Postgres) -> None:
    def take_time(engine: Engine) -> None:
        migrations.upgrade(engine, lambda connection: void(connection.exec_driver_sql("SELECT pg_sleep(2)")))

    await prepare(postgres.new_database(), take_time)


@pytest.mark.xdist_group("postgresql")
async def test_a_process_that_never_ends_its_migration_is_not_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    monkeypatch.setitem(session_limits._LIFT, "postgresql", ("SET LOCAL lock_timeout = 300",))
    with psycopg.connect(url) as other:
        other.execute(f"SELECT pg_advisory_lock({migrations.LOCK})")
        with pytest.raises(migrations.StillMigrating):
            await prepare(url, lambda engine: migrations.upgrade(engine, lambda _: None))


@pytest.mark.xdist_group("mariadb")
def test_a_refusal_is_an_answer(mariadb: MariaDb) -> None:
    url = mariadb.new_database()
    database = Database(Settings(database_url=f"{url}-missing").url, pool_size=4)
    assert preparing.answers(database.writer)
    with mariadb.frozen():
        start = time.monotonic()
        assert not preparing.answers(database.writer)
        assert time.monotonic() - start < 30
    database.close()


@pytest.mark.xdist_group("postgresql")
def test_a_refusal_of_postgresql_is_an_answer(postgres: Postgres) -> None:
    url = postgres.new_database().replace("/chat", "/missing", 1)
    database = Database(Settings(database_url=url).url, pool_size=4)
    assert preparing.answers(database.writer)
    database.close()


async def test_sqlite_is_never_silent() -> None:
    database = Database(Settings(database_url="sqlite://").url, pool_size=1)
    assert preparing.answers(database.writer)
    await preparing.unless_silent(database.writer, lambda: time.sleep(0.3))
    database.close()


def void(_: object) -> None: ...
