"""The transport to one peer: directly into the socket, or through an ASGI server that does not offer that."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cached_property
from typing import Protocol

from starlette.websockets import WebSocket

from app.core.serving.frames import text_frame
from app.core.serving.raw_socket import CLOSE_TIMEOUT, HIGH_WATER
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol

PORTION_BYTES = 65_536
"""How much of a catch-up is written at once: so little that its reader never counts as slow."""


class Payload:
    """Encoded events for many listeners: encoded once, written unchanged."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies

    @cached_property
    def frames(self) -> bytes:
        """All events as encoded frames, in one piece."""
        return b"".join(map(text_frame, self.bodies))


def portions(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The events in their order, in lists of at most PORTION_BYTES, or of one longer event."""
    portion: list[bytes] = []
    size = 0
    for body in bodies:
        if portion and size + len(body) > PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(body)
        size += len(body)
    if portion:
        yield portion


class Transport(Protocol):
    """Writes never wait: a peer that falls too far behind is closed. `core.serving.raw_socket.RawSocket` is one."""

    @property
    def direct_write(self) -> Callable[[bytes], None] | None:
        """Writes encoded frames synchronously; None if the transport cannot."""
        ...

    def send(self, payload: Payload) -> None: ...
    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""
        ...

    async def drained(self) -> None:
        """Return when there is room for more, or the peer is gone."""
        ...

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self, code: int, reason: str) -> None: ...
    def abort(self) -> None: ...
    def ping(self) -> bool:
        """Ping the peer. False if it did not answer the last ping."""
        ...


class AsgiTransport:
    """A transport over any ASGI server: a queue, and a task that sends from it. The server does the pings."""

    direct_write = None

    def __init__(self, socket: WebSocket, on_high: Callable[[], None]) -> None:
        self._socket = socket
        self._on_high = on_high
        self._queue: asyncio.Queue[bytes | tuple[int, str]] = asyncio.Queue()
        self._buffered = 0
        self._closing = False
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._sent = asyncio.Event()
        self._task = asyncio.create_task(self._send_all())
        self._reading: asyncio.Task[None] | None = None

    def send(self, payload: Payload) -> None:
        if self._closing:
            return
        for body in payload.bodies:
            self._buffered += len(body)
            self._queue.put_nowait(body)
        if self._buffered > HIGH_WATER:
            self._on_high()

    def buffered(self) -> int:
        return self._buffered

    async def drained(self) -> None:
        while self._buffered > HIGH_WATER and not self._task.done():
            await self._sent.wait()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    async def may_read(self) -> None:
        """Return when the next frame may be read."""
        await self._may_read.wait()

    async def run(self, reading: Coroutine[object, None, None]) -> None:
        """Run `reading` until it ends or is aborted."""
        self._reading = asyncio.create_task(reading)
        await asyncio.wait([self._reading])

    def close(self, code: int, reason: str) -> None:
        """Close after everything in the queue is sent; a peer that takes longer than ten seconds is aborted."""
        if not self._closing:
            self._closing = True
            self._may_read.set()
            self._queue.put_nowait((code, reason))
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.abort)

    def abort(self) -> None:
        self._closing = True
        self._task.cancel()
        if self._reading is not None:
            self._reading.cancel()

    def ping(self) -> bool:
        return True

    async def _send_all(self) -> None:
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, tuple):
                    await self._socket.close(*item)
                    return
                await self._socket.send_text(item.decode())
                self._buffered -= len(item)
                self._sent.set()
                self._sent.clear()
        except Exception:  # noqa: BLE001 - servers differ in what they raise here
            # The peer is gone. The reader notices it too, and removes the connection.
            self._closing = True
        finally:
            self._sent.set()


def upgrade(socket: WebSocket) -> UpgradeProtocol | None:
    """The protocol that hands over the socket, if the server offers it."""
    extension: UpgradeProtocol | None = socket.scope.get("extensions", {}).get(EXTENSION)
    return extension
