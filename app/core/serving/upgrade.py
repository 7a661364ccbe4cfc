"""The handshake of a WebSocket: uvicorn's, up to the moment when the application takes the connection over.

An application that finds this protocol in the scope extension "raw_socket" accepts, calls `hand_over`, and returns. So
an open connection keeps neither the coroutine that accepted it nor its request in memory.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.core.serving.raw_socket import RawSocket
from app.core.serving.socket_owner import SocketOwner

EXTENSION = "raw_socket"


def _nothing() -> None: ...


class _HandedOver(asyncio.Transport):
    """A stand-in for the transport that uvicorn has handed over."""

    def close(self) -> None:
        """Do nothing: the transport no longer belongs to uvicorn."""

    def is_closing(self) -> bool:
        return True


class UpgradeProtocol(WebSocketsSansIOProtocol):
    """The connection until it is handed over. An application that does not take it over can only refuse it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._early = b""
        self.on_known: Callable[[], None] = _nothing
        """Called when the connection is handed over or lost: it is no longer one without a login."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.on_known()
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions = cast(dict[str, object], self.scope["extensions"])
            extensions[EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """Keep what a client sends before its handshake is answered."""
        if self.handshake_initiated and not self.close_sent:
            self._early += data
            self.read_paused = True
            self.transport.pause_reading()
        else:
            super().data_received(data)

    def hand_over(self, owner: SocketOwner) -> RawSocket | None:
        """Return the accepted connection and start to read it; `deliver_early_data` is next. None if it is lost."""
        if self.disconnected or self.transport.is_closing():
            self.handshake_complete = True  # otherwise uvicorn would log an application error
            return None
        transport, self.transport = self.transport, _HandedOver()
        self.disconnected = True
        self.connections.discard(self)
        self.on_known()
        self.on_known = _nothing
        del self.scope["extensions"][EXTENSION]  # a cycle that would keep the whole request
        if self.read_paused:
            transport.resume_reading()  # data is delivered after the application has returned
        return RawSocket(transport, owner, self.config.ws_max_size, self.connections)

    def deliver_early_data(self, socket: RawSocket) -> None:
        """Pass on what the client sent before its handshake was answered."""
        early, self._early = self._early, b""
        if early:
            socket.data_received(early)
