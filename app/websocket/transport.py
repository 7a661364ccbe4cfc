"""The way out to one listener: straight into the transport, or through `websocket.send` where there is none."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

from starlette.websockets import WebSocket

from app.core.serving.frames import text_frame
from app.core.serving.raw_socket import CLOSE_TIMEOUT, HIGH_WATER
from app.core.serving.upgrade import EXTENSION, UpgradeProtocol

PORTION_BYTES = 65_536
"""How much of a catch-up is written at once, so that it never looks as if its reader fell behind."""


class Payload:
    """Encoded events that go to many listeners: made once, written as they are."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies

    @cached_property
    def frames(self) -> bytes:
        """All events as finished frames, in one piece."""
        return b"".join(map(text_frame, self.bodies))


def portions(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The events in their order, in lists that are as long as a portion may be, or hold one event."""
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
    """Writes never wait. Whoever falls too far behind is closed, not waited for. `core.rawsocket.RawSocket` is one."""

    @property
    def direct(self) -> Callable[[bytes], None] | None:
        """Takes finished frames without another thought; None if there is no such way."""
        ...

    def send(self, payload: Payload) -> None: ...
    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""
        ...

    async def drained(self) -> None:
        """Return when there is room for more, or nobody left to write to."""
        ...

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self, code: int, reason: str) -> None: ...
    def abort(self) -> None: ...
    def ping(self) -> bool:
        """Ask for a sign of life. False if the last ping got none."""
        ...


class AsgiTransport:
    """The same over any ASGI server: a queue, and a task that sends from it. The server does the pings."""

    direct = None

    def __init__(self, socket: WebSocket, on_full: Callable[[], None]) -> None:
        self._socket = socket
        self._on_full = on_full
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
            self._on_full()

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
        """Return when the next frame is wanted."""
        await self._may_read.wait()

    async def carry_out(self, reading: Coroutine[Any, Any, None]) -> None:
        """Read until that ends by itself, or is aborted."""
        self._reading = asyncio.create_task(reading)
        await asyncio.wait([self._reading])

    def close(self, code: int, reason: str) -> None:
        """Say why, after all that waits to be sent; whoever does not take it within ten seconds is cut off."""
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
            # The peer is gone. The reader hears of it too, and leaves the room.
            self._closing = True
        finally:
            self._sent.set()


def upgrade(socket: WebSocket) -> UpgradeProtocol | None:
    """What hands over the transport, if the server offers it."""
    extension: UpgradeProtocol | None = socket.scope.get("extensions", {}).get(EXTENSION)
    return extension
