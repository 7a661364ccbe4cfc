"""Clients that vanish during the handshake or while they are being answered do not affect other clients."""

import asyncio
import contextlib
import random
import socket
import struct

from tests.support.people import PATIENCE, Person, Seat
from tests.support.rawclient import CLOSE, HANDSHAKE, frame, raw_client

VISITORS = 10
VISITS = 400
MESSAGES = 200
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing the socket sends a TCP reset."""
COMMANDS = b"".join(
    frame(command)
    for command in (
        b'{"type": "message.edit", "id": 1, "content": "x", "ref": 1}',
        b'{"type": "subscribe", "since": 0}',
        b'{"type": "typing"}',
        b'{"type": "ping", "ref": 2}',
    )
)
CLOSE_FRAME = frame((1000).to_bytes(2, "big"), CLOSE)


async def visit(person: Person, room: int, chance: random.Random) -> None:
    """Connect and leave at a random moment: before the answer, after it or during it, with or without a close frame."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        if chance.random() < 0.7:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await loop.sock_connect(connection, ("127.0.0.1", person.server.port))
        path = f"/ws/chat/{room}?token={person.token}"
        await loop.sock_sendall(connection, HANDSHAKE.format(path=path, port=0, headers="").encode())
        steps = chance.randrange(5)
        with contextlib.suppress(ConnectionError):
            if steps > 0:
                await asyncio.wait_for(loop.sock_recv(connection, 4096), PATIENCE)
            if steps > 1:
                await loop.sock_sendall(connection, COMMANDS)
            if steps > 2:
                await asyncio.sleep(chance.random() * 0.02)
            if steps > 3:
                await loop.sock_sendall(connection, CLOSE_FRAME)


async def test_vanished_clients_do_not_block_delivery_to_others(
    alice: Person, bob: Person, room: int
) -> None:
    """In an earlier version, a vanished listener blocked delivery to all listeners that had joined after it."""
    chance = random.Random(7)
    visits = iter(range(VISITS))

    async def keep_visiting() -> None:
        for _ in visits:
            await visit(bob, room, chance)

    async with alice.enters(room) as speaker:
        visitors = [asyncio.create_task(keep_visiting()) for _ in range(VISITORS)]
        async with alice.enters(room) as listener:
            await asyncio.gather(say(speaker), hear(listener, MESSAGES))
            await asyncio.gather(*visitors)
            async with bob.enters(room) as late:
                await speaker.says("after all this")
                assert (await late.hears("message"))["message"] == "after all this"
    await asyncio.wait_for(room_is_empty(alice, room), PATIENCE)


async def say(seat: Seat) -> None:
    for number in range(MESSAGES):
        await seat.says(str(number))
        await seat.hears("message", message=str(number))


async def hear(seat: Seat, count: int) -> None:
    assert [(await seat.hears("message"))["message"] for _ in range(count)] == [str(n) for n in range(count)]


async def room_is_empty(person: Person, room: int) -> None:
    """Wait until the presence of the room counts no user."""
    while (await person.get(f"/api/rooms/{room}/presence"))["count"]:
        await asyncio.sleep(0.1)


async def test_closed_connections_leave_no_memory_behind(alice: Person, room: int) -> None:
    """In an earlier version, each closed connection kept 21 kB until its token expired a day later."""
    await connect_and_leave(alice, room, 300)
    before = resident_kb(alice)
    await connect_and_leave(alice, room, 1500)
    assert resident_kb(alice) - before < 15_000, "kilobytes"


async def connect_and_leave(person: Person, room: int, times: int) -> None:
    """Connect, wait for `ready` and leave, ten connections at a time."""

    async def once() -> None:
        async with raw_client(person.server, f"/ws/chat/{room}?token={person.token}") as client:
            await client.hears("ready")

    for _ in range(times // 10):
        await asyncio.gather(*(once() for _ in range(10)))


def resident_kb(person: Person) -> int:
    assert person.server.process is not None
    with open(f"/proc/{person.server.process.pid}/status") as status:  # noqa: PTH123 - not a file
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
