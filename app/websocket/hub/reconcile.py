"""Compares this process with the database, to find changes of other processes and lost events at the end of a room.

A lost last event leaves no gap behind it, so the heads of all rooms with listeners are compared every few seconds.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import TypeVar

from app.core.database import Database
from app.core.logs import log
from app.services import rooms, sessions
from app.services.announcements import SessionsEnded
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry

K = TypeVar("K")

RECONCILE_SECONDS = 5.0
RECONCILE_BATCH = 500
"""Rooms or logins per query."""


async def keep_reconciled(
    database: Database, hub: Hub, registry: Registry, publish: Callable[[list[SessionsEnded]], None]
) -> None:
    """Reconcile every few seconds, a little earlier or later each time so that processes spread out, until
    cancelled."""
    while True:
        await asyncio.sleep(RECONCILE_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
        try:
            await reconcile(database, hub, registry, publish)
        except Exception as error:  # noqa: BLE001 - no database for now; the next round tries again
            log.warning("reconcile.failed", error=repr(error))


async def reconcile(
    database: Database, hub: Hub, registry: Registry, publish: Callable[[list[SessionsEnded]], None]
) -> None:
    """Find changes and ended logins that this process does not know of. Raises DatabaseUnavailable."""
    for room_ids in _batched(hub.room_ids, RECONCILE_BATCH):
        for room_id, head in (await database.read(rooms.heads, room_ids)).items():
            hub.note_head(room_id, head)
    for session_ids in _batched(registry.sessions, RECONCILE_BATCH):
        publish([SessionsEnded(await database.read(sessions.ended, session_ids))])


def _batched(items: list[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
