"""Pages of missed events. Clients that ask for the same page share one read and one set of encoded frames."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.byte_cache import ByteLru
from app.core.database import Database, DatabaseUnavailable
from app.services import changes
from app.services.epochs import CurrentEpoch
from app.websocket.transport import Payload, portions

CACHE_BYTES = 16 << 20
MAX_ENTRY_BYTES = 2 << 20
BODY_OVERHEAD = 64
"""Bytes that an event takes beside its text, which is stored twice: alone, and in the encoded frames."""
GATHER_SECONDS = 0.01
"""How long requests that arrive while a page is being read gather before the next read of it."""

Key = tuple[int, int, int | None]
"""Room, position, and how many changes a listener may have missed; None if that is known already."""


@dataclass(frozen=True, slots=True)
class Page:
    """Encoded events for any number of listeners at the same position. They bring a listener to `seq`."""

    portions: Sequence[Payload]
    seq: int
    as_of: int = 0
    """The room's `seq` when the page was read."""


class Pages:
    """Reads pages; serves a cached page only if a fresh read would return the same.

    A page that is not the last never grows: it is cached, and valid in its epoch for as long as no message of the room
    is edited, deleted or reacted to. A page is read once at a time; requests that arrive meanwhile share the next read.
    """

    def __init__(self, database: Database, max_missed: int, epoch: CurrentEpoch) -> None:
        self._database = database
        self._epoch = epoch
        self._max_missed = max_missed
        self._cache: ByteLru[tuple[str, int, int], Page] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)
        self._gathering: dict[Key, asyncio.Task[Page | None]] = {}
        self._running: dict[Key, asyncio.Task[Page | None]] = {}

    async def first(self, room_id: int, since: int, head: int) -> Page | None:
        """The page after `since` in a room whose last number is `head`; None if more than `max_missed` changed.

        Raises DatabaseUnavailable.
        """
        if head - since > self._max_missed:  # several of them may be changes of one message
            return await self._ask((room_id, since, self._max_missed))
        return await self.next(room_id, since)

    async def next(self, room_id: int, position: int) -> Page:
        """The page after `position`. Raises DatabaseUnavailable."""
        cached = self._cache.get((self._epoch.name, room_id, position))
        if cached is not None and not await changes.is_outdated(self._database, room_id, cached.as_of):
            return cached
        page = await self._ask((room_id, position, None))
        assert page is not None
        return page

    async def _ask(self, key: Key) -> Page | None:
        task = self._gathering.get(key)
        if task is None:
            task = self._gathering[key] = asyncio.create_task(self._read(key, self._running.get(key)))
        return await asyncio.shield(task)  # other requests share it

    async def _read(self, key: Key, before: "asyncio.Task[Page | None] | None") -> Page | None:
        if before is not None:
            await asyncio.wait([before])
            await asyncio.sleep(GATHER_SECONDS)
        self._running[key] = self._gathering.pop(key)
        try:
            found = await self._database.read(changes.missed, *key)
        finally:
            del self._running[key]
        if found is None:
            return None
        missed, as_of = found
        if not self._epoch.is_current(missed.epoch):
            raise DatabaseUnavailable
        page = Page([Payload(portion) for portion in portions(missed.bodies)], missed.seq, as_of)
        if page.seq < as_of:
            size = sum(2 * len(body) + BODY_OVERHEAD for body in missed.bodies)
            self._cache.put((missed.epoch, *key[:2]), page, size)
        return page
