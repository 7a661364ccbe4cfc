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

from app.core.serving.frame_encoding import (
    DATA,
    FIN_CONTINUATION,
    FIN_PING,
    FIN_PONG,
    FIN_TEXT,
    FRAGMENTS,
    MASKED,
    PING,
    SHORT,
    SHORTEST,
)
from app.core.serving.socket_owner import NO_OWNER, SocketOwner

HIGH_WATER = 65_536
"""Bytes buffered in user space above which the owner is notified that its peer falls behind."""
MAX_SKIP = 1 << 24
"""Bytes of an oversized frame that are read and dropped so that the connection can stay open; beyond, it is closed."""
CLOSE_TIMEOUT = 10.0
REASONS: dict[int, str] = {
    CloseCode.PROTOCOL_ERROR: "This is not a valid frame.",
    CloseCode.MESSAGE_TOO_BIG: "This frame is too large.",
}
"""What a close frame says that this module sends by itself."""


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
        "_max_size",
        "_message",
        "_owner",
        "_partial",
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
        self._message: bytearray | None = None
        """What has arrived of a message in fragments."""
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
        """Deliver the complete frames in `data`, and return where the rest begins. 43,000 pings fit into one read."""
        start, end, control_frames = 0, len(data), 0
        pongs = bytearray()
        while end - start >= SHORTEST:
            first, second = data[start], data[start + 1]
            length = second & 0x7F
            body = start + 2
            if length >= SHORT:
                body += 2 if length == SHORT else 8
                length = int.from_bytes(data[start + 2 : body], "big")
            stop = body + length + (4 if second & MASKED else 0)
            if body <= end and length > self._max_size:
                start = self._refuse(first, stop, end)
                continue
            if stop > end:
                break
            if self._closed:
                self._await_close(first)
            elif second & MASKED and first in DATA and self._message is None:
                if pongs:  # frames are answered in their order
                    self._answer(pongs)
                payload = apply_mask(data[body + 4 : stop], data[body : body + 4])
                self._owner.message_received(payload, first == FIN_TEXT)
            else:
                control_frames += 1
                if second & MASKED and first == FIN_PING and length < SHORT:
                    mask = data[body : body + 4]
                    pongs += bytes((FIN_PONG, length)) + apply_mask(data[body + 4 : stop], mask)
                else:
                    self._answer(pongs)
                    self._read_rare(first, data[start:stop], body - start)
            start = stop
        if control_frames:
            self._answer(pongs)
            self._owner.control_frames_received(control_frames)
        return start

    def _answer(self, pongs: bytearray) -> None:
        if pongs:
            self.write(bytes(pongs))
            pongs.clear()

    def _refuse(self, first: int, stop: int, end: int) -> int:
        """Skip a frame that is too large. Close if it is longer still, or a part of a message, which would lack it."""
        if stop - end > MAX_SKIP or first not in DATA or self._message is not None:
            self.close(CloseCode.MESSAGE_TOO_BIG, REASONS[CloseCode.MESSAGE_TOO_BIG])
        else:
            self._owner.frame_too_large()
        self._skip = max(0, stop - end)
        return min(stop, end)

    def _read_rare(self, first: int, frame: bytes, body: int) -> None:
        """Read a fragment, a control frame, or a protocol error. The mask begins at `body`."""
        if frame[1] & MASKED:
            if first in FRAGMENTS or first in DATA:
                self._read_fragment(first, apply_mask(frame[body + 4 :], frame[body : body + 4]))
                return
            if first == FIN_PONG and frame[1] & 0x7F < SHORT:
                return
        library = Library(Side.SERVER, max_size=self._max_size)
        library.receive_data(frame)
        library.events_received()
        if answer := b"".join(library.data_to_send()):
            self._transport.write(answer)
        # After a close frame nothing counts (RFC 6455 section 5.5.1), even if it arrived in the same read.
        if library.state is not State.OPEN:
            self._transport.close()
            self._end()

    def _read_fragment(self, first: int, part: bytes) -> None:
        """Put a message together. Its bytes are bounded, and fragments without any take no memory."""
        if (first & 0x0F == Opcode.CONT) is (self._message is None):
            self._fail(CloseCode.PROTOCOL_ERROR)  # nothing to continue, or something that is not finished
            return
        if self._message is None:
            self._message = bytearray()
            self._is_text = first == Opcode.TEXT
        self._message += part
        if len(self._message) > self._max_size:
            self._fail(CloseCode.MESSAGE_TOO_BIG)
        elif first == FIN_CONTINUATION:
            payload, self._message = bytes(self._message), None
            self._owner.message_received(payload, self._is_text)

    def _fail(self, code: CloseCode) -> None:
        """Close without waiting for the peer, which breaks the protocol (RFC 6455 section 7.1.7)."""
        self._message = None
        self.close(code, REASONS[code])
        self._transport.close()

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
        owner, self._owner = self._owner, NO_OWNER
        owner.connection_lost()
        if exc is None:
            self._transport.close()
