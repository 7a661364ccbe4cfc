"""uvicorn as this project runs it: raw sockets, tight limits, and a graceful stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.core.addresses import is_loopback
from app.core.config import Settings
from app.core.serving.admission import AdmissionQueue
from app.core.serving.connection_limit import ConnectionLimit, raise_descriptor_limit
from app.core.serving.http_protocol import QueueingHttpProtocol
from app.core.serving.upgrade import UpgradeProtocol

BACKLOG = 2048
GC_THRESHOLDS = (8_000, 1, 30)
"""Reference cycles come only from connections that end, some 80 objects each (uvicorn's parsers among them):
collections may be rare, but not absent. With (20_000, 50, 100) each of those kept 7 kB in memory; with these at most 10
MB are kept. The event loop stops for each collection: the 40,000 objects of 500 reconnects took 15 ms, 24,000 take
5."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open, longer than the 60 s after which proxies and load balancers close theirs: one
that they believe open would be closed under a request."""
USER_TIMEOUT_MS = 20_000
"""How long data may stay unacknowledged before the kernel drops the connection. Pings alone do not end a client that
never reads, because closing waits for the write buffer."""


class Server(uvicorn.Server):
    """Calls `after_start` once it serves, `before_stop` on a signal to stop, while the sockets are still open, and
    `after_stop` once the application has stopped."""

    def __init__(
        self,
        config: uvicorn.Config,
        after_start: Callable[[], None],
        before_stop: Callable[[], Awaitable[None]],
        after_stop: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._after_start = after_start
        self._before_stop = before_stop
        self._after_stop = after_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises SystemExit if the application cannot start. It has said why: uvicorn's own line would add nothing."""
        self.lifespan.logger.disabled = True
        try:
            await super().startup(sockets)
        finally:
            self.lifespan.logger.disabled = False
        # Objects that exist now stay, and connections live long: traversing all of them every 700 allocations took a
        # sixth of a busy server's time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        if self.started:
            self._after_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGHUP too, which a terminal sends when it is closed. `nohup` has it ignored."""
        hangup = getattr(signal, "SIGHUP", None)  # not on Windows
        if hangup is not None and signal.getsignal(hangup) == signal.SIG_DFL:
            signal.signal(hangup, lambda _, frame: self.handle_exit(signal.SIGTERM, frame))
        with super().capture_signals():
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Only the first signal counts. At the second Ctrl+C uvicorn would skip the rest of a stop, which takes seconds
        at most: the database would not be closed, and tasks would end with tracebacks."""
        if not self.should_exit:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._before_stop()
        await super().shutdown(sockets)
        self._after_stop()


def server(
    app: Any,
    settings: Settings,
    admission: Callable[[], AdmissionQueue],
    after_start: Callable[[], None],
    before_stop: Callable[[], Awaitable[None]],
    after_stop: Callable[[], None],
) -> Server:
    """Build the server. `admission` is called once the application has started: handshakes share one queue with the
    catch-ups after them."""
    descriptors = raise_descriptor_limit()
    config = uvicorn.Config(
        app,
        loop="auto" if sys.platform == "win32" else "uvloop",
        ws=UpgradeProtocol,
        ws_max_size=settings.max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=None,  # one timer for all connections instead of two for each: see websocket.hub.keepalive
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(0.2 * settings.shutdown_seconds)),
        proxy_headers=False,  # the application does it, under every server
        log_config=None,
        log_level=max(logging.WARNING, getattr(logging, settings.log_level.upper())),
        access_log=False,
        server_header=False,
    )
    trusted = settings.forwarded_allow_ips
    proxies = ProxyHeadersMiddleware(app, "*" if "*" in trusted else trusted).trusted_hosts
    limit = ConnectionLimit(
        settings.connections_per_address,
        descriptors,
        lambda address: is_loopback(address) or address in proxies,
    )
    protocol = partial(QueueingHttpProtocol, admission=admission, limit=limit)
    config.http = cast(type[asyncio.Protocol], protocol)
    return Server(config, after_start, before_stop, after_stop)


def listen(settings: Settings) -> socket.socket:
    """The listening socket; every connection it accepts inherits its options. Raises OSError."""
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
