"""Catching up: a socket opens with `since` in a room with 1,000 newer changes, until `synced` arrives.

It is always the same user, since the joining of another user would be one more change.
"""

import asyncio
from dataclasses import dataclass
from time import perf_counter

import orjson

from benchmarks.load.dialects import MARK, Ours, Seat
from benchmarks.load.meter import Cost, Instant
from benchmarks.load.run import Spec, Void
from benchmarks.load.sockets import Joining, Listener, Tally
from benchmarks.load.statistics import latencies

SINCE = 20  # the users who joined before the first message: seeds.PEOPLE
"""All messages have a higher seq."""


@dataclass
class Reconnecting(Ours):
    """Reconnects with `since`, and is ready when the catch-up is complete."""

    missed: int = 0
    truncated: bool = False

    def path(self, seat: Seat) -> str:
        return super().path(seat) + f"&since={SINCE}"

    def greet(self, seat: Seat, payload: bytes) -> tuple[bytes | None, bool]:
        if b'"type":"synced"' in payload:
            self.truncated = bool(orjson.loads(payload)["truncated"])
            return None, True
        self.missed += MARK in payload
        return None, False


async def run(spec: Spec) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    host = f"{spec.host}:{spec.port}"
    going = True

    async def one() -> None:
        reconnecting = Reconnecting()
        seat = spec.seat(0, 0)
        begin = perf_counter()
        _, joining = await loop.create_connection(
            lambda: Joining(reconnecting, seat, Listener(Tally(), seat), host), spec.host, spec.port
        )
        await asyncio.wait_for(joining.done, 20)
        took.append(perf_counter() - begin)
        joining.transport.abort()
        if reconnecting.missed != spec.options["changes"] or reconnecting.truncated:
            raise Void(f"caught up with {reconnecting.missed} of {spec.options['changes']} changes")

    async def client() -> None:
        while going:
            await one()

    clients = [asyncio.create_task(client()) for _ in range(spec.options.get("at_once", 4))]
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
