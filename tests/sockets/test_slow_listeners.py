"""Who does not read is closed with 4408 and catches up later; nobody waits for them."""

import asyncio
import time
from functools import partial
from pathlib import Path

from tests.support.people import Person, Seat, sign_up
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer, wait_until

LONG = "x" * 8_000
COUNT = 60
"""So many long messages are nearly half a million bytes."""


async def test_a_listener_that_stops_reading_is_closed_and_the_others_hear_everything(tmp_path: Path) -> None:
    with ChatServer(tmp_path, max_send_buffer_bytes=100_000, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        address = f"/ws/chat/{room}?token={ben.token}"
        async with raw_client(server, address, receive_buffer=16_384) as sleeper, ann.enters(room) as seat:
            await sleeper.hears("ready")
            sleeper.stops_reading()
            waits = [await tells_and_hears(seat, LONG) for _ in range(COUNT)]
            judged = partial(wait_until, lambda: "listener.too_slow" in server.log.read_text(), "judged")
            await asyncio.to_thread(judged)
            sleeper.reads_again()
            assert await sleeper.is_closed() == 4408
        assert max(waits) < 5, "the others never waited for the one"
        await catches_up(ben, room, since=sleeper.heard[0]["seq"])
        assert server.log.read_text().count("listener.too_slow") == 1
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())


async def tells_and_hears(seat: Seat, content: str) -> float:
    start = time.monotonic()
    await seat.says(content)
    await seat.hears("message")
    return time.monotonic() - start


async def catches_up(person: Person, room: int, since: int) -> None:
    """Coming back with `since` brings every message once, in order."""
    async with person.enters(room, since=since) as seat:
        await seat.hears("synced", truncated=False)
        ids = [event["id"] for event in seat.heard if event["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))


async def test_who_is_slow_to_catch_up_keeps_nobody_waiting_and_misses_nothing(tmp_path: Path) -> None:
    """The first one into a room that others talk in before it has caught up."""
    with ChatServer(tmp_path, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        for _ in range(COUNT):
            await ann.http.post(f"/api/messages/{room}", json={"content": LONG})
        address = f"/ws/chat/{room}?token={ben.token}&since=0"
        async with raw_client(server, address, receive_buffer=16_384) as sleeper:
            await sleeper.hears("ready")
            sleeper.stops_reading()
            for _ in range(5):  # nobody is there to hear it, and the sleeper has looked already
                await ann.http.post(f"/api/messages/{room}", json={"content": "meanwhile"})
            async with ann.enters(room) as seat:
                waits = [await tells_and_hears(seat, "now") for _ in range(5)]
                sleeper.reads_again()
                await sleeper.hears("synced", truncated=False)
                waits.append(await tells_and_hears(seat, "the end"))
                await sleeper.hears("message", message="the end")
        ids = [event["id"] for event in sleeper.heard if event["type"] == "message"]
        assert ids == list(range(1, COUNT + 12))
        assert max(waits) < 5
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())


async def test_ephemeral_events_are_the_first_to_go(tmp_path: Path) -> None:
    """A listener that is half way to the limit hears no more typing, but every message."""
    with ChatServer(tmp_path, max_send_buffer_bytes=800_000, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        address = f"/ws/chat/{room}?token={ben.token}"
        async with raw_client(server, address, receive_buffer=16_384) as sleeper, ann.enters(room) as seat:
            await sleeper.hears("ready")
            sleeper.stops_reading()
            for _ in range(COUNT):  # more than half of the limit
                await seat.says(LONG)
            for _ in range(COUNT):
                await seat.hears("message")
            await seat.does("typing")
            await tells_and_hears(seat, "the end")
            sleeper.reads_again()
            await sleeper.hears("message", message="the end")
        kinds = [event["type"] for event in sleeper.heard]
        assert kinds.count("message") == COUNT + 1
        assert "typing" not in kinds
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())
