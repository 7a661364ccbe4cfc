"""Latency at half load: fan-out at half of the rate at which this server saturates, and how late messages come.

Open loop: message *i* is due at a time fixed beforehand, and its latency counts from then, so that a server that
stalls is charged for all that should have been sent meanwhile (no coordinated omission).
"""

import asyncio
from dataclasses import replace
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, unbroken, until
from benchmarks.load.sockets import Listener, Talker
from benchmarks.load.statistics import latencies
from benchmarks.load.sweeping import sweeping
from benchmarks.load.wire import client_frame
from benchmarks.works.fanout import gather, saturate

TICK = 0.001
"""Seconds between two looks at what is due: more often, at 20,000 messages a second, and the load does nothing else."""
WITNESSES = 20
"""Listeners whose arrivals are kept, spread over the order in which they joined."""


async def send_on_time(talker: Talker, frame: bytes, rate: float, seconds: float) -> list[float]:
    """Send `rate` a second whatever comes back; the times at which each was due."""
    begin = perf_counter()
    due = [begin + i / rate for i in range(int(rate * seconds))]
    sent = 0
    while sent < len(due):
        now = perf_counter()
        first = sent
        while sent < len(due) and due[sent] <= now:
            sent += 1
        if sent > first:
            talker.transport.write(frame * (sent - first))
        if sent < len(due):
            await asyncio.sleep(max(TICK, due[sent] - perf_counter()))
    return due


def lateness(witness: Listener, offset: int, due: list[float]) -> list[float]:
    """Per message of this listener, how long after it was due it came."""
    found: list[float] = []
    for seen, when in witness.arrivals or []:
        upto = seen - offset
        found.extend(when - due[i] for i in range(len(found), min(upto, len(due))))
    return found


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, talker, others = await gather(spec, listeners)
    witnesses = others[:: max(1, len(others) // WITNESSES)]
    rest = [other for other in others if other not in witnesses]
    frame = client_frame(spec.speech.say(talker.seat, content()))
    async with sweeping(talker, rest, spec.options["piece"]) as sweep:
        with unbroken(tally):
            saturated, deliveries = await saturate(
                replace(spec, seconds=min(3.0, spec.seconds)), talker, sweep
            )
            rate = max(1.0, deliveries / saturated.seconds / (len(rest) + 1) * spec.options.get("share", 0.5))
            await asyncio.sleep(0.5)
            offset = len(talker.ends)
            for witness in witnesses:
                witness.arrivals = []
            start = Instant.now(spec.server)
            due = await send_on_time(talker, frame, rate, spec.seconds)
            end = Instant.now(spec.server)
            sent = offset + len(due)
            heard = lambda: sweep.drained(sent) and all(witness.seen >= sent for witness in witnesses)  # noqa: E731
            await until(heard, 20, "not everything that was sent was delivered")
    cost = Cost.between(start, end)
    kept = [late for witness in witnesses for late in lateness(witness, offset, due)]
    return latencies(kept) | {"messages_per_s": rate, "void": cost.void() or saturated.void()} | cost.record()
