"""An open WebSocket that the application reads and writes itself (RFC 6455), without a task or a queue of its own.

An ASGI server spends a coroutine, an encoder and a write on every message for every listener. An application that has
the same bytes for a thousand listeners avoids that: it writes encoded frames. Reading is direct too: a complete,
masked, unfragmented data frame goes directly to the owner. Everything rarer goes through the websockets library, and so
keeps its checks. An idle connection is this object and its transport.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import Protocol as Library
from websockets.protocol import Side, State
from websockets.speedups import apply_mask

from app.core.serving.frames import DATA, FIN_PING, FIN_PONG, FIN_TEXT, PING, SHORT, SHORTEST, parse_header

HIGH_WATER = 65_536
"""Bytes buffered in user space above which the owner is notified that its peer falls behind."""
MAX_FRAGMENTS = 1000
MAX_SKIP = 1 << 24
"""Bytes of an oversized frame that are read and dropped so that the connection can stay open; beyond, it is closed."""
CLOSE_TIMEOUT = 10.0
REASONS: dict[int, str] = {
    CloseCode.POLICY_VIOLATION: "This message has too many fragments.",
    CloseCode.MESSAGE_TOO_BIG: "This frame is too large.",
}
"""What a close frame says that this module sends by itself."""


class SocketOwner(Protocol):
    """The callbacks of a socket. They run in the event loop and must not raise."""

    def message_received(self, payload: bytes, is_text: bool) -> None:
        """A complete message has arrived."""

    def control_frames_received(self, count: int) -> None:
        """Pings, pongs and fragments have arrived: no message, but they take time and count toward the rate limit."""

    def write_buffer_high(self) -> None:
        """More than HIGH_WATER bytes are buffered for the peer."""

    def frame_too_large(self) -> None:
        """A frame exceeds the limit and is dropped."""

    def closing(self) -> None:
        """The closing handshake has begun: `direct_write` must not be used any more."""

    def connection_lost(self) -> None:
        """The connection is gone: from now on `direct_write` of uvloop raises."""


class _NoOwner:
    """The owner of lost connections."""

    def message_received(self, payload: bytes, is_text: bool) -> None: ...
    def control_frames_received(self, count: int) -> None: ...
    def write_buffer_high(self) -> None: ...
    def frame_too_large(self) -> None: ...
    def closing(self) -> None: ...
    def connection_lost(self) -> None: ...


_NO_OWNER = _NoOwner()


class Framed(Protocol):
    @property
    def frames(self) -> bytes:
        """Encoded frames, in one piece."""


class RawSocket(asyncio.Protocol):
    """The server's end of a connection after its handshake."""

    __slots__ = (
        "_close_timer",
        "_closed",
        "_heard",
        "_is_reading_paused",
        "_is_lost",
        "_is_text",
        "_library",
        "_max_size",
        "_owner",
        "_partial",
        "_parts",
        "_siblings",
        "_skip",
        "_transport",
        "_writable",
    )

    def __init__(
        self, transport: asyncio.Transport, owner: SocketOwner, max_size: int, siblings: set[Any]
    ) -> None:
        self._transport = transport
        self._owner = owner
        self._max_size = max_size
        self._siblings = siblings
        """All connections of the server, which shuts down those that remain when it stops."""
        self._closed = False
        """Whether a close frame was sent: received frames no longer count, and no more may be sent."""
        self._is_lost = False
        self._close_timer: asyncio.TimerHandle | None = None
        self._heard = True
        """Whether anything was received since the last ping."""
        self._is_reading_paused = False
        """While true, a pong cannot be seen."""
        self._writable: asyncio.Event | None = None
        """Exists while the transport asks to pause writing; set when that is over."""
        self._partial = b""
        self._skip = 0
        self._library: Library | None = None
        """While a message arrives in fragments."""
        self._parts: list[bytes] = []
        self._is_text = False
        siblings.add(self)
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=HIGH_WATER)

    # Writing

    def send(self, payload: Framed) -> None:
        self.write(payload.frames)

    def write(self, frames: bytes) -> None:
        """Write encoded frames. After `close` or a lost connection they are dropped."""
        if not (self._closed or self._is_lost):  # uvloop raises once the connection is lost
            self._transport.write(frames)

    @property
    def direct_write(self) -> Callable[[bytes], None]:
        """The transport's own `write`, to be used only until `closing` or `connection_lost` of the owner."""
        return self._transport.write

    def buffered(self) -> int:
        """Bytes that are buffered for the peer outside the kernel."""
        return self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Return when the transport accepts more, or is lost."""
        if self._writable is not None:
            await self._writable.wait()

    def close(self, code: int, reason: str = "") -> None:
        """Start the closing handshake; a peer that does not answer it within ten seconds is aborted."""
        if self._closed or self._is_lost:
            return
        if not self._transport.is_closing():
            self._transport.write(Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False))
            self._transport.resume_reading()  # to see the answer
        self._end()

    def _end(self) -> None:
        """Send nothing after a close frame (RFC 6455 section 5.5.1), and bound the wait for the peer's."""
        self._closed = True
        self._close_timer = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.abort)
        self._owner.closing()

    def shutdown(self) -> None:
        """The server is about to exit: do not wait for peers that are closing already."""
        if self._closed or self._transport.is_closing():
            self.abort()
        else:
            self.close(CloseCode.SERVICE_RESTART)
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection without waiting for the peer to read, as closing it would."""
        self._transport.abort()

    def ping(self) -> bool:
        """Ping the peer. False if it did not answer the last ping, although that would have been seen."""
        if not self._heard and not self._is_reading_paused:
            return False
        self._heard = False
        self.write(PING)
        return True

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()
        self._owner.write_buffer_high()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # Reading

    def pause_reading(self) -> None:
        """Receive nothing more for now."""
        self._is_reading_paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again. Silence while reading was paused does not count as an unanswered ping."""
        self._is_reading_paused = False
        self._heard = True
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._partial:
            data = self._partial + data
        self._partial = data[self._read_frames(data) :]

    def _read_frames(self, data: bytes) -> int:
        """Deliver the complete frames in `data` and return where the rest begins."""
        start, end, control_frames = 0, len(data), 0
        ping: bytes | None = None
        while end - start >= SHORTEST:
            first, is_masked, body, length = parse_header(data, start)
            stop = body + length + (4 if is_masked else 0)
            if body <= end and length > self._max_size:
                start = self._refuse(stop, end)
                continue
            if stop > end:
                break
            if self._closed:
                self._await_close(first)
            elif is_masked and first in DATA and self._library is None:
                payload = apply_mask(data[body + 4 : stop], data[body : body + 4])
                self._owner.message_received(payload, first == FIN_TEXT)
            else:
                control_frames += 1
                if is_masked and first == FIN_PING and length < SHORT:
                    # Without the library: 43,000 pings fit into one read, and each would cost a parser.
                    ping = apply_mask(data[body + 4 : stop], data[body : body + 4])
                elif first != FIN_PONG or length >= SHORT or not is_masked:
                    self._read_rare(data[start:stop])
            start = stop
        if ping is not None:  # only the last is answered (RFC 6455 section 5.5.3)
            self.write(bytes((FIN_PONG, len(ping))) + ping)
        if control_frames:
            self._owner.control_frames_received(control_frames)
        return start

    def _refuse(self, stop: int, end: int) -> int:
        """Skip a frame that is too large, unless it is so long that the connection has to be closed."""
        if stop - end > MAX_SKIP:
            self.close(CloseCode.MESSAGE_TOO_BIG, REASONS[CloseCode.MESSAGE_TOO_BIG])
        else:
            self._owner.frame_too_large()
        self._skip = max(0, stop - end)
        return min(stop, end)

    def _read_rare(self, frame: bytes) -> None:
        """Read a control frame, a fragment, or a protocol error."""
        library = self._library or Library(Side.SERVER, max_size=self._max_size)
        library.receive_data(frame)
        for event in library.events_received():
            self._read_fragment(event)
        if (answer := b"".join(library.data_to_send())) and not self._closed:
            self._transport.write(answer)
        # After a close frame nothing counts (RFC 6455 section 5.5.1), even if it arrived in the same read.
        if library.state is not State.OPEN and not self._closed:
            self._transport.close()
            self._end()
        self._library = library if library.current_size is not None else None

    def _read_fragment(self, part: Any) -> None:
        """Collect a fragment. MAX_FRAGMENTS bounds empty ones, which `max_size` does not count."""
        if part.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if part.opcode is not Opcode.CONT:
            self._is_text = part.opcode is Opcode.TEXT
        self._parts.append(part.data)
        if len(self._parts) > MAX_FRAGMENTS:
            self.close(CloseCode.POLICY_VIOLATION, REASONS[CloseCode.POLICY_VIOLATION])
        elif part.fin:
            payload, self._parts = b"".join(self._parts), []
            self._owner.message_received(payload, self._is_text)

    def _await_close(self, first: int) -> None:
        """Ignore every frame after our close frame, except the peer's."""
        if first & 0x0F == Opcode.CLOSE:
            self._transport.close()

    # The end

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._siblings.discard(self)
        if self._close_timer is not None:
            self._close_timer.cancel()
        self.resume_writing()
        owner, self._owner = self._owner, _NO_OWNER
        owner.connection_lost()
        if exc is None:
            self._transport.close()
