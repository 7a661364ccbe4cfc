"""`recent?limit=50` on a few keep-alive connections, with one request in flight on each. Counts requests per second."""

import asyncio
from time import perf_counter

from benchmarks.load.http import connect, get
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, Void
from benchmarks.load.statistics import latencies


async def run(spec: Spec) -> dict[str, object]:
    took: list[float] = []
    going = True
    sizes: set[int] = set()

    async def reader(person: int) -> None:
        connection = await connect(spec.host, spec.port)
        seat = spec.seat(0, person)
        request = get(f"/api/messages/{seat.room}{spec.options['page']}", seat.token)
        while going:
            begin = perf_counter()
            status, body = await connection.ask(request)
            took.append(perf_counter() - begin)
            sizes.add(len(body))
            if status != 200:
                raise Void(f"{status}: {body[:200]!r}")

    readers = [asyncio.create_task(reader(person)) for person in range(spec.options.get("at_once", 4))]
    await asyncio.sleep(spec.warm_up)
    start, before = Instant.now(spec.server), len(took)
    await asyncio.sleep(spec.seconds)
    end, after = Instant.now(spec.server), len(took)
    going = False
    await asyncio.gather(*readers)
    cost = Cost.between(start, end)
    rate = (after - before) / cost.seconds
    found = {"rate": rate, "cpu_us": cost.per(after - before), "body_bytes": max(sizes), "void": cost.void()}
    return found | latencies(took[before:after]) | cost.record()
