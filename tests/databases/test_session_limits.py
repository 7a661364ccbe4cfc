"""The limits that the database server puts on our sessions, and where they do not apply."""

import asyncio

import pytest
from sqlalchemy import Connection

from app.core.config import ConfigurationError, Settings
from app.core.database import Database, migrations, postgresql_sessions
from app.core.startup import check_database
from tests.databases.servers import MariaDb, Postgres

POSTGRES = (
    "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),"
    " current_setting('idle_in_transaction_session_timeout'), current_setting('search_path')"
)
MARIADB = (
    "SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout, @@idle_transaction_timeout, @@max_statement_time"
)


async def limits(url: str, query: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """What a migration sees, and what work sees afterwards on a connection of the same pool."""
    database = Database(Settings(database_url=url).url, pool_size=2)
    seen: list[tuple[object, ...]] = []

    def look(connection: Connection) -> None:
        seen.append(tuple(connection.exec_driver_sql(query).one()))

    await asyncio.to_thread(migrations.upgrade, database.writer, look)
    await database.write(lambda db: look(db.connection()))
    await asyncio.to_thread(database.close)
    return seen[0], seen[1]


async def test_postgresql_limits_work_but_no_migration(postgres: Postgres) -> None:
    migrating, working = await limits(postgres.new_database(), POSTGRES)
    assert migrating[:3] == ("1min", "0", "0")
    assert working[:3] == ("2s", "5s", "4s")


async def test_options_in_the_address_take_precedence(postgres: Postgres) -> None:
    url = postgres.new_database()
    options = "options=-cstatement_timeout%3D9s%20-csearch_path%3Dpublic,pg_catalog"
    migrating, working = await limits(f"{url}{'&' if '?' in url else '?'}{options}", POSTGRES)
    assert migrating[3] == "public,pg_catalog"
    assert working == ("2s", "9s", "4s", "public,pg_catalog")


async def test_pgoptions_take_precedence_over_our_limits(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=8s")
    url = postgres.new_database()
    assert (await limits(url, POSTGRES))[1][:3] == ("2s", "8s", "4s")
    options = "options=-clock_timeout%3D3s"
    _, working = await limits(f"{url}{'&' if '?' in url else '?'}{options}", POSTGRES)
    assert working[:3] == ("3s", "5s", "4s"), "options of the address replace PGOPTIONS, as in every client"


def test_a_setting_that_a_session_cannot_make_is_one_sentence(postgres: Postgres) -> None:
    url = postgres.new_database()
    with pytest.raises(ConfigurationError, match=r"does not answer .*no_such_setting"):
        check_database(
            Settings(database_url=f"{url}{'&' if '?' in url else '?'}options=-cno_such_setting%3D1").url
        )


async def test_a_server_without_a_limit_goes_without_it(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        postgresql_sessions,
        "limits",
        lambda _: {"lock_timeout": "7s", "client_connection_check_interval": "never"},
    )
    assert (await limits(postgres.new_database(), POSTGRES))[1][:2] == ("7s", "0")


async def test_mariadb_limits_work_but_no_migration(mariadb: MariaDb) -> None:
    migrating, working = await limits(mariadb.new_database(), MARIADB)
    assert migrating == (60, 60, 0, 0)
    assert working == (2, 2, 4, 5)
