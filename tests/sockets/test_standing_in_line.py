"""Handshakes that come all at once wait for their turn: none is lost, and who goes away meanwhile is forgotten."""

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.core.turnstile import A_FEW, Turnstile
from app.core.upgrade import EXTENSION, MAX_REQUEST, UpgradeProtocol
from tests.sockets.pipe import Pipe
from tests.support.rawclient import HANDSHAKE

ASKED = HANDSHAKE.format(path="/", port=1, headers="").encode()
ANSWER = b"HTTP/1.1 101 "


class Line:
    """A server in front of which somebody is going through the turnstile just now."""

    def __init__(self) -> None:
        self.served = 0
        self.state = ServerState()
        self.turnstile = Turnstile()
        self._config = uvicorn.Config(self._accept, interface="asgi3", log_config=None)
        self.turnstile.enter(lambda: None)

    def comes(self) -> tuple[UpgradeProtocol, Pipe]:
        pipe = Pipe()
        make = partial(UpgradeProtocol, turnstile=self.turnstile)
        server = make(self._config, self.state, {}, asyncio.get_running_loop())
        server.connection_made(pipe)
        return server, pipe

    async def _accept(self, scope: Any, _receive: Any, send: Any) -> None:
        self.served += 1
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


async def test_who_says_too_much_in_line_is_cut_off() -> None:
    line = Line()
    server, pipe = line.comes()
    server.data_received(b"x" * MAX_REQUEST)
    assert not pipe.is_over
    server.data_received(b"x")
    assert pipe.is_over


async def test_who_says_nothing_holds_nobody_up() -> None:
    line = Line()
    line.comes()
    server, pipe = line.comes()
    server.data_received(ASKED)
    await turns(10)
    assert pipe.written.startswith(ANSWER)
