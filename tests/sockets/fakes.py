"""The server's side of a connection without a network: tests feed bytes by hand, and every result is recorded."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.core.serving.frame_encoding import text_frame
from app.core.serving.raw_socket import RawSocket
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol
from tests.support.rawclient import HANDSHAKE

LIMIT = 300
"""Bytes of a frame at most, and of a fragmented message."""


class RecordingTransport(asyncio.Transport):
    """Keeps the bytes that the protocol writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_closed = False
        self.is_paused = False
        self.has_ended = False
        self.extra: dict[str, Any] = {}

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def write_eof(self) -> None:
        self.has_ended = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.extra.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class RecordingConnection:
    """An upgraded connection and the owner of its socket, which records every callback.

    `early` bytes arrive together with the handshake. With `pauses`, the owner stops reading once it has the socket.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, early: bytes = b"", *, pauses: bool = False) -> None:
        self._pauses = pauses
        self.has_closed = self.echoes = False
        self._loop = loop
        self.messages: list[tuple[bytes, bool]] = []
        self.oversized = self.control_frames = 0
        self.transport = RecordingTransport()
        config = uvicorn.Config(
            self._accept, interface="asgi3", log_config=None, ws_max_size=LIMIT, ws_per_message_deflate=False
        )
        server = UpgradeProtocol(config, ServerState(), {}, loop)
        server.connection_made(self.transport)
        server.data_received(HANDSHAKE.format(path="/", port=1, headers="").encode())
        if early:
            server.data_received(early)
        loop.run_until_complete(asyncio.sleep(0))
        self.handshake, _, rest = bytes(self.transport.written).partition(b"\r\n\r\n")
        assert self.handshake.startswith(b"HTTP/1.1 101 ")
        self.transport.written[:] = rest

    async def _accept(self, scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        server = scope["extensions"][EXTENSION]
        self.socket: RawSocket = server.hand_over(self)
        if self._pauses:
            self.socket.pause_reading()
        server.deliver_early_data(self.socket)

    def message_received(self, payload: bytes, is_text: bool) -> None:
        self.messages.append((bytes(payload), is_text))
        if self.echoes:
            self.socket.write(text_frame(payload))

    def frame_too_large(self) -> None:
        self.oversized += 1

    def control_frames_received(self, count: int) -> None:
        self.control_frames += count

    def write_buffer_high(self) -> None: ...
    def closing(self) -> None:
        self.has_closed = True

    def connection_lost(self) -> None: ...

    def receives(self, data: bytes, cuts: list[int]) -> None:
        """Feed bytes, split at these offsets (modulo the length)."""
        self.run(self._receive(data, cuts))

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop.run_until_complete(work)

    async def _receive(self, data: bytes, cuts: list[int]) -> None:
        offsets = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, stop in itertools.pairwise(offsets):
            if start < stop:
                self.socket.data_received(data[start:stop])
