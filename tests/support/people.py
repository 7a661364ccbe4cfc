"""Users and their open sockets, with verbs that make a test read like a story."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from tests.support import frames
from tests.support.server import ChatServer

PATIENCE = 10.0
"""Seconds to wait for a result that should come at once."""

Frame = dict[str, Any]


class Person:
    """A signed-in user of a server."""

    def __init__(self, server: ChatServer, username: str, tokens: dict[str, Any]) -> None:
        self.server = server
        self.username = username
        self.token: str = tokens["access_token"]
        self.refresh_token: str = tokens["refresh_token"]
        self.http = httpx.AsyncClient(
            base_url=server.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE
        )

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON answer to a GET request, which must succeed."""
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def history(self, room: int, **params: Any) -> list[Frame]:
        found: list[Frame] = await self.get(f"/api/messages/{room}", **params)
        return [frames.check_message(message) for message in found]

    @asynccontextmanager
    async def enters(
        self, room: int, since: int | None = None, epoch: str | None = None
    ) -> AsyncIterator["Seat"]:
        """Open the socket of one room, with the token in the URL as in the document."""
        address = f"{self.server.ws}/ws/chat/{room}?token={self.token}"
        given = {"since": since, "epoch": epoch}
        address += "".join(f"&{name}={value}" for name, value in given.items() if value is not None)
        async with websockets.connect(address) as socket:
            seat = Seat(socket)
            seat.ready = await seat.hears("ready")
            yield seat

    @asynccontextmanager
    async def connects(self) -> AsyncIterator["Seat"]:
        """Open the socket that can follow many rooms."""
        async with websockets.connect(f"{self.server.ws}/ws?token={self.token}") as socket:
            seat = Seat(socket)
            seat.ready = await seat.hears("ready")
            yield seat


class Seat:
    """One open socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ready: Frame = {}
        self.heard: list[Frame] = []
        """Every frame received so far."""

    async def does(self, type: str, **fields: Any) -> None:  # noqa: A002 - the protocol's own word
        """Send a command."""
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def says(self, content: str, **fields: Any) -> None:
        await self.does("message", content=content, **fields)

    async def next(self) -> Frame:
        """The next frame, checked against the protocol. Raises TimeoutError, ConnectionClosed, WrongFrame."""
        frame: Frame = frames.check(json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE)))
        self.heard.append(frame)
        return frame

    async def hears(self, type: str = "message", **fields: Any) -> Frame:  # noqa: A002
        """The next frame of this type with these fields; other frames are skipped (and kept in `heard`)."""
        while True:
            frame = await self.next()
            if frame["type"] == type and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def is_closed(self) -> int:
        """The close code, once the server has closed the socket."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.next()
        code = self.socket.close_code
        assert code is not None
        return code


async def sign_up(server: ChatServer, username: str, password: str = "correct horse") -> Person:
    """Create a user and log in."""
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
        answer = await http.post("/api/auth/signup", json={"username": username, "password": password})
        assert answer.status_code == 201, answer.text
    return await sign_in(server, username, password)


async def sign_in(server: ChatServer, username: str, password: str = "correct horse") -> Person:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
        answer = await http.post("/api/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
    return Person(server, username, answer.json())
