"""Handshakes that arrive at once wait in the admission queue: none is lost, disconnected clients are dropped from it,
and plain requests are answered meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.config import Settings
from app.core.serving.admission import MAX_PER_TURN, AdmissionQueue
from app.core.serving.connection_limit import ConnectionLimit
from app.core.serving.http_protocol import MAX_QUEUED_BYTES, QueueingHttpProtocol
from app.core.serving.server import server as chat_server
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.fakes import RecordingTransport
from tests.support.rawclient import HANDSHAKE, frame

UPGRADE = HANDSHAKE.format(path="/", port=1, headers="").encode()
SWITCHING = b"HTTP/1.1 101 "
REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"


class BusyServer:
    """A server whose admission queue is in use, so that new handshakes have to wait. Owns the sockets it accepts."""

    def __init__(self) -> None:
        self.served = 0
        self.messages: list[bytes] = []
        self.state = ServerState()
        self.admission = AdmissionQueue()
        self._config = uvicorn.Config(self._serve, interface="asgi3", ws=UpgradeProtocol, log_config=None)
        self.admission.submit(lambda: None)

    def accepts(self) -> tuple[QueueingHttpProtocol, RecordingTransport]:
        """A new connection from a client."""
        transport = RecordingTransport()
        loop = asyncio.get_running_loop()
        limit = ConnectionLimit(0, 1 << 20)
        protocol = QueueingHttpProtocol(
            self._config, self.state, {}, loop, admission=lambda: self.admission, limit=limit
        )
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        return protocol, transport

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.served += 1
        if scope["type"] == "http":
            assert (await receive())["body"] == b"hi"
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})
            return
        await send({"type": "websocket.accept"})
        upgrade = scope["extensions"][EXTENSION]
        upgrade.deliver_early_data(upgrade.hand_over(self))

    def message_received(self, payload: bytes, is_text: bool) -> None:
        self.messages.append(bytes(payload))

    def control_frames_received(self, count: int) -> None: ...
    def write_buffer_high(self) -> None: ...
    def frame_too_large(self) -> None: ...
    def closing(self) -> None: ...
    def connection_lost(self) -> None: ...


@pytest.fixture(autouse=True)
async def _no_unhandled_errors() -> AsyncIterator[None]:
    """Fail a test if the event loop reports an error."""
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    yield
    assert failures == []


async def loop_iterations(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_handshakes_that_arrive_at_once_are_answered_a_few_per_loop_iteration() -> None:
    busy = BusyServer()
    connections = [busy.accepts() for _ in range(10)]
    for protocol, _ in connections:
        protocol.data_received(UPGRADE)
    assert not any(transport.written for _, transport in connections)
    answered = [0]
    while busy.served < len(connections):
        await asyncio.sleep(0)
        answered.append(busy.served)
    assert all(later - earlier <= MAX_PER_TURN for earlier, later in pairwise(answered))
    await loop_iterations(5)
    assert all(transport.written.startswith(SWITCHING) for _, transport in connections)


async def test_a_handshake_that_arrives_in_pieces_while_it_is_queued_is_put_together() -> None:
    busy = BusyServer()
    protocol, transport = busy.accepts()
    start = UPGRADE.lower().index(b"sec-websocket-key:") + 18
    for piece in (
        UPGRADE[:start],
        *(UPGRADE[offset : offset + 7] for offset in range(start, len(UPGRADE), 7)),
    ):
        protocol.data_received(piece)
    assert not transport.written
    await loop_iterations(10)
    assert transport.written.startswith(SWITCHING)


async def test_a_handshake_that_is_incomplete_at_its_turn_is_answered_once_the_rest_arrives() -> None:
    busy = BusyServer()
    protocol, transport = busy.accepts()
    protocol.data_received(UPGRADE[:-2])
    await loop_iterations(10)
    assert not transport.written
    protocol.data_received(UPGRADE[-2:])
    await loop_iterations(10)
    assert transport.written.startswith(SWITCHING)


@pytest.mark.parametrize("is_alone", [True, False], ids=["not queued", "queued"])
async def test_frames_sent_before_the_handshake_response_are_delivered(is_alone: bool) -> None:
    busy = BusyServer()
    if is_alone:
        await loop_iterations(5)
    protocol, transport = busy.accepts()
    data = UPGRADE + frame(b"one") + frame(b"two")
    protocol.data_received(data[:-3])
    transport.get_protocol().data_received(data[-3:])  # type: ignore[attr-defined]
    await loop_iterations(10)
    assert transport.written.startswith(SWITCHING)
    assert busy.messages == [b"one", b"two"]


async def test_clients_that_disconnect_in_the_queue_are_not_served_and_delay_no_other() -> None:
    busy = BusyServer()
    clients = [busy.accepts() for _ in range(1000)]
    for protocol, _ in clients:
        protocol.data_received(UPGRADE)
    for protocol, _ in clients[:-1]:
        protocol.connection_lost(None)
    remaining, (_, transport) = clients[-1][0], clients[-1]
    await loop_iterations(10)
    assert busy.served == 1
    assert transport.written.startswith(SWITCHING)
    assert not any(other.written for _, other in clients[:-1])
    assert not {protocol for protocol, _ in clients} & busy.state.connections - {remaining}


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "closing"])
async def test_a_client_that_disconnects_between_its_admission_and_its_callback_is_not_served(
    is_lost: bool,
) -> None:
    """An admitted handshake has left the queue, and is parsed in the next iteration of the event loop."""
    busy = BusyServer()
    protocol, transport = busy.accepts()
    protocol.data_received(UPGRADE)
    busy.admission.cancel(protocol._parse_queued)
    if is_lost:
        protocol.connection_lost(None)
    else:
        transport.abort()
    protocol._parse_queued()
    await loop_iterations(5)
    assert busy.served == 0
    assert not transport.written
    protocol.connection_lost(None)


async def test_a_client_that_sends_too_many_bytes_in_the_queue_is_disconnected() -> None:
    busy = BusyServer()
    protocol, transport = busy.accepts()
    protocol.data_received(UPGRADE)
    protocol.data_received(b"x" * (MAX_QUEUED_BYTES - len(UPGRADE)))
    was_closed = transport.is_closed
    protocol.data_received(b"x")
    assert [was_closed, transport.is_closed] == [False, True]
    protocol.connection_lost(None)


async def test_a_connection_that_sends_nothing_delays_no_other() -> None:
    busy = BusyServer()
    busy.accepts()
    protocol, transport = busy.accepts()
    protocol.data_received(UPGRADE)
    await loop_iterations(10)
    assert transport.written.startswith(SWITCHING)


async def test_a_plain_request_is_answered_while_handshakes_are_queued() -> None:
    busy = BusyServer()
    for _ in range(100):
        busy.accepts()[0].data_received(UPGRADE)
    protocol, transport = busy.accepts()
    for number in range(1, 3):
        protocol.data_received(REQUEST)
        await loop_iterations(2)
        assert transport.written.count(b"HTTP/1.1 204 ") == number
    assert busy.served < 100
    while busy.served < 102:
        await asyncio.sleep(0)


def test_the_server_uses_the_admission_queue_of_the_application() -> None:
    admission = AdmissionQueue()

    async def nothing() -> None: ...

    config = chat_server(None, Settings(), lambda: admission, lambda: None, nothing, lambda: None).config
    config.load()
    make_protocol: Any = config.http_protocol_class
    with asyncio.Runner() as runner:
        protocol = make_protocol(config, ServerState(), {}, runner.get_loop())
    assert isinstance(protocol, QueueingHttpProtocol)
    assert protocol._admission is admission
