"""The limits that the database server puts on our sessions, and where they do not apply."""

import asyncio

from sqlalchemy import Connection

from app.core.config import Settings
from app.core.database import Database, migrations
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
    assert migrating[:3] == ("0", "0", "0")
    assert working[:3] == ("2s", "5s", "4s")


async def test_options_in_the_address_take_precedence(postgres: Postgres) -> None:
    url = postgres.new_database()
    options = "options=-cstatement_timeout%3D9s%20-csearch_path%3Dpublic,pg_catalog"
    _, working = await limits(f"{url}{'&' if '?' in url else '?'}{options}", POSTGRES)
    assert working == ("2s", "9s", "4s", "public,pg_catalog")


async def test_mariadb_limits_work_but_no_migration(mariadb: MariaDb) -> None:
    migrating, working = await limits(mariadb.new_database(), MARIADB)
    assert migrating == (50, 86_400, 0, 0)
    assert working == (2, 2, 4, 5)
