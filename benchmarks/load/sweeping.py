"""Reads many listeners of one room in rounds, without copying their data.

If a server writes every message separately, an event-driven reader wakes once per delivery, and at ten million
deliveries a second even a copy is too expensive: the reader would be measured. So the kernel buffers the data, as it
does for a client on another machine, and each round discards it (`MSG_TRUNC`, tcp(7)) and records its size.

The size is enough to count exactly, because all sockets of the room receive the same messages: the sender is in the
room too, reads every frame, and knows at which offset each message ends. At the end every listener must have received
exactly the bytes of all messages (and at most `SLACK` more, a ping or two), or the run is void.
"""

import asyncio
import contextlib
import os
import socket
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic

from benchmarks.load.run import Void
from benchmarks.load.sockets import Listener, Sender
from benchmarks.load.wire import PONG, client_frame

SLICE = 24
"""Listeners read before the sender gets a turn: about 50 µs."""
LONGEST_PAUSE = 0.01
HEARTBEAT = client_frame(b"", PONG)
"""An unsolicited pong (RFC 6455 section 5.5.3), since pings are discarded unread with the messages."""
HEARTBEAT_SECONDS = 6.0
SLACK = 64
"""Bytes of pings that a listener may receive beside the messages; less than any message."""


class Sweep:
    """Sockets taken over from the transports of listeners, and the bytes that each has received since."""

    def __init__(self, sender: Sender, listeners: Sequence[Listener], piece: int) -> None:
        self._piece = piece
        self.ends = sender.ends
        self.received = [0] * len(listeners)
        self.total = 0
        self.on_progress: Callable[[], None] = lambda: None
        self._buffer = bytearray(1 << 20)
        self._pause = 0.001
        self._next_beat = monotonic() + HEARTBEAT_SECONDS
        self._broken = ""
        self._sockets = [_take_over(listener) for listener in listeners]

    async def run(self) -> None:
        """Read rounds until cancelled."""
        while True:
            before, reads = self.total, 0
            beat = monotonic() > self._next_beat
            if beat:
                self._next_beat += HEARTBEAT_SECONDS
            for at in range(0, len(self._sockets), SLICE):
                reads += self._read(at)
                if beat:
                    self._heartbeat(at)
                self.on_progress()
                await asyncio.sleep(0)
            if reads and (self.total - before) / reads > self._piece:
                self._pause *= 0.7
            else:
                self._pause = min(LONGEST_PAUSE, self._pause * 1.3 + 0.0001)
            await asyncio.sleep(self._pause)

    def _read(self, first: int) -> int:
        """Read one slice. Returns how many listeners had data."""
        buffer, got, reads, total = self._buffer, self.received, 0, 0
        for at, sock in enumerate(self._sockets[first : first + SLICE], first):
            try:
                size = sock.recv_into(buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError:
                continue
            if not size:
                self._broken = "a listener was closed by the server"
            got[at] += size
            total += size
            reads += 1
        self.total += total
        return reads

    def _heartbeat(self, first: int) -> None:
        for sock in self._sockets[first : first + SLICE]:
            sock.send(HEARTBEAT)

    def reached(self, messages: int) -> bool:
        """Whether this many messages have been delivered to all listeners, or as many bytes to some of them."""
        ends = self.ends
        return len(ends) >= messages and self.total >= ends[messages - 1] * len(self.received)

    def deliveries(self) -> int:
        """Messages delivered, summed over all listeners and the sender."""
        return sum(bisect_right(self.ends, size) for size in self.received) + len(self.ends)

    def drained(self, sent: int) -> bool:
        """Whether all sockets have received everything. Raises Void if that has become impossible."""
        if self._broken:
            raise Void(self._broken)
        return len(self.ends) >= sent and all(size >= self.ends[-1] for size in self.received)

    def check(self, sent: int) -> None:
        """Raise Void unless all sockets have received exactly what was sent."""
        wrong = [size for size in self.received if not 0 <= size - self.ends[-1] < SLACK]
        if len(self.ends) != sent or wrong:
            raise Void(
                f"{sent} sent, {len(self.ends)} came back, {len(wrong)} listeners received something else"
            )

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


def _take_over(listener: Listener) -> socket.socket:
    listener.transport.pause_reading()
    taken = socket.socket(fileno=os.dup(listener.transport.get_extra_info("socket").fileno()))
    taken.setblocking(False)
    return taken


@contextlib.asynccontextmanager
async def sweeping(sender: Sender, listeners: Sequence[Listener], piece: int) -> AsyncIterator[Sweep]:
    """Read the listeners in rounds inside the block, and not at all after it. If a read finds less than `piece` bytes,
    the rounds become less frequent.
    """
    sweep = Sweep(sender, listeners, piece)
    task = asyncio.create_task(sweep.run())
    try:
        yield sweep
    finally:
        task.cancel()
        sweep.close()
