"""The handshake of a WebSocket: uvicorn's, up to the moment when the application takes the connection over.

An application that finds this protocol in the scope extension "raw_socket" accepts, calls `hand_over`, and returns:
what an open connection needs in memory does not include the coroutine that let it in, nor the request that asked.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.core.serving.raw_socket import Owner, RawSocket

EXTENSION = "raw_socket"


class _Nothing(asyncio.Transport):
    """What uvicorn has left once the connection belongs to somebody else."""

    def close(self) -> None:
        """It is not uvicorn's to close."""

    def is_closing(self) -> bool:
        return True


class UpgradeProtocol(WebSocketsSansIOProtocol):
    """The connection until it is handed over. An application that never asks for it can refuse, but hears nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._early = b""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = cast(dict[str, Any], self.scope["extensions"])
            extensions[EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """A client that talks before it has its answer has to wait."""
        if self.handshake_initiated and not self.close_sent:
            self._early += data
            self.read_paused = True
            self.transport.pause_reading()
        else:
            super().data_received(data)

    def hand_over(self, owner: Owner) -> RawSocket | None:
        """The accepted connection, for good, and read from now on; `begin` comes next. None if it is lost already."""
        if self.disconnected or self.transport.is_closing():
            self.handshake_complete = True  # with nobody: uvicorn would call it a fault of the application
            return None
        transport, self.transport = self.transport, _Nothing()
        self.disconnected = True
        self.connections.discard(self)
        del self.scope["extensions"][EXTENSION]  # a cycle, and with it all of the request
        if self.read_paused:
            transport.resume_reading()  # what comes is delivered when the application has returned
        return RawSocket(transport, owner, self.config.ws_max_size, self.connections)

    def begin(self, socket: RawSocket) -> None:
        """Let the owner hear what has come meanwhile. Whether it wants more is for the owner to say."""
        early, self._early = self._early, b""
        if early:
            socket.data_received(early)
