"""Who never finishes a request is cut off: a client that sends a byte now and then holds no place for ever."""

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
from tests.sockets.pipe import Pipe
from tests.support.rawclient import HANDSHAKE

HEAD = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\n"
UPGRADE = HANDSHAKE.format(path="/", port=1, headers="").encode()


class Deadline:
    """A timer that goes off when the test says so."""

    def __init__(self, seconds: float, go: Callable[[], None]) -> None:
        self.seconds = seconds
        self.go = go
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Clock:
    """The event loop as far as a protocol uses it, with timers that are kept."""

    def __init__(self) -> None:
        self.deadlines: list[Deadline] = []
        self.create_task = asyncio.get_running_loop().create_task

    def call_later(self, seconds: float, go: Callable[..., None], *args: Any) -> Deadline:
        made = Deadline(seconds, lambda: go(*args))
        if seconds == http_protocol.REQUEST_SECONDS:  # the others are uvicorn's, for silence between requests
            self.deadlines.append(made)
        return made

    @property
    def running(self) -> list[Deadline]:
        return [deadline for deadline in self.deadlines if not deadline.is_cancelled]


class End:
    """The server's end of a new connection."""

    def __init__(self) -> None:
        self.pipe, self.clock = Pipe(), Clock()
        config = uvicorn.Config(self._serve, interface="asgi3", ws=UpgradeProtocol, log_config=None)
        self.server = QueueingHttpProtocol(config, ServerState(), {}, self.clock, admission=AdmissionQueue)
        self.server.connection_made(self.pipe)

    async def hears(self, data: bytes) -> None:
        self.server.data_received(data)
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


@pytest.mark.parametrize("said", [b"", b"P", HEAD[:20], HEAD, HEAD + b"abc"], ids=len)
async def test_who_says_nothing_or_only_a_part_is_cut_off(said: bytes) -> None:
    end = End()
    for byte in said:
        await end.hears(bytes((byte,)))
    (deadline,) = end.clock.running
    assert not end.pipe.is_over
    deadline.go()
    assert end.pipe.is_over


async def test_a_part_more_does_not_give_it_more_time() -> None:
    end = End()
    for byte in HEAD + b"abc":
        await end.hears(bytes((byte,)))
    assert end.clock.running == end.clock.deadlines[:1]


async def test_a_whole_request_has_all_the_time_for_its_answer_and_the_next_one_is_waited_for_anew() -> None:
    end = End()
    await end.hears(HEAD + b"abcd")
    assert end.pipe.written.startswith(b"HTTP/1.1 204 ")
    assert end.clock.running == []
    await end.hears(HEAD)
    (deadline,) = end.clock.running
    await end.hears(b"abcd")
    assert deadline.is_cancelled
    assert end.pipe.written.count(b"HTTP/1.1 204 ") == 2


async def test_a_socket_that_is_open_has_no_deadline() -> None:
    end = End()
    await end.hears(UPGRADE[:30])
    assert end.clock.running
    await end.hears(UPGRADE[30:])
    assert end.pipe.written.startswith(b"HTTP/1.1 101 ")
    assert end.clock.running == []


async def test_who_is_gone_has_no_deadline() -> None:
    end = End()
    await end.hears(HEAD)
    end.server.connection_lost(None)
    assert end.clock.running == []
