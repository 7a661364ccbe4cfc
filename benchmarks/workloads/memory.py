"""Memory per idle connection: the growth of the server by thousands of idle connections in rooms."""

import asyncio

from benchmarks.load.run import Spec, open_sockets, void_on_failure
from benchmarks.load.sockets import Listener, Tally
from benchmarks.machine import rss_bytes

FIRST = 200
"""Connections opened before measuring, so that caches and pools do not count."""


async def run(spec: Spec) -> dict[str, object]:
    connections = int(spec.options["connections"])
    tally = Tally()
    rooms = len(spec.rooms)
    seats = [spec.seat(i % rooms, i) for i in range(connections + FIRST)]
    with void_on_failure(tally):
        await open_sockets(spec, Listener, tally, seats[:FIRST])
        await asyncio.sleep(1)
        before = rss_bytes(spec.server)
        await open_sockets(spec, Listener, tally, seats[FIRST:])
        await asyncio.sleep(2)
        after = rss_bytes(spec.server)
    return {"rate": (after - before) / connections, "rss_before": before, "rss_after": after, "void": ""}
