"""Point reads: SQLite is asked in the event loop, over a connection that only its thread uses."""

import asyncio
import sqlite3
import threading

import pytest

from app.core.database import Database, UnitOfWork
from app.core.database.database import _lookup
from app.services import access, changes, sessions
from tests.databases.people import room_of, user_named
from tests.support.server import wait_until


@pytest.fixture(autouse=True)
async def _connected(database: Database) -> None:
    """The connection exists, and there is a row to read."""
    ann = await user_named(database, "ann")
    await access.room_view(database, ann, await room_of(database, ann))


QUERIES = {
    "members": (access._VIEW, (1, 1)),
    "sessions": (sessions._LOGIN, ("unknown",)),
    "changes": (changes._CHANGED_SINCE, (1, 1)),
}


@pytest.mark.parametrize("name", QUERIES)
async def test_every_point_query_is_answered_in_the_loop(database: Database, name: str) -> None:
    """A query that SQLite refuses there is answered by a thread as well, so only its duration would tell."""
    assert database._point_reader is not None
    query, values = QUERIES[name]
    assert database._point_reader.fetch_one(query, values) == await database.read(_lookup, query, values)


async def test_a_thread_other_than_the_loop_s_cannot_close_it(database: Database) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="same thread"):
        await asyncio.to_thread(database.close)


async def test_it_is_closed_at_once_while_running_work_is_waited_for(database: Database) -> None:
    may_go_on = threading.Event()
    reader = database._point_reader
    assert reader is not None

    def takes_its_time(_db: UnitOfWork) -> str:
        may_go_on.wait()
        return "done"

    working = asyncio.create_task(database.read(takes_its_time))
    await asyncio.sleep(0)
    try:
        closing = asyncio.create_task(database.aclose())
        await asyncio.sleep(0)
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            reader.fetch_one(access._VIEW, (1, 1))
        assert not closing.done()
    finally:
        may_go_on.set()
    assert await working == "done"
    await closing


async def test_threads_read_while_anything_is_slow(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs must not stop the event loop."""
    may_go_on = threading.Event()
    slow = asyncio.create_task(database.write(lambda _db: may_go_on.wait()))
    try:
        await asyncio.to_thread(wait_until, lambda: database._watchdog.is_slow, "slow")
        monkeypatch.setattr(database, "_point_reader", "not asked")
        assert await database.lookup(access._VIEW, 1, 1) is not None
        monkeypatch.undo()
    finally:
        may_go_on.set()
    await slow
    await asyncio.to_thread(wait_until, lambda: not database._watchdog.is_slow, "quick again")
