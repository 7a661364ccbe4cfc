"""Reading many listeners of one room in rounds, without copying what they hear.

A server that writes every message by itself makes an event-driven reader wake once per delivery, and at ten million
deliveries a second even a copy is too dear: then the reader is what is measured. So the kernel gathers, as it does for
a client on another machine, and a round throws away all that has come (`MSG_TRUNC`, tcp(7)) and keeps how much it was.

How much is enough to count exactly, because everyone in the room is sent the same messages: the talker sits there
too, reads every frame, and knows after how many bytes each message ends. At the end every listener must have got
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
from benchmarks.load.sockets import Listener, Talker
from benchmarks.load.wire import PONG, client_frame

SLICE = 24
"""Listeners read before the talker gets a turn: some 50 µs."""
LONGEST_PAUSE = 0.01
HEARTBEAT = client_frame(b"", PONG)
"""A pong nobody asked for (RFC 6455 section 5.5.3): the pings are thrown away unread with the messages."""
HEARTBEAT_SECONDS = 6.0
SLACK = 64
"""Bytes of pings that a listener may get beside the messages; less than any message."""


class Sweep:
    """Listeners taken over from their transports, and what came to them since."""

    def __init__(self, talker: Talker, listeners: Sequence[Listener], piece: int) -> None:
        self._piece = piece
        self.ends = talker.ends
        self.got = [0] * len(listeners)
        self.total = 0
        self.moved: Callable[[], None] = lambda: None
        self._buffer = bytearray(1 << 20)
        self._pause = 0.001
        self._next_beat = monotonic() + HEARTBEAT_SECONDS
        self._broken = ""
        self._sockets = [_taken_over(listener) for listener in listeners]

    async def run(self) -> None:
        """Rounds for ever."""
        while True:
            before, reads = self.total, 0
            beat = monotonic() > self._next_beat
            if beat:
                self._next_beat += HEARTBEAT_SECONDS
            for at in range(0, len(self._sockets), SLICE):
                reads += self._read(at)
                if beat:
                    self._heartbeat(at)
                self.moved()
                await asyncio.sleep(0)
            if reads and (self.total - before) / reads > self._piece:
                self._pause *= 0.7
            else:
                self._pause = min(LONGEST_PAUSE, self._pause * 1.3 + 0.0001)
            await asyncio.sleep(self._pause)

    def _read(self, first: int) -> int:
        """One slice; how many of it had something."""
        buffer, got, reads, total = self._buffer, self.got, 0, 0
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
        """Whether so many messages have been delivered to all, or as many bytes to some of them."""
        ends = self.ends
        return len(ends) >= messages and self.total >= ends[messages - 1] * len(self.got)

    def deliveries(self) -> int:
        """Messages that have come to anyone, the talker included."""
        return sum(bisect_right(self.ends, size) for size in self.got) + len(self.ends)

    def drained(self, sent: int) -> bool:
        """Whether everyone has got everything. Raises Void if that cannot be any more."""
        if self._broken:
            raise Void(self._broken)
        return len(self.ends) >= sent and all(size >= self.ends[-1] for size in self.got)

    def check(self, sent: int) -> None:
        """Raise Void unless everyone has got exactly what was sent."""
        wrong = [size for size in self.got if not 0 <= size - self.ends[-1] < SLACK]
        if len(self.ends) != sent or wrong:
            raise Void(f"{sent} sent, {len(self.ends)} came back, {len(wrong)} listeners got something else")

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


def _taken_over(listener: Listener) -> socket.socket:
    listener.transport.pause_reading()
    taken = socket.socket(fileno=os.dup(listener.transport.get_extra_info("socket").fileno()))
    taken.setblocking(False)
    return taken


@contextlib.asynccontextmanager
async def sweeping(talker: Talker, listeners: Sequence[Listener], piece: int) -> AsyncIterator[Sweep]:
    """Meanwhile the listeners are read in rounds; nobody reads them afterwards. If a read finds less than `piece`
    bytes, the rounds come less often.
    """
    sweep = Sweep(talker, listeners, piece)
    task = asyncio.create_task(sweep.run())
    try:
        yield sweep
    finally:
        task.cancel()
        sweep.close()
