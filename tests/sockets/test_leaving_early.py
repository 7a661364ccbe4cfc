"""Whoever leaves while still coming in, in whatever moment, is gone: nobody sees a ghost, and nothing breaks."""

import asyncio
import socket
import struct

from tests.support.people import Person
from tests.support.rawclient import CLOSE, HANDSHAKE, frame
from tests.support.server import ChatServer

RESET = struct.pack("ii", 1, 0)
GOODBYE = frame((1001).to_bytes(2, "big"), CLOSE)


async def comes_and_goes(server: ChatServer, path: str, how: str, after: float) -> None:
    """Ask for a socket, and leave `after` seconds whether it was granted or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HANDSHAKE.format(path=path, port=server.port, headers="").encode())
    await asyncio.sleep(after)
    connection: socket.socket = writer.get_extra_info("socket")
    if how == "with a goodbye":
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GOODBYE)
    elif how == "by a reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


HOWS = ("by closing", "with a goodbye", "by a reset")


async def test_who_leaves_while_coming_in_is_gone(tight: ChatServer, carol: Person, den: int) -> None:
    path = f"/ws/chat/{den}?token={carol.token}"
    for attempt in range(60):
        await asyncio.gather(*(comes_and_goes(tight, path, how, after=attempt % 20 / 2000) for how in HOWS))
    await is_empty(carol, den)
    async with carol.enters(den) as seat:
        await seat.says("anybody here?")
        assert (await seat.hears("message"))["message"] == "anybody here?"
    assert "Traceback" not in tight.log.read_text()


async def test_who_leaves_while_subscribing_is_gone(tight: ChatServer, carol: Person) -> None:
    rooms = [(await carol.http.post("/api/rooms", json={"name": f"{n}"})).json()["id"] for n in range(5)]
    for attempt in range(20):
        async with carol.connects() as seat:
            for room in rooms:
                await seat.does("subscribe", room_id=room)
            await asyncio.sleep(attempt / 2000)
            seat.socket.transport.abort()
    for room in rooms:
        await is_empty(carol, room)
    assert "Traceback" not in tight.log.read_text()


async def is_empty(person: Person, room: int) -> None:
    """Nobody is left, once the grace for reconnects is over."""
    async with asyncio.timeout(15):
        while (await person.get(f"/api/rooms/{room}/presence"))["count"]:
            await asyncio.sleep(0.1)
