"""Fan-out, one message at a time: the sender says the next thing when it hears its own words."""

import asyncio

from benchmarks.load.dialects import content
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, unbroken, until
from benchmarks.load.sweeping import sweeping
from benchmarks.load.wire import client_frame
from benchmarks.works.fanout import gather


async def run(spec: Spec) -> dict[str, object]:
    listeners = int(spec.options["listeners"])
    tally, talker, others = await gather(spec, listeners)
    frame = client_frame(spec.speech.say(talker.seat, content()))
    sent, going = 1, True

    def again(own: int) -> None:
        nonlocal sent
        if going:
            sent += 1
            talker.transport.write(frame)

    async with sweeping(talker, others, spec.options["piece"]) as sweep:
        talker.on_own = again
        with unbroken(tally):
            talker.transport.write(frame)
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
