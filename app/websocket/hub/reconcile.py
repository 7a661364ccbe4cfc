"""Compares this process with the database: changes of other processes, and the last event of a room if it got lost.

A lost last event leaves no gap behind it, so the heads of all rooms with listeners are compared every few seconds.
"""

import asyncio
import random
from collections.abc import Iterator
from typing import TypeVar

from app.core.database import Database
from app.core.logs import log
from app.services import rooms, sessions
from app.services.announcements import SessionsEnded, Subscribers
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry

K = TypeVar("K")

RECONCILE_SECONDS = 5.0
RECONCILE_BATCH = 500
"""Rooms or logins per query."""


async def keep_reconciled(
    database: Database, hub: Hub, registry: Registry, sessions_ended: Subscribers[SessionsEnded]
) -> None:
    """Reconcile every few seconds, a little earlier or later each time so that processes spread out, until
    cancelled."""
    while True:
        await asyncio.sleep(RECONCILE_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
        try:
            await reconcile(database, hub, registry, sessions_ended)
        except Exception as error:  # noqa: BLE001 - the database is away; the next turn tries again
            log.warning("reconcile.failed", error=repr(error))


async def reconcile(
    database: Database, hub: Hub, registry: Registry, sessions_ended: Subscribers[SessionsEnded]
) -> None:
    """Find changes and ended logins that this process was not told of. Raises DatabaseUnavailable."""
    for room_ids in _batched(hub.room_ids, RECONCILE_BATCH):
        for room_id, head in (await database.read(rooms.heads, room_ids)).items():
            hub.note_head(room_id, head)
    for session_ids in _batched(registry.sessions, RECONCILE_BATCH):
        ended = SessionsEnded(await database.read(sessions.ended, session_ids))
        for subscriber in sessions_ended:
            subscriber(ended)


def _batched(items: list[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
