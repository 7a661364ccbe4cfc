"""uvicorn as this project runs it: raw sockets, tight limits, and a stop that loses nothing."""

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import uvicorn

from app.core.config import Settings
from app.core.serving.admission import AdmissionQueue
from app.core.serving.http_protocol import QueueingHttpProtocol
from app.core.serving.upgrade import UpgradeProtocol

BACKLOG = 2048
GC_THRESHOLDS = (8_000, 1, 30)
"""Only connections that end leave reference cycles, some 80 objects each (uvicorn's parsers among them). Rare enough to
look through all seldom, but not never: with (20_000, 50, 100) each of them kept 7 kB, with this 10 MB is the most.
Everybody waits for a look: the 40,000 objects of 500 that come back took 15 ms, 24,000 take 5."""
USER_TIMEOUT_MS = 20_000
"""Data that a peer has not acknowledged for so long ends the connection: pings alone do not free a client that never
reads, because closing waits for the write buffer."""


class Server(uvicorn.Server):
    """Runs `after_start` once it serves, and `before_stop` when told to stop, while the sockets are still open."""

    def __init__(
        self,
        config: uvicorn.Config,
        after_start: Callable[[], None],
        before_stop: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._after_start = after_start
        self._before_stop = before_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays; connections live long, and looking through them all every 700 allocations took a
        # sixth of a busy server's time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        if self.started:
            self._after_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._before_stop()
        await super().shutdown(sockets)


def server(
    app: Any,
    settings: Settings,
    turnstile: Callable[[], AdmissionQueue],
    after_start: Callable[[], None],
    before_stop: Callable[[], Awaitable[None]],
) -> Server:
    """`turnstile` is called once the application is there: handshakes stand in one line with what comes after them."""
    config = uvicorn.Config(
        app,
        loop="auto" if sys.platform == "win32" else "uvloop",
        http=cast(type[asyncio.Protocol], partial(QueueingHttpProtocol, turnstile=turnstile)),
        ws=UpgradeProtocol,
        ws_max_size=settings.max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,  # one timer for all connections instead of two for each: see websocket.keepalive
        timeout_graceful_shutdown=max(1, int(0.2 * settings.shutdown_seconds)),
        log_config=None,
        log_level=max(logging.WARNING, getattr(logging, settings.log_level.upper())),
        access_log=False,
        server_header=False,
    )
    return Server(config, after_start, before_stop)


def listen(settings: Settings) -> socket.socket:
    """The listening socket; what is set on it holds for every connection it accepts. Raises OSError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.socket_send_buffer_bytes)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    try:
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
