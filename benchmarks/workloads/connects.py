"""Connects per second: handshake, token, joining a room; `at_once` at a time, each closed once it has joined."""

import asyncio
from time import perf_counter

from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec
from benchmarks.load.sockets import Joining, Listener, Tally
from benchmarks.load.statistics import latencies


async def run(spec: Spec) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    going = True
    host = f"{spec.host}:{spec.port}"

    async def client(person: int) -> None:
        number = person
        while going:
            seat = spec.seat(number, number)
            number += 1
            then = Listener(Tally(), seat)
            begin = perf_counter()
            _, joining = await loop.create_connection(
                lambda seat=seat, then=then: Joining(spec.speech, seat, then, host),  # type: ignore[misc]
                spec.host,
                spec.port,
            )
            await asyncio.wait_for(joining.done, 20)
            took.append(perf_counter() - begin)
            joining.transport.abort()

    clients = [asyncio.create_task(client(person)) for person in range(spec.options.get("at_once", 32))]
    await asyncio.sleep(spec.warm_up)
    start, before = Instant.now(spec.server), len(took)
    await asyncio.sleep(spec.seconds)
    end, after = Instant.now(spec.server), len(took)
    going = False
    await asyncio.gather(*clients)
    cost = Cost.between(start, end)
    rate = (after - before) / cost.seconds
    measured = latencies(took[before:after])
    return {"rate": rate, "cpu_us": cost.per(after - before), "void": cost.void()} | measured | cost.record()
