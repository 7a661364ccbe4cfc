"""Compares this process with the database, to find changes of other processes and lost events at the end of a room.

A lost last event leaves no gap behind it, so the heads of all rooms with listeners are compared every few seconds.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from app.core.database import Database
from app.core.logs import log
from app.services import rooms, sessions
from app.services.announcements import SessionsEnded
from app.services.epochs import CurrentEpoch
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry

K = TypeVar("K")

RECONCILE_SECONDS = 5.0
RECONCILE_BATCH = 500
"""Rooms or logins per query."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """What is compared with the database, and where to report what is found."""

    database: Database
    hub: Hub
    registry: Registry
    epoch: CurrentEpoch
    publish: Callable[[list[SessionsEnded]], None]

    async def run(self) -> None:
        """Reconcile every few seconds, a little earlier or later each time so that processes spread out, until
        cancelled."""
        while True:
            await asyncio.sleep(RECONCILE_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            try:
                await self.reconcile()
            except Exception as error:  # noqa: BLE001 - no database for now; the next round tries again
                log.warning("reconcile.failed", error=repr(error))

    async def reconcile(self) -> None:
        """Find changes, a new epoch and ended logins that this process does not know of.

        Raises DatabaseUnavailable.
        """
        for room_ids in _batched(list(self.hub.heads), RECONCILE_BATCH):
            await self._compare_heads(room_ids)
        for session_ids in _batched(self.registry.sessions, RECONCILE_BATCH):
            self.publish([SessionsEnded(await self.database.read(sessions.ended, session_ids))])

    async def _compare_heads(self, room_ids: list[int]) -> None:
        """A room that is below what its listeners were told is of another history, or was read from a replica."""
        told, before = self.hub.heads, self.epoch.name
        epoch, heads = await self.database.read(rooms.heads, room_ids)
        if not self.epoch.is_current(epoch or "") or before not in ("", epoch):
            return
        behind = {one: told[one] for one in room_ids if one in told and heads.get(one, 0) < told[one]}
        if behind:
            self.epoch.doubt(behind)
        for room_id, head in heads.items():
            self.hub.note_head(room_id, head)


def _batched(items: list[K], size: int) -> Iterator[list[K]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
