"""Whoever leaves while still coming in, in whatever moment, is gone: nobody sees a ghost, and nothing breaks."""

import asyncio
import logging
import socket
import struct
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.pipe import Pipe
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


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "closing"])
async def test_whose_end_is_seen_before_it_is_answered_is_nobodys_fault(
    is_lost: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The end is seen in the same moment as the handshake, before the application has had its turn."""
    handed_over: list[object] = []

    async def accept(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        handed_over.append(scope["extensions"].pop(EXTENSION).hand_over(None))

    pipe, state = Pipe(), ServerState()
    config = uvicorn.Config(accept, interface="asgi3", log_config=None)
    server = UpgradeProtocol(config, state, {}, asyncio.get_running_loop())
    server.connection_made(pipe)
    server.data_received(HANDSHAKE.format(path="/", port=1, headers="").encode())
    pipe.abort()
    if is_lost:
        server.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert handed_over == ([] if is_lost else [None])
    assert not pipe.written
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def is_empty(person: Person, room: int) -> None:
    """Nobody is left, once the grace for reconnects is over."""
    async with asyncio.timeout(15):
        while (await person.get(f"/api/rooms/{room}/presence"))["count"]:
            await asyncio.sleep(0.1)
