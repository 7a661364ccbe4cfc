"""A hundred sockets and concurrent REST traffic share five database connections without stalling."""

import asyncio
import contextlib
import time
from pathlib import Path

from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer

SOCKETS, ROUNDS = 100, 5


async def test_a_hundred_sockets_and_rest_traffic_share_five_database_connections(tmp_path: Path) -> None:
    """The design of many tutorials, a database session held by each socket, stalls for good at the sixteenth socket."""
    with ChatServer(tmp_path, database_pool_size=5) as server:
        ann = await sign_up(server, "ann")
        rooms = [
            (await ann.http.post("/api/rooms", json={"name": f"Room {number}"})).json()["id"]
            for number in range(10)
        ]
        async with contextlib.AsyncExitStack() as stack:
            seats = await asyncio.gather(
                *(stack.enter_async_context(ann.enters(rooms[number % 10])) for number in range(SOCKETS))
            )
            waits = await asyncio.gather(*(reads_along(ann, room) for room in rooms), *map(talks, seats))
        assert max(waits) < 10, "a request or a message stalled"
        for room in rooms:
            history = await ann.history(room, limit=200)
            assert [message["id"] for message in history] == list(range(1, 10 * ROUNDS + 1))
        await ann.http.aclose()


async def talks(seat: Seat) -> float:
    """Send messages; returns the longest time in seconds until the sender heard one of its own."""
    waits = []
    for number in range(ROUNDS):
        start = time.monotonic()
        content = f"{id(seat)} says {number}"
        await seat.says(content)
        await seat.hears("message", message=content)
        waits.append(time.monotonic() - start)
    return max(waits)


async def reads_along(person: Person, room: int) -> float:
    """Send REST requests; returns the longest response time in seconds."""
    waits = []
    for path in (
        "/api/rooms",
        f"/api/messages/{room}",
        f"/api/messages/{room}/recent",
        "/api/auth/me",
        "/health",
    ) * 2:
        start = time.monotonic()
        await person.get(path)
        waits.append(time.monotonic() - start)
    return max(waits)
