"""Memory per idle connection: what the server grows by when thousands sit in a room and say nothing."""

import asyncio

from benchmarks.load.run import Spec, take, unbroken
from benchmarks.load.sockets import Listener, Tally
from benchmarks.machine import rss_bytes

FIRST = 200
"""Opened before measuring, so that what is made once (caches, pools) is not charged to the others."""


async def run(spec: Spec) -> dict[str, object]:
    connections = int(spec.options["connections"])
    tally = Tally()
    rooms = len(spec.rooms)
    seats = [spec.seat(i % rooms, i) for i in range(connections + FIRST)]
    with unbroken(tally):
        await take(spec, Listener, tally, seats[:FIRST])
        await asyncio.sleep(1)
        before = rss_bytes(spec.server)
        await take(spec, Listener, tally, seats[FIRST:])
        await asyncio.sleep(2)
        after = rss_bytes(spec.server)
    return {"rate": (after - before) / connections, "rss_before": before, "rss_after": after, "void": ""}
