"""The parts put together: what a stop waits for, and what a burst of clients yields to."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from app import runtime as module
from app.core.config import Settings
from app.core.database import database as database_module
from app.runtime import Runtime, build_runtime
from app.schemas import close_codes
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingPeer
from tests.units.held_write import HeldWrite

TIMEOUT = 30.0
QUIET_SECONDS = 0.2
"""A server that checks every 10 ms has given up after a pause of this length."""


@pytest.fixture
async def runtime(nothing_set: None, tmp_path: Path) -> AsyncIterator[Runtime]:
    """All parts, on a new database."""
    runtime = build_runtime(
        Settings(database_url=f"sqlite:///{tmp_path / 'chat.db'}", sample_data=False), "k" * 32
    )
    await asyncio.to_thread(runtime.prepare)
    yield runtime
    runtime.passwords.close()
    await runtime.database.aclose()


async def gave_up(peer: RecordingPeer) -> None:
    """Return when the server no longer waits for the peer's answers."""
    checks = -1
    while not peer.busy_checks or checks != peer.busy_checks:
        checks = peer.busy_checks
        await asyncio.sleep(QUIET_SECONDS)


async def test_messages_are_on_disk_before_connections_are_closed_although_one_is_never_done(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SHARE", 0.1)
    monkeypatch.setattr(module, "DRAIN_SHARE", 0.8)
    ann = await user_named(runtime.database, "ann")
    member = await member_of(runtime.database, ann, await room_of(runtime.database, ann))
    stored: list[tuple[str]] = []

    def look(peer: RecordingPeer) -> None:
        with closing(sqlite3.connect(tmp_path / "chat.db")) as reader:
            stored.extend(reader.execute("SELECT content FROM messages"))
        runtime.registry.remove(peer)

    peer = RecordingPeer(caller=ann, on_close=look)
    peer.has_work = True
    runtime.registry.add(peer)
    async with asyncio.timeout(TIMEOUT):
        with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as other_writer:
            other_writer.execute("BEGIN IMMEDIATE")
            message = asyncio.create_task(say(runtime.ledger, member, "accepted"))
            stop = asyncio.create_task(runtime.stop())
            await gave_up(peer)
            assert not stop.done()
            assert stored == []
            other_writer.execute("ROLLBACK")
        await stop
        assert stored == [("accepted",)]
        assert peer.close_code == close_codes.GOING_AWAY.code
        assert (await message)[0].message["id"] == 1


async def test_the_admission_queue_yields_to_writes(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "STALLED_SECONDS", 60.0)
    held = HeldWrite(runtime.database)
    await asyncio.sleep(0)
    seen = [runtime.admission._should_yield()]
    await held.release()
    assert [*seen, runtime.admission._should_yield()] == [True, False]
