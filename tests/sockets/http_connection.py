"""The server's side of an HTTP connection without a network: a test feeds bytes, and lets timers expire."""

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.core.serving.admission import AdmissionQueue
from app.core.serving.connection_limit import ConnectionLimit
from app.core.serving.http_protocol import QueueingHttpProtocol
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.sockets.fakes import RecordingTransport

KEEP_ALIVE = 75
UNLIMITED = ConnectionLimit(0, 1 << 20)


class Deadline:
    """A timer that expires when the test calls `expire`."""

    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds = seconds
        self._callback = callback
        self.is_running = True

    def cancel(self) -> None:
        self.is_running = False

    def expire(self) -> None:
        self.is_running = False
        self._callback()


class FakeLoop:
    """The part of an event loop that a protocol uses; records its timers."""

    def __init__(self) -> None:
        self.deadlines: list[Deadline] = []
        self.create_task = asyncio.get_running_loop().create_task

    def call_later(self, seconds: float, callback: Callable[..., None], *args: Any) -> Deadline:
        deadline = Deadline(seconds, lambda: callback(*args))
        if seconds != KEEP_ALIVE:
            self.deadlines.append(deadline)
        return deadline

    @property
    def running(self) -> list[Deadline]:
        return [deadline for deadline in self.deadlines if deadline.is_running]


class HttpConnection:
    """The server's side of a new connection. Requests are answered with 204, one after the other."""

    def __init__(self, limit: ConnectionLimit = UNLIMITED, address: str | None = None) -> None:
        self.requests: list[tuple[dict[str, Any], bytes]] = []
        """The scopes and bodies that the application got."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.transport, self.loop = RecordingTransport(), FakeLoop()
        if address is not None:
            self.transport.extra["peername"] = (address, 40_000)
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            ws=UpgradeProtocol,
            log_config=None,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self.state = ServerState()
        self.protocol = QueueingHttpProtocol(
            config, self.state, {}, self.loop, admission=AdmissionQueue, limit=limit
        )
        self.transport.set_protocol(self.protocol)
        self.protocol.connection_made(self.transport)

    async def receives(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.transport.is_closed:
                self.transport.protocol.data_received(piece)  # type: ignore[attr-defined]
        for _ in range(5 + 3 * len(self.protocol.pipeline)):
            await asyncio.sleep(0)

    @property
    def status(self) -> int | None:
        """The status of the first answer."""
        return int(self.transport.written[9:12]) if self.transport.written else None

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self.requests.append((scope, body))
            await self.may_answer.wait()
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})
        else:
            self.requests.append((scope, b""))
            await send({"type": "websocket.accept"})
            del scope["extensions"][EXTENSION]
