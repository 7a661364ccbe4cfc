"""Fan-out: one room, one sender in bursts, everyone hears everything. Counts deliveries per second.

The sender keeps `window` messages in flight, measured by the deliveries of all listeners, so that no server is
paid for messages that wait in its memory. A slow server is given fewer, so that draining it takes a second and
not a minute.
"""

import asyncio
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, Void, take, unbroken, until
from benchmarks.load.sockets import Listener, Talker, Tally
from benchmarks.load.sweeping import sweeping
from benchmarks.load.wire import client_frame

QUICK, SLOW = 0.15, 0.6
"""Seconds for half a window: below, the window grows; above, it shrinks."""


class Bursts:
    """Sends half a window whenever everything before the last half has been delivered to everyone."""

    def __init__(self, talker: Talker, tally: Tally, listeners: int, window: int, frame: bytes) -> None:
        self.talker, self.tally, self.listeners, self.frame = talker, tally, listeners, frame
        self.most = max(1, window // 2)
        self.half = 1
        self.sent = 0
        self.going = True
        self._since = perf_counter()
        tally.reached = self._refill

    def start(self) -> None:
        self._send()
        self._send()

    def _send(self) -> None:
        before, self.sent = self.sent, self.sent + self.half
        self.tally.goal = before * self.listeners if before else self.sent * self.listeners
        self.talker.transport.write(self.frame * self.half)

    def _refill(self) -> None:
        if not self.going:
            return
        now = perf_counter()
        took, self._since = now - self._since, now
        if took < QUICK:
            self.half = min(self.most, self.half * 2)
        elif took > SLOW:
            self.half = max(1, self.half // 2)
        self._send()

    def drained(self) -> bool:
        return self.tally.total >= self.sent * self.listeners


async def gather(spec: Spec, listeners: int) -> tuple[Tally, Talker, list[Listener]]:
    """One sender and the others, in one room; nothing is counted yet."""
    tally = Tally()
    [talker] = await take(spec, Talker, tally, [spec.seat(0, 0)])
    others = await take(spec, Listener, tally, [spec.seat(0, person) for person in range(1, listeners)])
    await asyncio.sleep(0.3)
    tally.total = 0
    for socket in (talker, *others):
        socket.seen = 0
    return tally, talker, others


async def saturate(spec: Spec, tally: Tally, talker: Talker, listeners: int) -> tuple[Cost, int]:
    """Bursts for the time of the spec: what it cost, and how many deliveries it was. All of them arrived."""
    frame = client_frame(spec.speech.say(talker.seat, content()))
    bursts = Bursts(talker, tally, listeners, spec.options.get("window", 256), frame)
    bursts.start()
    await asyncio.sleep(spec.warm_up)
    start, before = Instant.now(spec.server), tally.total
    await asyncio.sleep(spec.seconds)
    end, after = Instant.now(spec.server), tally.total
    bursts.going = False
    await until(bursts.drained, 20, f"only {tally.total} of {bursts.sent * listeners} deliveries came")
    await asyncio.sleep(0.1)
    if tally.total != bursts.sent * listeners:
        raise Void(f"{tally.total} deliveries of {bursts.sent * listeners} sent")
    return Cost.between(start, end), after - before


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, talker, others = await gather(spec, listeners)
    with unbroken(tally), sweeping(tally, others):
        cost, deliveries = await saturate(spec, tally, talker, listeners)
    return {
        "rate": deliveries / cost.seconds,
        "messages_per_s": deliveries / cost.seconds / listeners,
        "cpu_us": cost.per(deliveries),
        "frame_bytes": max(talker.sizes),
        "void": cost.void(),
    } | cost.record()
