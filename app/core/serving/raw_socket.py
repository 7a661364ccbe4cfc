"""An open WebSocket that the application reads and writes itself (RFC 6455), without a task or a queue of its own.

A server's own way costs a coroutine, an encoder and a write for every message and listener. An application that has the
same bytes for a thousand listeners needs none of that: it writes finished frames. Reading is direct too: a complete,
masked, unfragmented data frame goes straight to the owner. Everything rarer takes the way through the websockets
library, and so keeps its checks. What is idle is small: this object and its transport are all there is.
"""

import asyncio
from typing import Any, Protocol

from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import Protocol as Library
from websockets.protocol import Side, State
from websockets.speedups import apply_mask

from app.core.serving.frames import DATA, FIN_PING, FIN_PONG, FIN_TEXT, MASKED, PING, SHORT, SHORTEST

HIGH_WATER = 65_536
"""Bytes waiting in user space from which the owner is told that its peer falls behind."""
MAX_FRAGMENTS = 1000
MAX_SKIP = 1 << 24
"""How much of an oversized frame is read and dropped so that the connection can stay open; beyond, it is closed."""
CLOSE_TIMEOUT = 10.0


class Owner(Protocol):
    """Whoever a socket belongs to. Called in the event loop; must not raise."""

    def feed(self, payload: bytes, is_text: bool) -> None:
        """A data frame came, whole."""

    def disturbed(self, count: int) -> None:
        """So many frames came that say nothing to the owner: pings, pongs, parts of a message. They cost time too."""

    def fell_behind(self) -> None:
        """More than HIGH_WATER bytes wait for the peer."""

    def oversize(self) -> None:
        """A frame came that is too large, and is dropped."""

    def leave(self) -> None:
        """The closing handshake has begun: nothing may be written directly any more."""

    def lost(self) -> None:
        """The connection is gone, and with it the use of `direct`: uvloop raises from this moment on."""


class _Nobody:
    """Owns what is lost."""

    def feed(self, payload: bytes, is_text: bool) -> None: ...
    def disturbed(self, count: int) -> None: ...
    def fell_behind(self) -> None: ...
    def oversize(self) -> None: ...
    def leave(self) -> None: ...
    def lost(self) -> None: ...


_NOBODY = _Nobody()


class Framed(Protocol):
    @property
    def frames(self) -> bytes:
        """Finished frames, in one piece."""


class RawSocket(asyncio.Protocol):
    """The server's end of a connection after its handshake."""

    __slots__ = (
        "_close_timer",
        "_closed",
        "_heard",
        "_is_deaf",
        "_is_lost",
        "_is_text",
        "_library",
        "_max_size",
        "_owner",
        "_partial",
        "_parts",
        "_room",
        "_siblings",
        "_skip",
        "_transport",
    )

    def __init__(self, transport: asyncio.Transport, owner: Owner, max_size: int, siblings: set[Any]) -> None:
        self._transport = transport
        self._owner = owner
        self._max_size = max_size
        self._siblings = siblings
        """All connections of the server, which shuts down those that are left."""
        self._closed = False
        """Whether a close frame was sent: nothing that comes counts any more, and nothing may follow it."""
        self._is_lost = False
        self._close_timer: asyncio.TimerHandle | None = None
        self._heard = True
        """Whether anything came in since the last ping."""
        self._is_deaf = False
        """Whether reading is paused, so that no sign of life can be seen."""
        self._room: asyncio.Event | None = None
        """While the transport has asked to stop writing for now: set when that is over."""
        self._partial = b""
        self._skip = 0
        self._library: Library | None = None
        """While a message comes in parts."""
        self._parts: list[bytes] = []
        self._is_text = False
        siblings.add(self)
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=HIGH_WATER)

    # Writing

    def send(self, payload: Framed) -> None:
        self.write(payload.frames)

    def write(self, frames: bytes) -> None:
        """Queue finished frames. After `close` or a lost connection they are dropped without a word."""
        if not (self._closed or self._is_lost):  # uvloop raises once the connection is lost
            self._transport.write(frames)

    @property
    def direct(self) -> Any:
        """The transport's own `write`, to be used only until `close` or `Owner.lost`."""
        return self._transport.write

    def buffered(self) -> int:
        """Bytes that the peer has not taken yet, outside of the kernel."""
        return self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Return when the transport takes more, or is gone."""
        if self._room is not None:
            await self._room.wait()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; whoever does not answer within ten seconds is cut off."""
        if self._closed or self._is_lost:
            return
        if not self._transport.is_closing():
            self._transport.write(Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False))
            self._transport.resume_reading()  # to see the answer
        self._end()

    def _end(self) -> None:
        """Nothing may follow a close frame (RFC 6455 section 5.5.1), and nobody is waited for for ever."""
        self._closed = True
        self._close_timer = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.abort)
        self._owner.leave()

    def shutdown(self) -> None:
        """The server is about to end: nobody who is leaving anyway is waited for any more."""
        if self._closed or self._transport.is_closing():
            self.abort()
        else:
            self.close(CloseCode.SERVICE_RESTART)
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection without waiting for the peer to read: closing it would wait for ever."""
        self._transport.abort()

    def ping(self) -> bool:
        """Ask for a sign of life. False if the last ping got none, though we would have seen it."""
        if not self._heard and not self._is_deaf:
            return False
        self._heard = False
        self.write(PING)
        return True

    def pause_writing(self) -> None:
        self._room = asyncio.Event()
        self._owner.fell_behind()

    def resume_writing(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None

    # Reading

    def pause_reading(self) -> None:
        """Take nothing more from the peer for now."""
        self._is_deaf = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """What was silent while it was not read has not shown that it is dead."""
        self._is_deaf = False
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
        """Hand on the complete frames in `data` and return where the rest begins."""
        start, end, disturbances = 0, len(data), 0
        ping: bytes | None = None
        while end - start >= SHORTEST:
            first, second = data[start], data[start + 1]
            length = second & 0x7F
            body = start + 2
            if length >= SHORT:
                body += 2 if length == SHORT else 8
                length = int.from_bytes(data[start + 2 : body], "big")
            stop = body + length + (4 if second & MASKED else 0)
            if body <= end and length > self._max_size:
                start = self._refuse(stop, end)
                continue
            if stop > end:
                break
            if self._closed:
                self._await_close(first)
            elif second & MASKED and first in DATA and self._library is None:
                payload = apply_mask(data[body + 4 : stop], data[body : body + 4])
                self._owner.feed(payload, first == FIN_TEXT)
            else:
                disturbances += 1
                if second & MASKED and first == FIN_PING and length < SHORT:
                    # Without the library: 43,000 of them fit into one read, and each would cost a parser.
                    ping = apply_mask(data[body + 4 : stop], data[body : body + 4])
                elif first != FIN_PONG or length >= SHORT or not second & MASKED:
                    self._read_rare(data[start:stop])
            start = stop
        if ping is not None:  # only the last is answered (RFC 6455 section 5.5.3)
            self.write(bytes((FIN_PONG, len(ping))) + ping)
        if disturbances:
            self._owner.disturbed(disturbances)
        return start

    def _refuse(self, stop: int, end: int) -> int:
        """Pass over a frame that is too large, if there is an end to it in sight."""
        if stop - end > MAX_SKIP:
            self.close(CloseCode.MESSAGE_TOO_BIG, "frame too large")
        else:
            self._owner.oversize()
        self._skip = max(0, stop - end)
        return min(stop, end)

    def _read_rare(self, frame: bytes) -> None:
        """A control frame, a part of a message, or nonsense."""
        library = self._library or Library(Side.SERVER, max_size=self._max_size)
        library.receive_data(frame)
        for event in library.events_received():
            self._read_part(event)
        if (answer := b"".join(library.data_to_send())) and not self._closed:
            self._transport.write(answer)
        # After a close nothing counts (RFC 6455 section 5.5.1), however much of it came in the same piece.
        if library.state is not State.OPEN and not self._closed:
            self._transport.close()
            self._end()
        self._library = library if library.current_size is not None else None

    def _read_part(self, part: Any) -> None:
        """`max_size` counts the bytes of a message, and an empty fragment has none."""
        if part.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if part.opcode is not Opcode.CONT:
            self._is_text = part.opcode is Opcode.TEXT
        self._parts.append(part.data)
        if len(self._parts) > MAX_FRAGMENTS:
            self.close(CloseCode.POLICY_VIOLATION, "too many fragments")
        elif part.fin:
            payload, self._parts = b"".join(self._parts), []
            self._owner.feed(payload, self._is_text)

    def _await_close(self, first: int) -> None:
        """After our close frame only theirs is waited for."""
        if first & 0x0F == Opcode.CLOSE:
            self._transport.close()

    # The end

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._siblings.discard(self)
        if self._close_timer is not None:
            self._close_timer.cancel()
        self.resume_writing()
        owner, self._owner = self._owner, _NOBODY
        owner.lost()
        if exc is None:
            self._transport.close()
