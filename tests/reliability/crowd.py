"""Hundreds of users and sockets at little cost: accounts are written to the database, and sockets only count events."""

import asyncio
import re
import time
from collections.abc import Sequence

from sqlalchemy import make_url

from app.core.database import Database, UnitOfWork
from app.core.security.tokens import Tokens
from app.services import members, sessions, users
from app.services.callers import Caller
from tests.support.rawclient import HANDSHAKE
from tests.support.server import ChatServer

KEY = "a key of sixty-four bytes for servers that are tried with crowds"
LIFETIME_MS = 3_600_000
MESSAGE = b'"type":"message"'
SYNCED = re.compile(rb'"type":"synced","room_id":\d+,"seq":(\d+),')
OVERLAP = 64
"""Bytes kept from the previous read, because a searched pattern may be split between two reads."""


def add_members(server: ChatServer, room: int, count: int, name: str = "person") -> list[str]:
    """Create signed-in members of a room. Returns their tokens. The server must sign with KEY."""
    database = Database(make_url(server.settings["DATABASE_URL"]), pool_size=1)

    def work(db: UnitOfWork) -> list[tuple[int, str]]:
        return [_add_member(db, room, f"{name} {number}") for number in range(count)]

    logins, _ = database.transact(work)
    database.close()
    tokens = Tokens(KEY, LIFETIME_MS // 1000)
    return [tokens.sign(user_id, session_id) for user_id, session_id in logins]


def _add_member(db: UnitOfWork, room: int, name: str) -> tuple[int, str]:
    user = users.sign_up(db, name, "not a password hash")
    login = sessions.open_session(db, user.id, "crowd", LIFETIME_MS)
    members.enter(db, Caller(user.id, name, login.session_id, user.created_at, 0), room)
    return user.id, login.session_id


class CountingSocket(asyncio.Protocol):
    """An open socket that counts messages and records when its catch-up was complete."""

    def __init__(self, request: bytes) -> None:
        self.messages = 0
        self.opened: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the handshake was answered, in seconds of the monotonic clock."""
        self.synced: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.missed = 0
        """Messages that arrived before `synced`."""
        self.synced_at = 0
        """The `seq` of `synced`."""
        self.transport: asyncio.Transport | None = None
        self._request = request
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self.opened.done():
            if b"\r\n\r\n" not in data:
                self._rest = data
                return
            self.opened.set_result(time.monotonic())
        if not self.synced.done() and (found := SYNCED.search(data)):
            self.synced.set_result(time.monotonic())
            self.missed = self.messages + data[: found.start()].count(MESSAGE)
            self.synced_at = int(found[1])
        kept = data[-OVERLAP:]
        self.messages += data.count(MESSAGE) - kept.count(MESSAGE)
        self._rest = kept

    def connection_lost(self, exc: Exception | None) -> None:
        for answer in (self.opened, self.synced):
            if not answer.done():
                answer.set_exception(exc or ConnectionResetError("closed before the event arrived"))
                answer.exception()  # mark it as retrieved: a caller may wait for one of the two only

    def drop(self) -> None:
        if self.transport is not None:
            self.transport.abort()


async def open_socket(port: int, room: int, token: str, since: int | None = None) -> CountingSocket:
    """A socket whose handshake has been answered. Raises OSError."""
    path = f"/ws/chat/{room}?token={token}" + (f"&since={since}" if since is not None else "")
    request = HANDSHAKE.format(path=path, port=port, headers="").encode()
    loop = asyncio.get_running_loop()
    _, counting = await loop.create_connection(lambda: CountingSocket(request), "127.0.0.1", port)
    await counting.opened
    return counting


async def open_all(
    port: int, room: int, tokens: Sequence[str], since: int | None = None
) -> list[CountingSocket]:
    """Open one socket for each token, all at once, as after an outage."""
    return await asyncio.gather(*(open_socket(port, room, token, since) for token in tokens))
