"""Pages of what was missed. What a crowd asks for is read once and framed once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.byte_cache import ByteLru
from app.core.database import Database
from app.services import changes
from app.websocket.transport import Payload, portions

CACHE_BYTES = 16 << 20
MAX_ENTRY_BYTES = 2 << 20
BODY_OVERHEAD = 64
"""Bytes that an event takes beside its text, which is kept twice: alone, and among the finished frames."""
GATHER_SECONDS = 0.01
"""How long those gather who ask for a page that was being read when they came."""

Key = tuple[int, int, int | None]
"""Room, position, and how many changes a listener may have missed; None if that need not be asked."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events for as many listeners as are at the same place. `seq` is where they lead."""

    portions: Sequence[Payload]
    seq: int
    as_of: int = 0
    """Where the room stood when it was read."""


class Pages:
    """Reads pages, and gives everybody one that is as good as if it had been read for them alone.

    A page that more follows upon never gets longer: it is kept, and good for as long as nothing in its room has been
    edited, deleted or reacted to. The same question is asked once at a time; who asks it meanwhile shares the next.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most
        self._kept: ByteLru[tuple[int, int], Page] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)
        self._gathering: dict[Key, asyncio.Task[Page | None]] = {}
        self._running: dict[Key, asyncio.Task[Page | None]] = {}

    async def first(self, room_id: int, since: int, head: int) -> Page | None:
        """What comes after `since` in a room that stands at `head`; None if that is too much.

        Raises DatabaseUnavailable.
        """
        if head - since > self._most:  # some may be changes of one message
            return await self._ask((room_id, since, self._most))
        return await self.next(room_id, since)

    async def next(self, room_id: int, position: int) -> Page:
        """What comes after `position`. Raises DatabaseUnavailable."""
        kept = self._kept.get((room_id, position))
        if kept is not None and not await changes.is_outdated(self._database, room_id, kept.as_of):
            return kept
        page = await self._ask((room_id, position, None))
        assert page is not None
        return page

    async def _ask(self, key: Key) -> Page | None:
        task = self._gathering.get(key)
        if task is None:
            task = self._gathering[key] = asyncio.create_task(self._read(key, self._running.get(key)))
        return await asyncio.shield(task)  # it is not only this one's

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
        page = Page([Payload(portion) for portion in portions(missed.bodies)], missed.seq, as_of)
        if page.seq < as_of:
            self._kept.put(key[:2], page, sum(2 * len(body) + BODY_OVERHEAD for body in missed.bodies))
        return page
