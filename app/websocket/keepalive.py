"""One timer for all connections: a slice of them is asked for a sign of life each second."""

import asyncio
import random
import time

from app.core.logs import log
from app.websocket.hub import Hub
from app.websocket.registry import Registry

TICK_SECONDS = 1.0
LOOK_SECONDS = 5.0


async def look_around(hub: Hub) -> None:
    """Compare with the database now and then, a little earlier or later each time, so that processes spread out."""
    while True:
        await asyncio.sleep(LOOK_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
        try:
            await hub.look_around()
        except Exception as error:  # noqa: BLE001 - the database is away; so are we, until it is back
            log.warning("look.failed", error=repr(error))


async def keep_alive(hub: Hub, registry: Registry, interval: float) -> None:
    """Ping every connection once per `interval` seconds; cut off whoever answered nothing to the last ping.

    So a dead peer is gone after two intervals. Runs until cancelled.
    """
    slices = max(1, round(interval / TICK_SECONDS))
    turn = 0
    while True:
        await asyncio.sleep(interval / slices)
        try:
            now = time.monotonic()
            hub.tick(now)
            registry.check_slow(now)
            registry.end_expired()
            turn = (turn + 1) % slices
            for peer in registry.slice(turn, slices):
                if not peer.wire.ping():
                    log.info("peer.lost", user=peer.caller.username)
                    peer.wire.abort()
        except Exception:  # noqa: BLE001 - the timer outlives a bug
            log.exception("tick.failed")
