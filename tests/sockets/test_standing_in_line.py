"""Handshakes that come all at once wait for their turn: none is lost, who goes away is forgotten, and who only asks for
something is answered meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.core.config import Settings
from app.core.serving.admission import MAX_PER_TURN, AdmissionQueue
from app.core.serving.http_protocol import MAX_QUEUED_BYTES, QueueingHttpProtocol
from app.core.serving.server import server as chat_server
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.pipe import Pipe
from tests.support.rawclient import HANDSHAKE, frame

ASKED = HANDSHAKE.format(path="/", port=1, headers="").encode()
ANSWER = b"HTTP/1.1 101 "
REQUEST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi"


class Line:
    """A server in front of which somebody is going through the admission just now."""

    def __init__(self) -> None:
        self.served = 0
        self.messages: list[bytes] = []
        self.state = ServerState()
        self.admission = AdmissionQueue()
        self._config = uvicorn.Config(self._serve, interface="asgi3", ws=UpgradeProtocol, log_config=None)
        self.admission.submit(lambda: None)

    def comes(self) -> tuple[QueueingHttpProtocol, Pipe]:
        pipe = Pipe()
        loop = asyncio.get_running_loop()
        server = QueueingHttpProtocol(self._config, self.state, {}, loop, admission=lambda: self.admission)
        pipe.set_protocol(server)
        server.connection_made(pipe)
        return server, pipe

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.served += 1
        if scope["type"] == "http":
            assert (await receive())["body"] == b"hi"
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})
            return
        await send({"type": "websocket.accept"})
        server = scope["extensions"][EXTENSION]
        server.deliver_early_data(server.hand_over(self))

    def message_received(self, payload: bytes, is_text: bool) -> None:
        self.messages.append(bytes(payload))

    def control_frames_received(self, count: int) -> None: ...
    def write_buffer_high(self) -> None: ...
    def frame_too_large(self) -> None: ...
    def closing(self) -> None: ...
    def connection_lost(self) -> None: ...


@pytest.fixture(autouse=True)
async def _nothing_fails_unseen() -> AsyncIterator[None]:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
    yield
    assert failures == []


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_each_is_answered_in_its_turn() -> None:
    line = Line()
    ends = [line.comes() for _ in range(10)]
    for server, _ in ends:
        server.data_received(ASKED)
    assert not any(pipe.written for _, pipe in ends)
    answered = [0]
    while line.served < len(ends):
        await asyncio.sleep(0)
        answered.append(line.served)
    assert all(later - earlier <= MAX_PER_TURN for earlier, later in pairwise(answered))
    await turns(5)
    assert all(pipe.written.startswith(ANSWER) for _, pipe in ends)


async def test_what_comes_in_pieces_while_it_waits_is_kept_together() -> None:
    line = Line()
    server, pipe = line.comes()
    start = ASKED.lower().index(b"sec-websocket-key:") + 18
    for piece in (ASKED[:start], *(ASKED[place : place + 7] for place in range(start, len(ASKED), 7))):
        server.data_received(piece)
    assert not pipe.written
    await turns(10)
    assert pipe.written.startswith(ANSWER)


async def test_the_rest_of_a_handshake_may_come_after_its_turn() -> None:
    line = Line()
    server, pipe = line.comes()
    server.data_received(ASKED[:-2])
    await turns(10)
    assert not pipe.written
    server.data_received(ASKED[-2:])
    await turns(10)
    assert pipe.written.startswith(ANSWER)


@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "in a crowd"])
async def test_who_talks_before_the_answer_is_heard_all_the_same(is_alone: bool) -> None:
    line = Line()
    if is_alone:
        await turns(5)
    server, pipe = line.comes()
    said = ASKED + frame(b"one") + frame(b"two")
    server.data_received(said[:-3])
    pipe.get_protocol().data_received(said[-3:])  # type: ignore[attr-defined]
    await turns(10)
    assert pipe.written.startswith(ANSWER)
    assert line.messages == [b"one", b"two"]


async def test_who_goes_away_in_line_is_not_served_and_holds_nobody_up() -> None:
    line = Line()
    crowd = [line.comes() for _ in range(1000)]
    for server, _ in crowd:
        server.data_received(ASKED)
    for server, _ in crowd[:-1]:
        server.connection_lost(None)
    stays, (_, pipe) = crowd[-1][0], crowd[-1]
    await turns(10)
    assert line.served == 1
    assert pipe.written.startswith(ANSWER)
    assert not any(other.written for _, other in crowd[:-1])
    assert not {server for server, _ in crowd} & line.state.connections - {stays}


@pytest.mark.parametrize("is_told", [True, False], ids=["lost", "closing"])
async def test_who_goes_away_when_it_is_called_is_not_served_either(is_told: bool) -> None:
    """Who is called is no more in line, and comes in the next time the loop turns."""
    line = Line()
    server, pipe = line.comes()
    server.data_received(ASKED)
    line.admission.cancel(server._parse_queued)
    if is_told:
        server.connection_lost(None)
    else:
        pipe.abort()
    server._parse_queued()
    await turns(5)
    assert line.served == 0
    assert not pipe.written
    server.connection_lost(None)


async def test_who_says_too_much_in_line_is_cut_off() -> None:
    line = Line()
    server, pipe = line.comes()
    server.data_received(ASKED)
    server.data_received(b"x" * (MAX_QUEUED_BYTES - len(ASKED)))
    overs = [pipe.is_over]
    server.data_received(b"x")
    assert [*overs, pipe.is_over] == [False, True]
    server.connection_lost(None)


async def test_who_says_nothing_holds_nobody_up() -> None:
    line = Line()
    line.comes()
    server, pipe = line.comes()
    server.data_received(ASKED)
    await turns(10)
    assert pipe.written.startswith(ANSWER)


async def test_a_request_is_answered_while_others_stand_in_line() -> None:
    line = Line()
    for _ in range(100):
        line.comes()[0].data_received(ASKED)
    server, pipe = line.comes()
    for number in range(1, 3):
        server.data_received(REQUEST)
        await turns(2)
        assert pipe.written.count(b"HTTP/1.1 204 ") == number
    assert line.served < 100
    while line.served < 102:
        await asyncio.sleep(0)


def test_the_server_asks_for_the_turnstile_of_the_application() -> None:
    admission = AdmissionQueue()

    async def nothing() -> None: ...

    config = chat_server(None, Settings(), lambda: admission, lambda: None, nothing).config
    config.load()
    make: Any = config.http_protocol_class
    with asyncio.Runner() as runner:
        made = make(config, ServerState(), {}, runner.get_loop())
    assert isinstance(made, QueueingHttpProtocol)
    assert made._admission is admission
