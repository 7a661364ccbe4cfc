"""The sockets of the load: one that joins a room, one that only counts, one that sends and reads every frame."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from benchmarks.load.dialects import MARK, Dialect, Seat
from benchmarks.load.wire import CLOSE, PING, PONG, Frames, ProtocolError, client_frame, handshake, next_frame

ENGINE_PING = b"\x81\x012"
ENGINE_PONG = client_frame(b"3")


class Tally:
    """The totals of all sockets of a run, and their failures."""

    __slots__ = ("failed", "lost", "last_activity", "total")

    def __init__(self) -> None:
        self.total = 0
        self.last_activity = 0.0
        self.lost = 0
        self.failed = ""


class Listener(asyncio.Protocol):
    """Counts messages by their mark and answers pings. `arrivals`, if set, records the time of every chunk."""

    __slots__ = ("tally", "seen", "transport", "arrivals")

    def __init__(self, tally: Tally, seat: Seat) -> None:
        self.tally = tally
        self.seen = 0
        self.arrivals: list[tuple[int, float]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        if data[0] & 15 != PING:
            self.tally.last_activity = now
        found = data.count(MARK)
        if found:
            self.seen += found
            self.tally.total += found
            if self.arrivals is not None:
                self.arrivals.append((self.seen, now))
        self._answer(data)

    def _answer(self, data: bytes) -> None:
        """Answer pings. Messages are ASCII: 0x89 begins a ping or is the size of a message (text is above 0x20)."""
        at = data.find(b"\x89")
        while 0 <= at < len(data) - 1:
            size = data[at + 1]
            if size < 0x20:
                self.transport.write(client_frame(data[at + 2 : at + 2 + size], PONG))
            at = data.find(b"\x89", at + 1)
        if data.endswith(ENGINE_PING):
            self.transport.write(ENGINE_PONG)

    def connection_lost(self, exc: Exception | None) -> None:
        self.tally.lost += 1


class Sender(asyncio.Protocol):
    """Sends messages and reads every frame, so that it recognises its own messages. Calls `on_own(count)` for those."""

    __slots__ = ("_frames", "ends", "mark", "on_own", "own", "seat", "seen", "tally", "transport")

    def __init__(self, tally: Tally, seat: Seat) -> None:
        self.tally = tally
        self.seat = seat
        self.seen = 0
        self.own = 0
        self.ends: list[int] = []
        """The offset at which each message ended, in bytes of messages alone."""
        self.mark = MARK + b"a"
        self.on_own: Callable[[int], None] = lambda n: None
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        own = seen = 0
        for opcode, payload in self._frames.feed(data):
            if MARK in payload:
                seen += 1
                size = len(payload)
                self.ends.append((self.ends[-1] if self.ends else 0) + size + (2 if size < 126 else 4))
                own += self.mark in payload
            elif opcode == PING:
                self.transport.write(client_frame(payload, PONG))
            elif opcode == CLOSE:
                self.tally.failed = f"closed by the server: {payload!r}"
            elif payload == b"2":
                self.transport.write(ENGINE_PONG)
            elif payload.startswith(b'{"type":"error"'):
                self.tally.failed = payload.decode()
        self.seen += seen
        self.tally.total += seen
        if own:
            self.own += own
            self.on_own(own)

    def connection_lost(self, exc: Exception | None) -> None:
        self.tally.lost += 1


class Joining(asyncio.Protocol):
    """Does the handshake and joins the room, then hands the transport to `then` and completes `done` with it."""

    def __init__(self, dialect: Dialect, seat: Seat, then: Listener | Sender, host: str) -> None:
        self.dialect, self.seat, self.then, self.host = dialect, seat, then, host
        self.done: asyncio.Future[Listener | Sender] = asyncio.get_running_loop().create_future()
        self._upgraded = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(handshake(self.dialect.path(self.seat), self.host))

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._upgraded:
            self._upgrade()
        if self._upgraded and not self.done.done():
            self._greet()

    def _upgrade(self) -> None:
        head, blank, rest = self._rest.partition(b"\r\n\r\n")
        if not blank:
            return
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self._fail(f"no upgrade: {head[:200]!r}")
            return
        self._upgraded = True
        self._rest = rest
        if self.dialect.ready_at_once():
            self._joined()

    def _greet(self) -> None:
        while frame := next_frame(self._rest, 0):
            opcode, start, end = frame
            payload, self._rest = self._rest[start:end], self._rest[end:]
            if opcode == CLOSE:
                self._fail(f"closed while joining: {payload!r}")
                return
            answer, ready = self.dialect.greet(self.seat, payload)
            if answer is not None:
                self.transport.write(client_frame(answer))
            if ready:
                self._joined()
                return

    def _joined(self) -> None:
        self.transport.set_protocol(self.then)
        self.then.connection_made(self.transport)
        self.done.set_result(self.then)
        if self._rest:
            self.then.data_received(self._rest)

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(ProtocolError(why))
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"connection lost while joining: {exc}")
