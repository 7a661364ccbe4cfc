"""A hundred sockets and REST traffic beside them, over five connections to the database: nothing stalls."""

import asyncio
import contextlib
import time
from pathlib import Path

from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer

SOCKETS, ROUNDS = 100, 5


async def test_a_hundred_sockets_and_rest_traffic_over_five_connections(tmp_path: Path) -> None:
    """A session held by each socket stalled the usual tutorial for good at the sixteenth."""
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
        assert max(waits) < 10, "no request and no message waited for ever"
        for room in rooms:
            history = await ann.history(room, limit=200)
            assert [message["id"] for message in history] == list(range(1, 10 * ROUNDS + 1))
        await ann.http.aclose()


async def talks(seat: Seat) -> float:
    """The longest time until one's own words came back."""
    waits = []
    for number in range(ROUNDS):
        start = time.monotonic()
        word = f"{id(seat)} says {number}"
        await seat.says(word)
        await seat.hears("message", message=word)
        waits.append(time.monotonic() - start)
    return max(waits)


async def reads_along(person: Person, room: int) -> float:
    """The longest answer to a REST request meanwhile."""
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
