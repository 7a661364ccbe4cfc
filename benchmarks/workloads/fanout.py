"""Fan-out: one room, one sender in bursts, many listeners. Counts deliveries per second.

The sender keeps `window` messages in flight, measured by the deliveries to all listeners, so that messages waiting in
a server's memory do not count. For a slow server the window shrinks, so that draining it takes a second and not a
minute.
"""

import asyncio
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, open_sockets, until, void_on_failure
from benchmarks.load.sockets import Listener, Sender, Tally
from benchmarks.load.sweeping import Sweep, sweeping
from benchmarks.load.wire import client_frame

QUICK, SLOW = 0.15, 0.6
"""Seconds for half a window: below QUICK the window grows, above SLOW it shrinks."""
QUIET = 1.5
"""Seconds without frames, after which all announcements of joining are over."""


class Bursts:
    """Sends half a window whenever everything before the last half has been delivered to all listeners."""

    def __init__(self, sender: Sender, sweep: Sweep, window: int, frame: bytes) -> None:
        self.sender, self.sweep, self.frame = sender, sweep, frame
        self.max_half = max(1, window // 2)
        self.half = 1
        self.sent = self._before = 0
        self.going = True
        self._since = perf_counter()
        sender.on_own = self._check
        sweep.on_progress = self._check

    def start(self) -> None:
        self._send()
        self._send()

    def _send(self) -> None:
        self._before, self.sent = self.sent, self.sent + self.half
        self.sender.transport.write(self.frame * self.half)

    def _check(self, own: int = 0) -> None:
        if not self.going or not self.sweep.reached(self._before):
            return
        now = perf_counter()
        took, self._since = now - self._since, now
        if took < QUICK:
            self.half = min(self.max_half, self.half * 2)
        elif took > SLOW:
            self.half = max(1, self.half // 2)
        self._send()


async def gather(spec: Spec, listeners: int) -> tuple[Tally, Sender, list[Listener]]:
    """Open one sender and the listeners in one room, and wait until the room is quiet."""
    tally = Tally()
    [sender] = await open_sockets(spec, Sender, tally, [spec.seat(0, 0)])
    others = await open_sockets(
        spec, Listener, tally, [spec.seat(0, person) for person in range(1, listeners)]
    )
    tally.last_activity = perf_counter()
    await until(lambda: perf_counter() - tally.last_activity > QUIET, 20, "the room does not become quiet")
    return tally, sender, others


async def saturate(spec: Spec, sender: Sender, sweep: Sweep) -> tuple[Cost, int]:
    """Send bursts for the time of the spec. Returns the cost and the deliveries. Raises Void if one is missing."""
    frame = client_frame(spec.speech.say(sender.seat, content()))
    bursts = Bursts(sender, sweep, spec.options["window"], frame)
    bursts.start()
    await asyncio.sleep(spec.warm_up)
    start, before = Instant.now(spec.server), sweep.deliveries()
    await asyncio.sleep(spec.seconds)
    end, after = Instant.now(spec.server), sweep.deliveries()
    bursts.going = False
    await until(lambda: sweep.drained(bursts.sent), 20, "not everything that was sent was delivered")
    await asyncio.sleep(0.1)
    sweep.check(bursts.sent)
    return Cost.between(start, end), after - before


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, sender, others = await gather(spec, listeners)
    async with sweeping(sender, others, spec.options["piece"]) as sweep:
        with void_on_failure(tally):
            cost, deliveries = await saturate(spec, sender, sweep)
    return {
        "rate": deliveries / cost.seconds,
        "messages_per_s": deliveries / cost.seconds / listeners,
        "cpu_us": cost.per(deliveries),
        "frame_bytes": sender.ends[-1] / len(sender.ends),
        "void": cost.void(),
    } | cost.record()
