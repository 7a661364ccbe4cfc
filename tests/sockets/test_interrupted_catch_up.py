"""When the database fails in the middle of a catch-up, the client is told and can resume: it never misses events."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.people import Person, sign_up
from tests.support.rawclient import RawClient, raw_client
from tests.support.server import ChatServer

COUNT = 250
"""Messages: more than one page of a hundred, and far more than fit into the kernel's buffers."""


class Archive:
    """A room with a long history, in a database whose tables can be renamed to make reads fail."""

    def __init__(self, server: ChatServer, person: Person, room: int) -> None:
        self.server = server
        self.person = person
        self.room = room

    def rename(self, table: str, name: str) -> None:
        with closing(sqlite3.connect(self.server.folder / "chat.db", timeout=10)) as database, database:
            database.execute(f"ALTER TABLE {table} RENAME TO {name}")

    async def fail_halfway(self, client: RawClient) -> None:
        """Make reads fail after the first page has been sent."""
        client.stops_reading()
        await asyncio.to_thread(self.rename, "messages", "gone")
        client.reads_again()


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    with ChatServer(tmp_path, socket_send_buffer_bytes=16_384) as server:
        ann = await sign_up(server, "ann")
        room = (await ann.http.post("/api/rooms", json={"name": "Archive"})).json()["id"]
        async with ann.enters(room) as seat:
            for _ in range(COUNT):
                await seat.says("x" * 8_000)
            while (await seat.hears("message"))["id"] < COUNT:
                pass
        yield Archive(server, ann, room)
        await ann.http.aclose()


async def test_a_connection_to_one_room_is_closed_with_1012_and_resumes(archive: Archive) -> None:
    address = f"/ws/chat/{archive.room}?token={archive.person.token}"
    async with raw_client(archive.server, f"{address}&since=0", receive_buffer=16_384) as client:
        await client.hears("ready")
        await archive.fail_halfway(client)
        assert await client.is_closed() == 1012
    await asyncio.to_thread(archive.rename, "gone", "messages")
    async with archive.person.enters(archive.room, since=0) as seat:
        await seat.hears("synced", truncated=False)
        ids = [frame["id"] for frame in seat.heard if frame["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))


async def test_a_subscription_on_a_shared_connection_fails_with_an_error_and_can_be_repeated(
    archive: Archive,
) -> None:
    room = archive.room
    async with raw_client(
        archive.server, f"/ws?token={archive.person.token}", receive_buffer=16_384
    ) as client:
        await client.hears("ready")
        await client.does("subscribe", room_id=room, since=0, ref=1)
        await client.hears("message")
        await archive.fail_halfway(client)
        assert (await client.hears("error", ref=1))["code"] == "database_unavailable"
        await client.does("typing", room_id=room, ref=2)
        assert (await client.hears("error", ref=2))["code"] == "not_subscribed"
        await asyncio.to_thread(archive.rename, "gone", "messages")
        since = max(frame["seq"] for frame in client.heard if frame["type"] == "message")
        await client.does("subscribe", room_id=room, since=since, ref=3)
        await client.hears("synced", ref=3)
        ids = [frame["id"] for frame in client.heard if frame["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))
