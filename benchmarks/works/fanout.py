"""Fan-out: one room, one sender in bursts, everyone hears everything. Counts deliveries per second.

The sender keeps `window` messages in flight, measured by the deliveries of all listeners, so that no server is
paid for messages that wait in its memory. A slow server is given fewer, so that draining it takes a second and
not a minute.
"""

import asyncio
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, take, unbroken, until
from benchmarks.load.sockets import Listener, Talker, Tally
from benchmarks.load.sweeping import Sweep, sweeping
from benchmarks.load.wire import client_frame

QUICK, SLOW = 0.15, 0.6
"""Seconds for half a window: below, the window grows; above, it shrinks."""
QUIET = 1.5
"""Seconds without a word after which all announcements of who joined are over."""


class Bursts:
    """Sends half a window whenever everything before the last half has been delivered to everyone."""

    def __init__(self, talker: Talker, sweep: Sweep, window: int, frame: bytes) -> None:
        self.talker, self.sweep, self.frame = talker, sweep, frame
        self.most = max(1, window // 2)
        self.half = 1
        self.sent = self._before = 0
        self.going = True
        self._since = perf_counter()
        talker.on_own = self._check
        sweep.moved = self._check

    def start(self) -> None:
        self._send()
        self._send()

    def _send(self) -> None:
        self._before, self.sent = self.sent, self.sent + self.half
        self.talker.transport.write(self.frame * self.half)

    def _check(self, own: int = 0) -> None:
        if not self.going or not self.sweep.reached(self._before):
            return
        now = perf_counter()
        took, self._since = now - self._since, now
        if took < QUICK:
            self.half = min(self.most, self.half * 2)
        elif took > SLOW:
            self.half = max(1, self.half // 2)
        self._send()


async def gather(spec: Spec, listeners: int) -> tuple[Tally, Talker, list[Listener]]:
    """One sender and the others, in one room, which has become quiet."""
    tally = Tally()
    [talker] = await take(spec, Talker, tally, [spec.seat(0, 0)])
    others = await take(spec, Listener, tally, [spec.seat(0, person) for person in range(1, listeners)])
    tally.stirred = perf_counter()
    await until(lambda: perf_counter() - tally.stirred > QUIET, 20, "the room does not become quiet")
    return tally, talker, others


async def saturate(spec: Spec, talker: Talker, sweep: Sweep) -> tuple[Cost, int]:
    """Bursts for the time of the spec: what it cost, and how many deliveries it was. All of them arrived."""
    frame = client_frame(spec.speech.say(talker.seat, content()))
    bursts = Bursts(talker, sweep, spec.options["window"], frame)
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
    tally, talker, others = await gather(spec, listeners)
    async with sweeping(talker, others, spec.options["piece"]) as sweep:
        with unbroken(tally):
            cost, deliveries = await saturate(spec, talker, sweep)
    return {
        "rate": deliveries / cost.seconds,
        "messages_per_s": deliveries / cost.seconds / listeners,
        "cpu_us": cost.per(deliveries),
        "frame_bytes": talker.ends[-1] / len(talker.ends),
        "void": cost.void(),
    } | cost.record()
