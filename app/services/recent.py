"""A cache of the newest messages of busy rooms, encoded for REST."""

from app.core import strict_json
from app.core.byte_cache import ByteLru
from app.core.database import Database, UnitOfWork
from app.services import access, messages
from app.services.callers import Caller

CACHE_BYTES = 16 << 20
MAX_ENTRY_BYTES = 256 << 10
"""Larger answers are not cached: some 50 messages of ordinary length are 15 kB."""


class RecentMessages:
    """Serves a cached answer only while the epoch and the room's `seq` are those it was read at.

    Everything that a message object shows moves that number when it changes, in whichever process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: ByteLru[tuple[int, int], tuple[str, int, bytes]] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)

    async def recent(self, who: Caller, room_id: int, limit: int) -> tuple[str, bytes]:
        """The epoch, and the newest messages, oldest first, as a JSON array.

        Raises RoomNotFound, DatabaseUnavailable.
        """
        room = await access.room_view(self._database, who, room_id)
        cached = self._cache.get((room_id, limit))
        if cached is not None and cached[:2] == (room.epoch, room.last_seq):
            return room.epoch, cached[2]
        epoch, seq, body = await self._database.read(_newest, who, room_id, limit)
        self._cache.put((room_id, limit), (epoch, seq, body), len(body))
        return epoch, body


def _newest(db: UnitOfWork, who: Caller, room_id: int, limit: int) -> tuple[str, int, bytes]:
    """The epoch, the room's `seq` and its newest messages, from one snapshot."""
    room = access.room_for(db, who, room_id)
    return room.epoch, room.last_seq, strict_json.encode(messages.newest(db, room_id, limit))
