"""The server's end of a connection without a network: bytes go in by hand, and what comes out is kept."""

import asyncio
import itertools
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.core.rawsocket import RawSocketProtocol
from tests.support.rawclient import HANDSHAKE

LIMIT = 300
"""Bytes of a frame; also of a message in parts."""


class Pipe(asyncio.Transport):
    """What the protocol writes, kept."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class End:
    """The server's end of an open connection: what came out of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.oversized = 0
        self.pipe = Pipe()
        config = uvicorn.Config(
            self._accept, interface="asgi3", log_config=None, ws_max_size=LIMIT, ws_per_message_deflate=False
        )
        self.protocol = RawSocketProtocol(config, ServerState(), {}, loop)
        self.protocol.connection_made(self.pipe)
        self.protocol.data_received(HANDSHAKE.format(path="/", port=1, headers="").encode())
        loop.run_until_complete(asyncio.sleep(0))
        assert self.pipe.written.startswith(b"HTTP/1.1 101 ")
        self.pipe.written.clear()
        self.protocol.attach(self._sink, lambda: None, self._oversize, lambda: None)

    async def _accept(self, _scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def _sink(self, payload: bytes, is_text: bool) -> None:
        self.messages.append((bytes(payload), is_text))

    def _oversize(self) -> None:
        self.oversized += 1

    def takes(self, data: bytes, cuts: list[int]) -> None:
        places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        for start, stop in itertools.pairwise(places):
            if start < stop:
                self.protocol.data_received(data[start:stop])
