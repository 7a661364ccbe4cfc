"""Latency at half load: fan-out at half of the rate at which the measured server saturates.

Open loop: message *i* is due at a time fixed beforehand, and its latency counts from then. A server that stalls is
charged for all messages that were due meanwhile (no coordinated omission).
"""

import asyncio
from dataclasses import replace
from time import perf_counter

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, until, void_on_failure
from benchmarks.load.sockets import Listener, Sender
from benchmarks.load.statistics import latencies
from benchmarks.load.sweeping import sweeping
from benchmarks.load.wire import client_frame
from benchmarks.workloads.fanout import gather, saturate

TICK = 0.001
"""Seconds between two checks for due messages: at 20,000 messages a second, shorter ticks would take the whole core."""
WITNESSES = 20
"""Listeners whose arrivals are recorded, spread over the order in which they joined."""


async def send_on_time(sender: Sender, frame: bytes, rate: float, seconds: float) -> list[float]:
    """Send `rate` messages a second without waiting for answers. Returns the times at which they were due."""
    begin = perf_counter()
    due = [begin + i / rate for i in range(int(rate * seconds))]
    sent = 0
    while sent < len(due):
        now = perf_counter()
        first = sent
        while sent < len(due) and due[sent] <= now:
            sent += 1
        if sent > first:
            sender.transport.write(frame * (sent - first))
        if sent < len(due):
            await asyncio.sleep(max(TICK, due[sent] - perf_counter()))
    return due


def lateness(witness: Listener, offset: int, due: list[float]) -> list[float]:
    """For each message that this listener received, the seconds between its due time and its arrival."""
    found: list[float] = []
    for seen, when in witness.arrivals or []:
        upto = seen - offset
        found.extend(when - due[i] for i in range(len(found), min(upto, len(due))))
    return found


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, sender, others = await gather(spec, listeners)
    witnesses = others[:: max(1, len(others) // WITNESSES)]
    rest = [other for other in others if other not in witnesses]
    frame = client_frame(spec.speech.say(sender.seat, content()))
    async with sweeping(sender, rest, spec.options["piece"]) as sweep:
        with void_on_failure(tally):
            saturated, deliveries = await saturate(
                replace(spec, seconds=min(3.0, spec.seconds)), sender, sweep
            )
            rate = max(1.0, deliveries / saturated.seconds / (len(rest) + 1) * spec.options.get("share", 0.5))
            await asyncio.sleep(0.5)
            offset = len(sender.ends)
            for witness in witnesses:
                witness.arrivals = []
            start = Instant.now(spec.server)
            due = await send_on_time(sender, frame, rate, spec.seconds)
            end = Instant.now(spec.server)
            sent = offset + len(due)
            heard = lambda: sweep.drained(sent) and all(witness.seen >= sent for witness in witnesses)  # noqa: E731
            await until(heard, 20, "not everything that was sent was delivered")
    cost = Cost.between(start, end)
    kept = [late for witness in witnesses for late in lateness(witness, offset, due)]
    return latencies(kept) | {"messages_per_s": rate, "void": cost.void() or saturated.void()} | cost.record()
