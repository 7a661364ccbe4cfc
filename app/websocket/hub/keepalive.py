"""One timer for all connections, which pings a slice of them each second."""

import asyncio
import time

from app.core.logs import log
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry
from app.websocket.hub.slow_listeners import SlowListeners

TICK_SECONDS = 1.0


async def keep_alive(hub: Hub, registry: Registry, slow_listeners: SlowListeners, interval: float) -> None:
    """Ping every connection once per `interval` seconds; abort those that did not answer the last ping.

    So a dead peer is gone after two intervals. Runs until cancelled.
    """
    slices = max(1, round(interval / TICK_SECONDS))
    turn = 0
    while True:
        await asyncio.sleep(interval / slices)
        try:
            now = time.monotonic()
            hub.announce_presence(now)
            slow_listeners.check(now)
            registry.end_expired()
            turn = (turn + 1) % slices
            for peer in registry.slice(turn, slices):
                if not peer.transport.ping():
                    log.info("peer.lost", user=peer.caller.username, connection=peer.number)
                    peer.transport.abort()
        except Exception:  # noqa: BLE001 - the timer outlives a bug
            log.exception("tick.failed")
