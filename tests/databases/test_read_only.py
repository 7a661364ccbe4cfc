"""A database is read-only for a while, as in a failover: writes are refused, and afterwards no connection is stuck."""

import asyncio
from pathlib import Path

import pytest

from tests.databases.servers import Postgres
from tests.support.people import sign_up
from tests.support.server import ChatServer

pytestmark = pytest.mark.xdist_group("postgresql")


async def test_writes_work_again_as_soon_as_the_database_is_writable(
    postgres: Postgres, tmp_path: Path
) -> None:
    with ChatServer(tmp_path, database_url=postgres.new_database()) as server:
        ann = await sign_up(server, "ann")
        async with ann.enters(1) as seat:
            await seat.says("before", client_id="c0")
            await seat.hears("message")
            await asyncio.to_thread(postgres.set_read_only, True)
            try:
                for number in range(3):
                    await seat.does("message", content="hi", ref=number)
                    assert (await seat.hears("error", ref=number))["code"] == "database_unavailable"
            finally:
                await asyncio.to_thread(postgres.set_read_only, False)
            await seat.says("after", client_id="c1")
            assert (await seat.hears("message", client_id="c1"))["id"] == 2
        await ann.http.aclose()
