"""A database is read-only for a while, as in a failover: writes are refused, and afterwards no connection is stuck."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.pool import Pool
from structlog.testing import capture_logs

from app.core.config import Settings
from app.core.database import Database, migrations
from tests.databases.fault_deadlines import DEADLINES
from tests.databases.people import user_named
from tests.databases.servers import MariaDb, Postgres
from tests.support.people import sign_up
from tests.support.server import ChatServer


@pytest.fixture(
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in ("postgresql", "mariadb")]
)
def server(request: pytest.FixtureRequest) -> Postgres | MariaDb:
    found: Postgres | MariaDb = request.getfixturevalue(
        {"postgresql": "postgres"}.get(request.param, "mariadb")
    )
    return found


async def test_writes_work_again_as_soon_as_the_database_is_writable(
    server: Postgres | MariaDb, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=server.new_database()) as chat:
        ann = await sign_up(chat, "ann")
        async with ann.enters(1) as seat:
            await seat.says("before", client_id="c0")
            await seat.hears("message")
            await asyncio.to_thread(server.set_read_only, True)
            try:
                for number in range(3):
                    await seat.does("message", content="hi", ref=number)
                    assert (await seat.hears("error", ref=number))["code"] == "database_unavailable"
            finally:
                await asyncio.to_thread(server.set_read_only, False)
            await seat.says("after", client_id="c1")
            assert (await seat.hears("message", client_id="c1"))["id"] == 2
        await ann.http.aclose()


async def test_a_pool_that_cannot_write_for_a_while_is_replaced(server: Postgres | MariaDb) -> None:
    """Even if each connection looks sound: here all of them do not listen to what the server says."""
    database = Database(Settings(database_url=server.new_database()).url, pool_size=4, deadlines=DEADLINES)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    await user_named(database, "ann")
    spoilt = [database.writer.pool]
    event.listen(database.writer, "begin", lambda connection: spoil(connection, spoilt))
    with capture_logs() as lines:
        await user_named(database, "bob")
    assert [line["event"] for line in lines].count("database.pool_replaced") == 1
    await asyncio.to_thread(database.close)


def spoil(connection: Connection, pools: list[Pool]) -> None:
    """Make a statement fail, as long as the pool is the first one."""
    if connection.engine.pool in pools:
        connection.exec_driver_sql("SELECT no_such_column")
