"""A cache of the newest messages of busy rooms, encoded for REST."""

from dataclasses import dataclass

from app.core import strict_json
from app.core.byte_cache import ByteLru
from app.core.database import Database, UnitOfWork
from app.services import access, messages
from app.services.callers import Caller

CACHE_BYTES = 16 << 20
MAX_ENTRY_BYTES = 256 << 10
"""Larger answers are not cached: some 50 messages of ordinary length are 15 kB."""


@dataclass(frozen=True, slots=True)
class NewestPage:
    """The newest messages of a room, from one snapshot."""

    epoch: str
    seq: int
    """The room's."""
    first_id: int
    """The oldest message of the page; 0 if there is none."""
    body: bytes
    """A JSON array, oldest first."""


class RecentMessages:
    """Serves a cached answer only while the epoch and the room's `seq` are those it was read at.

    Everything that a message object shows moves that number when it changes, in whichever process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: ByteLru[tuple[int, int], NewestPage] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)

    async def recent(self, who: Caller, room_id: int, limit: int) -> NewestPage:
        """The newest messages. Raises RoomNotFound, DatabaseUnavailable."""
        room = await access.room_view(self._database, who, room_id)
        cached = self._cache.get((room_id, limit))
        if cached is not None and (cached.epoch, cached.seq) == (room.epoch, room.last_seq):
            return cached
        page = await self._database.read(_newest, who, room_id, limit)
        self._cache.put((room_id, limit), page, len(page.body))
        return page


def _newest(db: UnitOfWork, who: Caller, room_id: int, limit: int) -> NewestPage:
    room = access.room_for(db, who, room_id)
    found = messages.newest(db, room_id, limit)
    first_id = found[0]["id"] if found else 0
    return NewestPage(room.epoch, room.last_seq, first_id, strict_json.encode(found))
