"""A client may disconnect at any moment of its handshake: it leaves no presence behind and causes no error."""

import asyncio
import logging
import socket
import struct
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.fakes import RecordingTransport
from tests.support.people import Person
from tests.support.rawclient import CLOSE, HANDSHAKE, frame
from tests.support.server import ChatServer

RESET = struct.pack("ii", 1, 0)
CLOSE_FRAME = frame((1001).to_bytes(2, "big"), CLOSE)


async def connect_and_leave(server: ChatServer, path: str, how: str, after: float) -> None:
    """Request a socket and disconnect `after` seconds, whether the handshake was answered or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(HANDSHAKE.format(path=path, port=server.port, headers="").encode())
    await asyncio.sleep(after)
    connection: socket.socket = writer.get_extra_info("socket")
    if how == "with a close frame":
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CLOSE_FRAME)
    elif how == "by a reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


WAYS = ("by closing", "with a close frame", "by a reset")


async def test_clients_that_disconnect_during_the_handshake_leave_no_presence(
    tight: ChatServer, carol: Person, den: int
) -> None:
    path = f"/ws/chat/{den}?token={carol.token}"
    for attempt in range(60):
        await asyncio.gather(
            *(connect_and_leave(tight, path, how, after=attempt % 20 / 2000) for how in WAYS)
        )
    await until_empty(carol, den)
    async with carol.enters(den) as seat:
        await seat.says("hello?")
        assert (await seat.hears("message"))["message"] == "hello?"
    assert "Traceback" not in tight.log.read_text()


async def test_clients_that_disconnect_while_subscribing_leave_no_presence(
    tight: ChatServer, carol: Person
) -> None:
    rooms = [(await carol.http.post("/api/rooms", json={"name": f"{n}"})).json()["id"] for n in range(5)]
    for attempt in range(20):
        async with carol.connects() as seat:
            for room in rooms:
                await seat.does("subscribe", room_id=room)
            await asyncio.sleep(attempt / 2000)
            seat.socket.transport.abort()
    for room in rooms:
        await until_empty(carol, room)
    assert "Traceback" not in tight.log.read_text()


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "closing"])
async def test_a_connection_that_ends_before_the_application_accepts_it_logs_no_error(
    is_lost: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The end arrives in the same loop iteration as the handshake, before the application has run."""
    handed_over: list[object] = []

    async def accept(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        handed_over.append(scope["extensions"].pop(EXTENSION).hand_over(None))

    transport, state = RecordingTransport(), ServerState()
    config = uvicorn.Config(accept, interface="asgi3", log_config=None)
    protocol = UpgradeProtocol(config, state, {}, asyncio.get_running_loop())
    protocol.connection_made(transport)
    protocol.data_received(HANDSHAKE.format(path="/", port=1, headers="").encode())
    transport.abort()
    if is_lost:
        protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert handed_over == ([] if is_lost else [None])
    assert not transport.written
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def until_empty(person: Person, room: int) -> None:
    """Return when the room has no listener left, after the grace period for reconnects. Raises TimeoutError."""
    async with asyncio.timeout(15):
        while (await person.get(f"/api/rooms/{room}/presence"))["count"]:
            await asyncio.sleep(0.1)
