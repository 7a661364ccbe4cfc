"""People who are gone before they have come, or while they are being answered: nobody else notices."""

import asyncio
import contextlib
import random
import socket
import struct

from tests.support.people import PATIENCE, Person, Seat
from tests.support.rawclient import CLOSE, HANDSHAKE, frame, raw_client

GUESTS = 10
VISITS = 400
MESSAGES = 200
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset instead of saying goodbye."""
ASKS = b"".join(
    frame(command)
    for command in (
        b'{"type": "message.edit", "id": 1, "content": "x", "ref": 1}',
        b'{"type": "subscribe", "since": 0}',
        b'{"type": "typing"}',
        b'{"type": "ping", "ref": 2}',
    )
)
GOODBYE = frame((1000).to_bytes(2, "big"), CLOSE)


async def visit(person: Person, room: int, chance: random.Random) -> None:
    """Come, and go at some moment: before the answer, after it, while being answered; with a word or without."""
    loop = asyncio.get_running_loop()
    with socket.socket() as line:
        line.setblocking(False)
        if chance.random() < 0.7:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await loop.sock_connect(line, ("127.0.0.1", person.server.port))
        path = f"/ws/chat/{room}?token={person.token}"
        await loop.sock_sendall(line, HANDSHAKE.format(path=path, port=0, headers="").encode())
        patience = chance.randrange(5)
        with contextlib.suppress(ConnectionError):
            if patience > 0:
                await asyncio.wait_for(loop.sock_recv(line, 4096), PATIENCE)
            if patience > 1:
                await loop.sock_sendall(line, ASKS)
            if patience > 2:
                await asyncio.sleep(chance.random() * 0.02)
            if patience > 3:
                await loop.sock_sendall(line, GOODBYE)


async def test_who_vanishes_takes_nothing_along(alice: Person, bob: Person, room: int) -> None:
    """Before this held, one listener that was gone kept all who had come after it from hearing anything."""
    chance = random.Random(7)
    visits = iter(range(VISITS))

    async def keep_visiting() -> None:
        for _ in visits:
            await visit(bob, room, chance)

    async with alice.enters(room) as speaker:
        guests = [asyncio.create_task(keep_visiting()) for _ in range(GUESTS)]
        async with alice.enters(room) as listener:
            await asyncio.gather(say(speaker), hear(listener, MESSAGES))
            await asyncio.gather(*guests)
            async with bob.enters(room) as late:
                await speaker.says("after all this")
                assert (await late.hears("message"))["message"] == "after all this"
    await asyncio.wait_for(is_alone(alice, room), PATIENCE)


async def say(seat: Seat) -> None:
    for number in range(MESSAGES):
        await seat.says(str(number))
        await seat.hears("message", message=str(number))


async def hear(seat: Seat, count: int) -> None:
    assert [(await seat.hears("message"))["message"] for _ in range(count)] == [str(n) for n in range(count)]


async def is_alone(person: Person, room: int) -> None:
    """Nobody is held to be in the room who has left it."""
    while (await person.get(f"/api/rooms/{room}/presence"))["count"]:
        await asyncio.sleep(0.1)


async def test_connections_that_are_gone_leave_no_memory_behind(alice: Person, room: int) -> None:
    """Before this held, each kept 21 kB until its token ended, a day later."""
    await come_and_go(alice, room, 300)
    before = resident(alice)
    await come_and_go(alice, room, 1500)
    assert resident(alice) - before < 15_000, "kilobytes"


async def come_and_go(person: Person, room: int, times: int) -> None:
    """Connect, hear `ready`, and leave, ten at a time."""

    async def once() -> None:
        async with raw_client(person.server, f"/ws/chat/{room}?token={person.token}") as client:
            await client.hears("ready")

    for _ in range(times // 10):
        await asyncio.gather(*(once() for _ in range(10)))


def resident(person: Person) -> int:
    assert person.server.process is not None
    with open(f"/proc/{person.server.process.pid}/status") as status:  # noqa: PTH123 - not a file
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
