"""A WebSocket protocol for uvicorn that lets the application write finished frames into the transport.

uvicorn's own way costs a coroutine, an encoder and a write for every message and listener. An application that has
the same bytes for a thousand listeners needs none of that: it takes the `RawSocket` out of the scope extension
"raw_socket" and writes. Reading is direct too: a complete, masked, unfragmented data frame goes to the sink without
passing a queue; every other frame takes uvicorn's way, and so keeps its checks.
"""

from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.speedups import apply_mask

EXTENSION = "raw_socket"
HIGH_WATER = 65_536
"""Bytes waiting in user space from which `on_full` is called."""
PING = b"\x89\x00"
FIN_TEXT = 0x81
FIN_BINARY = 0x82
MASKED = 0x80
DATA = (FIN_TEXT, FIN_BINARY)
SHORTEST = 2
SHORT = 126
MAX_FRAGMENTS = 1000
MAX_SKIP = 1 << 24
"""How much of an oversized frame is read and dropped so that the connection can stay open; beyond, it is closed."""
CLOSE_TIMEOUT = 10.0

Sink = Callable[[bytes, bool], None]
"""Takes the payload of a data frame and whether it came as text."""


def text_frame(payload: bytes) -> bytes:
    """A complete, unmasked text frame (RFC 6455 section 5.2)."""
    length = len(payload)
    if length < SHORT:
        return bytes((FIN_TEXT, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


class RawSocketProtocol(WebSocketsSansIOProtocol):
    """The connection itself, offered to the application once the handshake has begun."""

    sink: Sink | None = None
    on_full: Callable[[], None] | None = None
    on_oversize: Callable[[], None] | None = None
    on_lost: Callable[[], None] | None = None
    is_full = False
    """Whether the transport has asked to stop writing for now."""
    heard = True
    """Whether anything came in since the last ping."""
    is_deaf = False
    """Whether reading is paused, so that no sign of life can be seen."""
    _partial = b""
    _skip = 0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = cast(dict[str, Any], self.scope["extensions"])
            extensions[EXTENSION] = self

    def attach(
        self,
        sink: Sink,
        on_full: Callable[[], None],
        on_oversize: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        """From now on frames go to the sink, those first that came during the handshake.

        `on_lost` is called in the moment from which uvloop raises on a write: the next one may come before any task.
        """
        if self.disconnected:
            return
        self.sink, self.on_full, self.on_oversize, self.on_lost = sink, on_full, on_oversize, on_lost
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        waiting: list[Any] = []
        while not self.queue.empty():
            waiting.append(self.queue.get_nowait())
        for message in waiting:
            if message["type"] == "websocket.receive":
                text = message.get("text")
                sink(message["bytes"] if text is None else text.encode(), text is not None)
            else:
                self.queue.put_nowait(message)
        self.read_paused = False
        self.transport.resume_reading()

    # Writing

    def write(self, frames: bytes) -> None:
        """Queue finished frames. After `close` or a lost connection they are dropped without a word."""
        if not (self.close_sent or self.disconnected):  # uvloop raises once the connection is lost
            self.transport.write(frames)

    def buffered(self) -> int:
        """Bytes that the peer has not taken yet, outside of the kernel."""
        size: int = self.transport.get_write_buffer_size()
        return size

    async def drained(self) -> None:
        """Return when the transport takes more, or is gone."""
        await self.writable.wait()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; whoever does not answer within ten seconds is cut off."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        if not self.handshake_complete:
            self.transport.abort()  # there is no WebSocket yet that could be closed
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.sink = None
        self.transport.resume_reading()  # to see the answer
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self.abort)

    def shutdown(self) -> None:
        """The server is about to end: nobody who is leaving anyway is waited for any more."""
        if self.transport.is_closing():
            self.abort()
        else:
            super().shutdown()

    def abort(self) -> None:
        """Cut the connection without waiting for the peer to read: `close` would wait for ever."""
        self.transport.abort()

    def ping(self) -> bool:
        """Ask for a sign of life. False if the last ping got none, though we would have seen it."""
        if not self.heard and not self.is_deaf:
            return False
        self.heard = False
        self.write(PING)
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_full = True
        if self.on_full is not None:
            self.on_full()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_full = False

    # Reading

    def pause_reading(self) -> None:
        """Take nothing more from the peer for now."""
        self.is_deaf = True
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """What was silent while it was not read has not shown that it is dead."""
        self.is_deaf = False
        self.heard = True
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        if not self.handshake_initiated:
            super().data_received(data)
            return
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._partial:
            data = self._partial + data
        self._partial = data[self._read_frames(data) :]

    def _read_frames(self, data: bytes) -> int:
        """Hand on the complete frames in `data` and return where the rest begins."""
        start, end = 0, len(data)
        while end - start >= SHORTEST:
            first, second = data[start], data[start + 1]
            length = second & 0x7F
            body = start + 2
            if length >= SHORT:
                body += 2 if length == SHORT else 8
                length = int.from_bytes(data[start + 2 : body], "big")
            stop = body + length + (4 if second & MASKED else 0)
            if body <= end and length > self.config.ws_max_size:
                start = self._refuse(stop, end)
                continue
            if stop > end:
                break
            sink = self.sink
            if sink and second & MASKED and first in DATA and self.conn.current_size is None:
                sink(apply_mask(data[body + 4 : stop], data[body : body + 4]), first == FIN_TEXT)
            else:
                super().data_received(data[start:stop])
            start = stop
        return start

    def _refuse(self, stop: int, end: int) -> int:
        """Pass over a frame that is too large, if there is an end to it in sight."""
        if self.on_oversize is None or stop - end > MAX_SKIP:
            self.close(CloseCode.MESSAGE_TOO_BIG, "frame too large")
        else:
            self.on_oversize()
        self._skip = max(0, stop - end)
        return min(stop, end)

    def handle_close(self, event: Frame) -> None:
        """After a close nothing counts (RFC 6455 section 5.5.1), however much of it came in the same piece."""
        super().handle_close(event)
        self.sink = None

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self.sink = None

    def handle_cont(self, event: Frame) -> None:
        """`max_size` counts bytes, and an empty fragment has none."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self.close(CloseCode.POLICY_VIOLATION, "too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.sink is None:
            super().send_receive_event_to_app()
            return
        payload, self.frames = b"".join(self.frames), []
        self.sink(payload, self.curr_msg_data_type == "text")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()
        self.sink = self.on_full = self.on_oversize = self.on_lost = None
