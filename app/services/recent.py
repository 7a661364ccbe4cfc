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
    """Serves a cached answer only while the room's `seq` is the one it was read at.

    Everything that a message object shows moves that number when it changes, in whichever process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: ByteLru[tuple[int, int], tuple[int, bytes]] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)

    async def recent(self, who: Caller, room_id: int, limit: int) -> bytes:
        """The newest messages, oldest first, as a JSON array. Raises RoomNotFound, DatabaseUnavailable."""
        room = await access.room_view(self._database, who, room_id)
        cached = self._cache.get((room_id, limit))
        if cached is not None and cached[0] == room.last_seq:
            return cached[1]
        seq, body = await self._database.read(_newest, who, room_id, limit)
        self._cache.put((room_id, limit), (seq, body), len(body))
        return body


def _newest(db: UnitOfWork, who: Caller, room_id: int, limit: int) -> tuple[int, bytes]:
    """The room's `seq` and its newest messages, from one snapshot."""
    seq = access.room_for(db, who, room_id).last_seq
    return seq, strict_json.encode(messages.newest(db, room_id, limit))
