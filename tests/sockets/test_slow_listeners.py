"""A listener that does not read is closed with 4408, delays no other, and can catch up later."""

import asyncio
import time
from functools import partial
from pathlib import Path

from tests.support.people import Person, Seat, sign_up
from tests.support.rawclient import raw_client
from tests.support.server import ChatServer, wait_until

LONG = "x" * 8_000
COUNT = 60
"""This many long messages are nearly 500,000 bytes."""


async def test_a_listener_that_stops_reading_is_closed_and_delays_no_other(tmp_path: Path) -> None:
    with ChatServer(tmp_path, max_send_buffer_bytes=100_000, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        address = f"/ws/chat/{room}?token={ben.token}"
        async with raw_client(server, address, receive_buffer=16_384) as slow, ann.enters(room) as seat:
            await slow.hears("ready")
            slow.stops_reading()
            waits = [await echo_seconds(seat, LONG) for _ in range(COUNT)]
            logged = partial(
                wait_until,
                lambda: "listener.too_slow" in server.log.read_text(),
                "the listener to be too slow",
            )
            await asyncio.to_thread(logged)
            slow.reads_again()
            assert await slow.is_closed() == 4408
        assert max(waits) < 5, "the slow listener delayed another one"
        await catches_up(ben, room, since=slow.heard[0]["seq"])
        assert server.log.read_text().count("listener.too_slow") == 1
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())


async def echo_seconds(seat: Seat, content: str) -> float:
    """Send a message; returns the seconds until its sender hears a message."""
    start = time.monotonic()
    await seat.says(content)
    await seat.hears("message")
    return time.monotonic() - start


async def catches_up(person: Person, room: int, since: int) -> None:
    """Check that reconnecting with `since` delivers every message once, in order."""
    async with person.enters(room, since=since) as seat:
        await seat.hears("synced", truncated=False)
        ids = [event["id"] for event in seat.heard if event["type"] == "message"]
        assert ids == list(range(1, COUNT + 1))


async def test_a_listener_that_catches_up_slowly_delays_no_other_and_misses_nothing(tmp_path: Path) -> None:
    """The slow client is the first listener of its room; another client sends before it has caught up."""
    with ChatServer(tmp_path, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        for _ in range(COUNT):
            await ann.http.post(f"/api/messages/{room}", json={"content": LONG})
        address = f"/ws/chat/{room}?token={ben.token}&since=0"
        async with raw_client(server, address, receive_buffer=16_384) as slow:
            await slow.hears("ready")
            slow.stops_reading()
            for _ in range(5):  # no listener is live yet, and the catch-up has already started
                await ann.http.post(f"/api/messages/{room}", json={"content": "meanwhile"})
            async with ann.enters(room) as seat:
                waits = [await echo_seconds(seat, "now") for _ in range(5)]
                slow.reads_again()
                await slow.hears("synced", truncated=False)
                waits.append(await echo_seconds(seat, "the end"))
                await slow.hears("message", message="the end")
        ids = [event["id"] for event in slow.heard if event["type"] == "message"]
        assert ids == list(range(1, COUNT + 12))
        assert max(waits) < 5
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())


async def test_a_slow_listener_first_loses_ephemeral_events(tmp_path: Path) -> None:
    """A listener that has used up half of its buffer gets no more typing events, but still every message."""
    with ChatServer(tmp_path, max_send_buffer_bytes=800_000, socket_send_buffer_bytes=16_384) as server:
        ann, ben = await sign_up(server, "ann"), await sign_up(server, "ben")
        room = (await ann.http.post("/api/rooms", json={"name": "Busy"})).json()["id"]
        address = f"/ws/chat/{room}?token={ben.token}"
        async with raw_client(server, address, receive_buffer=16_384) as slow, ann.enters(room) as seat:
            await slow.hears("ready")
            slow.stops_reading()
            for _ in range(COUNT):  # more than half of the buffer
                await seat.says(LONG)
            for _ in range(COUNT):
                await seat.hears("message")
            await seat.does("typing")
            await echo_seconds(seat, "the end")
            slow.reads_again()
            await slow.hears("message", message="the end")
        kinds = [event["type"] for event in slow.heard]
        assert kinds.count("message") == COUNT + 1
        assert "typing" not in kinds
        await asyncio.gather(ann.http.aclose(), ben.http.aclose())
