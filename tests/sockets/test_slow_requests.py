"""A client that does not complete its request within the deadline is disconnected, even if it keeps sending bytes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.serving import http_protocol
from app.core.serving.admission import AdmissionQueue
from app.core.serving.http_protocol import QueueingHttpProtocol
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.fakes import RecordingTransport
from tests.support.rawclient import HANDSHAKE

HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\n"
UPGRADE = HANDSHAKE.format(path="/", port=1, headers="").encode()


class Deadline:
    """A timer that expires when the test calls `expire`."""

    def __init__(self, seconds: float, expire: Callable[[], None]) -> None:
        self.seconds = seconds
        self.expire = expire
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeLoop:
    """The part of an event loop that a protocol uses; records its timers."""

    def __init__(self) -> None:
        self.deadlines: list[Deadline] = []
        self.create_task = asyncio.get_running_loop().create_task

    def call_later(self, seconds: float, callback: Callable[..., None], *args: Any) -> Deadline:
        deadline = Deadline(seconds, lambda: callback(*args))
        if seconds == http_protocol.REQUEST_SECONDS:  # the others are uvicorn's keep-alive timers
            self.deadlines.append(deadline)
        return deadline

    @property
    def running(self) -> list[Deadline]:
        return [deadline for deadline in self.deadlines if not deadline.is_cancelled]


class HttpConnection:
    """The server's side of a new connection."""

    def __init__(self) -> None:
        self.transport, self.loop = RecordingTransport(), FakeLoop()
        config = uvicorn.Config(self._serve, interface="asgi3", ws=UpgradeProtocol, log_config=None)
        self.protocol = QueueingHttpProtocol(config, ServerState(), {}, self.loop, admission=AdmissionQueue)
        self.protocol.connection_made(self.transport)

    async def receives(self, data: bytes) -> None:
        self.protocol.data_received(data)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})
        else:
            await send({"type": "websocket.accept"})
            del scope["extensions"][EXTENSION]


@pytest.mark.parametrize("sent", [b"", b"P", HEAD[:20], HEAD, HEAD + b"abc"], ids=len)
async def test_a_client_that_sends_no_complete_request_is_disconnected(sent: bytes) -> None:
    connection = HttpConnection()
    for byte in sent:
        await connection.receives(bytes((byte,)))
    (deadline,) = connection.loop.running
    assert not connection.transport.is_closed
    deadline.expire()
    assert connection.transport.is_closed


async def test_further_bytes_do_not_extend_the_deadline() -> None:
    connection = HttpConnection()
    for byte in HEAD + b"abc":
        await connection.receives(bytes((byte,)))
    assert connection.loop.running == connection.loop.deadlines[:1]


async def test_a_complete_request_has_no_deadline_and_the_next_one_gets_a_new_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(HEAD + b"abcd")
    assert connection.transport.written.startswith(b"HTTP/1.1 204 ")
    assert connection.loop.running == []
    await connection.receives(HEAD)
    (deadline,) = connection.loop.running
    await connection.receives(b"abcd")
    assert deadline.is_cancelled
    assert connection.transport.written.count(b"HTTP/1.1 204 ") == 2


async def test_an_open_websocket_has_no_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(UPGRADE[:30])
    assert connection.loop.running
    await connection.receives(UPGRADE[30:])
    assert connection.transport.written.startswith(b"HTTP/1.1 101 ")
    assert connection.loop.running == []


async def test_a_lost_connection_has_no_deadline() -> None:
    connection = HttpConnection()
    await connection.receives(HEAD)
    connection.protocol.connection_lost(None)
    assert connection.loop.running == []
