"""When the database goes away in the middle of a catch-up, nobody hears half a room: they are told, and come back."""

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
"""Messages, which are read a hundred at a time, and of which the kernel takes a few."""


class Archive:
    """A room with a long history, and a database that can be away."""

    def __init__(self, server: ChatServer, person: Person, room: int) -> None:
        self.server = server
        self.person = person
        self.room = room

    def moves(self, table: str, name: str) -> None:
        with closing(sqlite3.connect(self.server.folder / "chat.db", timeout=10)) as database, database:
            database.execute(f"ALTER TABLE {table} RENAME TO {name}")

    async def tells_half(self, client: RawClient) -> None:
        """The first page is on its way when there is no more to read."""
        client.stops_reading()
        await asyncio.to_thread(self.moves, "messages", "gone")
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


async def test_a_connection_to_a_room_is_closed_and_comes_back(archive: Archive) -> None:
    address = f"/ws/chat/{archive.room}?token={archive.person.token}"
    async with raw_client(archive.server, f"{address}&since=0", receive_buffer=16_384) as client:
        await client.hears("ready")
        await archive.tells_half(client)
        assert await client.is_closed() == 1012
    await asyncio.to_thread(archive.moves, "gone", "messages")
    async with archive.person.enters(archive.room, since=0) as seat:
        await seat.hears("synced", truncated=False)
        ids = [frame["id"] for frame in seat.heard if frame["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))


async def test_of_many_rooms_the_one_is_not_heard_and_can_be_asked_for_again(archive: Archive) -> None:
    room = archive.room
    async with raw_client(
        archive.server, f"/ws?token={archive.person.token}", receive_buffer=16_384
    ) as client:
        await client.hears("ready")
        await client.does("subscribe", room_id=room, since=0, ref=1)
        await client.hears("message")
        await archive.tells_half(client)
        assert (await client.hears("error", ref=1))["code"] == "database_unavailable"
        await client.does("typing", room_id=room, ref=2)
        assert (await client.hears("error", ref=2))["code"] == "not_subscribed"
        await asyncio.to_thread(archive.moves, "gone", "messages")
        since = max(frame["seq"] for frame in client.heard if frame["type"] == "message")
        await client.does("subscribe", room_id=room, since=since, ref=3)
        await client.hears("synced", ref=3)
        ids = [frame["id"] for frame in client.heard if frame["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))
