"""Many users who connect and disconnect cause few presence events."""

import asyncio
import random
import time
from pathlib import Path

from tests.reliability.crowd import KEY, add_members, open_socket
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer

VISITORS = 1000
AT_ONCE = 100


async def test_a_thousand_short_visits_cause_fewer_than_two_presence_events_a_second(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), secret_key=KEY) as server:
        alice = await sign_up(server, "alice")
        room = (await alice.http.post("/api/rooms", json={"name": "A station"})).json()["id"]
        tokens = await asyncio.to_thread(add_members, server, room, VISITORS)
        async with alice.enters(room) as seat:
            await seat.hears("presence", count=1)
            start, before = time.monotonic(), len(seat.heard)
            visits = asyncio.create_task(visit_all(server, room, tokens))
            highest = await hear_until_all_have_left(seat)
            seconds = time.monotonic() - start
            await visits
        events = [frame for frame in seat.heard[before:] if frame["type"] == "presence"]
        assert len(events) / seconds < 2, f"{len(events)} frames in {seconds:.1f} s"
        assert highest > 10, "the visitors were never announced"
        assert {frame["type"] for frame in seat.heard[before:]} == {"presence"}, "another event was sent"
        await assert_only_alice_is_here(alice, room)
        await alice.http.aclose()


async def visit_all(server: ChatServer, room: int, tokens: list[str]) -> None:
    """Connect and disconnect with each token, AT_ONCE of them at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def visit(token: str) -> None:
        async with slots:
            socket = await open_socket(server.port, room, token)
            await asyncio.sleep(random.random())
            socket.drop()

    await asyncio.gather(*(visit(token) for token in tokens))


async def hear_until_all_have_left(seat: Seat) -> int:
    """Listen until all visitors have left. Returns the highest count of users that was announced."""
    highest = 1
    while (frame := await seat.hears("presence"))["count"] > 1 or highest == 1:
        highest = max(highest, frame["count"])
    return highest


async def assert_only_alice_is_here(alice: Person, room: int) -> None:
    here = await alice.get(f"/api/rooms/{room}/presence")
    assert (here["count"], here["users"]) == (1, [alice.username])
