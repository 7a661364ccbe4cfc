"""Fan-out, one message at a time: the sender waits for its own message before the next."""

import asyncio

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, until, void_on_failure
from benchmarks.load.sweeping import sweeping
from benchmarks.load.wire import client_frame
from benchmarks.workloads.fanout import gather


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, sender, others = await gather(spec, listeners)
    frame = client_frame(spec.speech.say(sender.seat, content()))
    sent, going = 1, True

    def again(own: int) -> None:
        nonlocal sent
        if going:
            sent += 1
            sender.transport.write(frame)

    async with sweeping(sender, others, spec.options["piece"]) as sweep:
        sender.on_own = again
        with void_on_failure(tally):
            sender.transport.write(frame)
            await asyncio.sleep(spec.warm_up)
            start, before = Instant.now(spec.server), sweep.deliveries()
            await asyncio.sleep(spec.seconds)
            end, after = Instant.now(spec.server), sweep.deliveries()
            going = False
            await until(lambda: sweep.drained(sent), 10, "not everything that was sent was delivered")
            sweep.check(sent)
    cost = Cost.between(start, end)
    rate = (after - before) / cost.seconds
    return {
        "rate": rate,
        "messages_per_s": rate / listeners,
        "cpu_us": cost.per(after - before),
        "void": cost.void(),
    } | cost.record()
