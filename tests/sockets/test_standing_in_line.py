"""Requests that come all at once wait for their turn: none is lost, and who goes away meanwhile is forgotten."""

import asyncio
from itertools import pairwise
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.core.serving.entrance import MAX_WAITING, STATE, EntranceProtocol
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from app.core.turnstile import A_FEW, Turnstile
from tests.sockets.pipe import Pipe
from tests.support.rawclient import HANDSHAKE

ASKED = HANDSHAKE.format(path="/", port=1, headers="").encode()
ANSWER = b"HTTP/1.1 101 "


class Line:
    """A server in front of which somebody is going through the turnstile just now."""

    def __init__(self) -> None:
        self.served = 0
        self.heard = b""
        self.state = ServerState()
        self.turnstile = Turnstile()
        self._config = uvicorn.Config(self._serve, interface="asgi3", ws=UpgradeProtocol, log_config=None)
        self.turnstile.enter(lambda: None)

    def comes(self, **state: object) -> tuple[EntranceProtocol, Pipe]:
        pipe = Pipe()
        lifespan = state or {STATE: self.turnstile}
        server = EntranceProtocol(self._config, self.state, lifespan, asyncio.get_running_loop())
        server.connection_made(pipe)
        return server, pipe

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.served += 1
        if scope["type"] == "http":
            is_more = True
            while is_more:
                event = await receive()
                self.heard += event["body"]
                is_more = event["more_body"]
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})
        else:
            await send({"type": "websocket.accept"})
            del scope["extensions"][EXTENSION]


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
    assert all(later - earlier <= A_FEW for earlier, later in pairwise(answered))
    await turns(5)
    assert all(pipe.written.startswith(ANSWER) for _, pipe in ends)


async def test_what_comes_in_pieces_while_it_waits_is_kept_together() -> None:
    line = Line()
    server, pipe = line.comes()
    for place in range(0, len(ASKED), 7):
        server.data_received(ASKED[place : place + 7])
    await turns(10)
    assert pipe.written.startswith(ANSWER)


async def test_the_rest_of_a_handshake_may_come_after_its_turn() -> None:
    line = Line()
    server, pipe = line.comes()
    server.data_received(ASKED[:20])
    await turns(10)
    assert not pipe.written
    server.data_received(ASKED[20:])
    await turns(10)
    assert pipe.written.startswith(ANSWER)


async def test_who_goes_away_in_line_is_not_served() -> None:
    line = Line()
    gone, pipe = line.comes()
    stays, other = line.comes()
    for server in (gone, stays):
        server.data_received(ASKED)
    gone.connection_lost(None)
    await turns(10)
    assert line.served == 1
    assert not pipe.written
    assert other.written.startswith(ANSWER)
    assert gone not in line.state.connections


async def test_of_who_says_much_in_line_no_more_is_read_until_it_is_served() -> None:
    line = Line()
    server, pipe = line.comes()
    body = b"x" * MAX_WAITING
    server.data_received(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % (len(body) + 1))
    pauses = [pipe.is_paused]
    server.data_received(body)
    pauses.append(pipe.is_paused)
    assert pauses == [False, True]
    assert not pipe.written
    await turns(10)
    assert not pipe.is_paused
    server.data_received(b"y")
    while not pipe.written:
        await asyncio.sleep(0)
    assert line.heard == body + b"y"
    assert pipe.written.startswith(b"HTTP/1.1 204 ")


async def test_who_has_been_let_in_does_not_stand_in_line_again() -> None:
    line = Line()
    server, pipe = line.comes()
    for number in range(2):
        line.turnstile.enter(lambda: None)
        server.data_received(b"GET /%d HTTP/1.1\r\nhost: here\r\n\r\n" % number)
        if not number:
            await turns(10)
    assert line.served == 1
    await asyncio.sleep(0)
    assert line.served == 2
    assert pipe.written.count(b"HTTP/1.1 204 ") == 2


async def test_an_application_without_a_turnstile_is_asked_at_once() -> None:
    line = Line()
    server, pipe = line.comes(something="else")
    server.data_received(ASKED)
    await asyncio.sleep(0)
    assert pipe.written.startswith(ANSWER)


async def test_who_says_nothing_holds_nobody_up() -> None:
    line = Line()
    line.comes()
    server, pipe = line.comes()
    server.data_received(ASKED)
    await turns(10)
    assert pipe.written.startswith(ANSWER)
