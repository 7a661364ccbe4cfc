"""The database is frozen, or locked for long by another program, or one of two processes is paused in a transaction."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.pool import QueuePool

from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, Unknown, migrations
from app.services import messages, rooms, sessions
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from tests.databases.conftest import KINDS, new_database
from tests.databases.fault_deadlines import DEADLINES, GRACE_SECONDS, HEALED_SECONDS, IS_LONG
from tests.databases.people import member_of, room_of, say, submit_receipts, until_done, user_named
from tests.databases.servers import MariaDb, Postgres
from tests.support.people import Seat, sign_up
from tests.support.server import ROOT, ChatServer, wait_until

SERVERS = [kind for kind in KINDS if kind.values != ("sqlite",)]


async def open_database(url: str) -> Database:
    database = Database(Settings(database_url=url).url, pool_size=4, deadlines=DEADLINES)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    return database


async def until_it_works(work: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(HEALED_SECONDS):
        while True:
            try:
                await work()
            except (DatabaseUnavailable, Unknown):
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_frozen_database_is_answered_for_and_heals(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = await open_database(new_database(kind, request, tmp_path))
    server: Postgres | MariaDb = request.getfixturevalue({"postgresql": "postgres"}.get(kind, kind))
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    ledger, receipts = Ledger(database), Receipts(database)
    await until_done(lambda: say(ledger, member, "first"))
    with server.frozen():
        began = time.monotonic()
        outcomes = await asyncio.gather(
            *(say(ledger, member, f"message {number}") for number in range(5)),
            *(database.write_in_turn(member.room_id, messages.edit, member, 1, "edited") for _ in range(5)),
            *(database.write(sessions.open_session, ann.user_id, "test", 1000) for _ in range(5)),
            *(database.read(rooms.heads, [member.room_id]) for _ in range(20)),
            return_exceptions=True,
        )
        seconds = time.monotonic() - began
        (receipt,) = await submit_receipts(receipts, (member, 1))
    assert seconds < DEADLINES.answer + GRACE_SECONDS
    assert {type(outcome) for outcome in [*outcomes, receipt]} == {DatabaseUnavailable}
    await until_it_works(lambda: say(ledger, member, "healed"))
    await until_it_works(lambda: database.read(rooms.heads, [member.room_id]))
    stored = (await database.read(messages.page, ann, member.room_id, None, None, 50))[1]
    assert [message["message"] for message in stored] == ["first", "healed"]
    for engine in (database.writer, database.reader):
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0
    await asyncio.to_thread(database.close)


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_process_paused_in_a_transaction_delays_its_room_for_seconds_and_no_other(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = new_database(kind, request, tmp_path)
    database = await open_database(url)
    ann = await user_named(database, "ann")
    held, other = [await member_of(database, ann, await room_of(database, ann, name)) for name in ("A", "B")]
    ledger = Ledger(database)
    await until_done(lambda: say(ledger, other, "connects"))
    command = (
        sys.executable,
        "-m",
        "tests.databases.paused_process",
        url,
        str(held.room_id),
        str(ann.user_id),
    )
    process = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        status = Path(f"/proc/{process.pid}/status")
        await asyncio.to_thread(wait_until, lambda: "State:\tT" in status.read_text(), "paused")
        waiting = asyncio.create_task(until_it_works(lambda: say(ledger, held, "hi")))
        slowest = 0.0
        while not waiting.done():
            began = time.monotonic()
            await say(ledger, other, "no delay")
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        await waiting
        assert slowest < DEADLINES.lock + 0.2
    finally:
        process.send_signal(signal.SIGCONT)
        told, _ = await asyncio.to_thread(process.communicate, timeout=60)
    stored = (await database.read(messages.page, ann, held.room_id, None, None, 50))[1]
    assert told.strip() in {"database_unavailable", "unknown"}
    assert [message["message"] for message in stored] == ["hi"]
    await asyncio.to_thread(database.close)


async def test_a_file_locked_for_long_by_another_program_refuses_every_write_in_time(tmp_path: Path) -> None:
    database = await open_database(f"sqlite:///{tmp_path / 'chat.db'}")
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    ledger = Ledger(database)
    other = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    outcomes = await asyncio.gather(
        *(say(ledger, member, f"message {number}") for number in range(20)),
        *(database.write(messages.edit, member, 1, "edited") for _ in range(20)),
        return_exceptions=True,
    )
    assert time.monotonic() - began < DEADLINES.answer + GRACE_SECONDS
    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    assert await database.read(rooms.heads, [member.room_id]), "reads go on"
    other.close()
    await until_it_works(lambda: say(ledger, member, "healed"))
    await asyncio.to_thread(database.close)


async def test_a_query_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=1, deadlines=DEADLINES)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DatabaseUnavailable):
        await database.read(lambda db: db.connection().exec_driver_sql(endless).all())
    await until_it_works(lambda: database.read(lambda db: db.connection()))  # there is but one connection
    await asyncio.to_thread(database.close)


@pytest.mark.parametrize("kind", SERVERS if IS_LONG else SERVERS[:1])
async def test_every_command_of_a_client_is_answered_while_the_database_is_frozen(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """With the deadlines of the server itself: also what waits behind a command that waits."""
    url = new_database(kind, request, tmp_path)
    server: Postgres | MariaDb = request.getfixturevalue({"postgresql": "postgres"}.get(kind, kind))
    with ChatServer(tmp_path, database_url=url) as chat:
        ann = await sign_up(chat, "ann")
        async with ann.enters(1) as seat:
            await seat.says("first", client_id="c0")
            await seat.hears("message")
            began = time.monotonic()
            with server.frozen():
                await seat.does("message.edit", id=1, content="edited", ref="edit")
                await seat.does("message", content="hi", ref="message")
                await seat.does("reaction.add", id=1, emoji="👍", ref="react")
                await seat.does("read", id=1, ref="read")
                listing = asyncio.create_task(ann.http.get("/api/rooms", timeout=30))
                waiting = {"edit", "message", "react", "read"}
                while waiting:  # answers of different commands have no order
                    error = await seat.hears("error")
                    assert error["code"] == "database_unavailable"
                    assert time.monotonic() - began < 10
                    waiting.remove(error["ref"])
                assert (await listing).status_code == 503
                assert time.monotonic() - began < 10
            await until_said(seat)
        await ann.http.aclose()


async def until_said(seat: Seat) -> None:
    async with asyncio.timeout(HEALED_SECONDS):
        while True:
            await seat.does("message", content="healed", client_id="c1", ref="again")
            while (answer := await seat.next()).get("ref") != "again":
                pass
            if answer["type"] == "ack":
                return
