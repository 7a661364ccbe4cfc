"""Many who come and go are told in few frames."""

import asyncio
import random
import time
from pathlib import Path

from tests.reliability.crowd import KEY, open_socket, settle_in
from tests.support.people import Person, Seat, sign_up
from tests.support.server import ChatServer

COMERS = 1000
AT_ONCE = 100


async def test_a_thousand_who_come_and_go_make_fewer_than_two_frames_a_second(tmp_path: Path) -> None:
    with ChatServer(tmp_path, (), secret_key=KEY) as server:
        alice = await sign_up(server, "alice")
        room = (await alice.http.post("/api/rooms", json={"name": "A station"})).json()["id"]
        tokens = await asyncio.to_thread(settle_in, server, room, COMERS)
        async with alice.enters(room) as seat:
            await seat.hears("presence", count=1)
            began, before = time.monotonic(), len(seat.heard)
            coming = asyncio.create_task(come_and_go(server, room, tokens))
            most = await hear_them_leave(seat)
            seconds = time.monotonic() - began
            await coming
        told = [frame for frame in seat.heard[before:] if frame["type"] == "presence"]
        assert len(told) / seconds < 2, f"{len(told)} frames in {seconds:.1f} s"
        assert most > 10, "they were seen"
        assert {frame["type"] for frame in seat.heard[before:]} == {"presence"}, "and nothing else was told"
        await only_alice_is_there(alice, room)
        await alice.http.aclose()


async def come_and_go(server: ChatServer, room: int, tokens: list[str]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def visit(token: str) -> None:
        async with places:
            socket = await open_socket(server.port, room, token)
            await asyncio.sleep(random.random())
            socket.drop()

    await asyncio.gather(*(visit(token) for token in tokens))


async def hear_them_leave(seat: Seat) -> int:
    """Listen until everybody has come and gone; returns how many were there at once."""
    most = 1
    while (frame := await seat.hears("presence"))["count"] > 1 or most == 1:
        most = max(most, frame["count"])
    return most


async def only_alice_is_there(alice: Person, room: int) -> None:
    here = await alice.get(f"/api/rooms/{room}/presence")
    assert (here["count"], here["users"]) == (1, [alice.username])
