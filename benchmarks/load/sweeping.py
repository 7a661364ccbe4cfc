"""Reading many sockets in rounds in place of one wake-up per chunk.

A server that writes every message by itself makes an event-driven reader wake once per delivery, and then the reader
is what is measured. Here the kernel gathers, as it does for a client on another machine, and a round reads all that
has come. Rounds come as often as keeps a read at some kilobytes.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence

from benchmarks.load.counting import counter
from benchmarks.load.sockets import Listener, Tally

SLICE = 24
"""Sockets read before the sender gets a turn: some 50 µs."""
FULL = 24_000
"""Bytes that a read should find; fewer, and the rounds come less often."""
LONGEST_PAUSE = 0.01
BUFFER = 1 << 18


class Sweep:
    """Takes listeners over from their transports. `seen` of each goes on being counted."""

    def __init__(self, tally: Tally, listeners: Sequence[Listener]) -> None:
        self.tally = tally
        self._buffer = bytearray(BUFFER)
        self._count = counter(self._buffer)
        self._pause = 0.001
        self._open: list[tuple[socket.socket, Listener]] = []
        for listener in listeners:
            listener.transport.pause_reading()
            duplicate = os.dup(listener.transport.get_extra_info("socket").fileno())
            self._open.append((socket.socket(fileno=duplicate), listener))
            self._open[-1][0].setblocking(False)

    async def run(self) -> None:
        """Rounds for ever."""
        while True:
            reads = size = 0
            for at in range(0, len(self._open), SLICE):
                found, got = self._read(self._open[at : at + SLICE])
                reads, size = reads + found, size + got
                await asyncio.sleep(0)
            if reads and size / reads > FULL:
                self._pause *= 0.7
            else:
                self._pause = min(LONGEST_PAUSE, self._pause * 1.3 + 0.0001)
            await asyncio.sleep(self._pause)

    def _read(self, some: Sequence[tuple[socket.socket, Listener]]) -> tuple[int, int]:
        """How many of them had something, and how much it was together."""
        buffer, count, tally = self._buffer, self._count, self.tally
        reads = total = counted = 0
        for sock, listener in some:
            try:
                size = sock.recv_into(buffer)
            except BlockingIOError:
                continue
            except OSError:
                size = 0
            if not size:
                tally.failed = tally.failed or "a listener was closed by the server"
                continue
            reads += 1
            total += size
            found = count(size)
            listener.seen += found
            counted += found
            if buffer.find(b"\x89", 0, size) >= 0 or buffer.endswith(b"2", 0, size):
                listener.answer(bytes(memoryview(buffer)[:size]))
        if counted:
            tally.add(counted)
        return reads, total

    def close(self) -> None:
        for sock, _ in self._open:
            sock.close()


@contextlib.contextmanager
def sweeping(tally: Tally, listeners: Sequence[Listener]) -> Iterator[None]:
    """Meanwhile the listeners are read in rounds; they are not read by anyone afterwards."""
    sweep = Sweep(tally, listeners)
    task = asyncio.create_task(sweep.run())
    try:
        yield
    finally:
        task.cancel()
        sweep.close()
