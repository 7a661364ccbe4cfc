"""The newest messages of rooms that are asked for them again and again, as they go over the wire."""

from app.core import strict_json
from app.core.byte_cache import ByteLru
from app.core.database import Database, UnitOfWork
from app.services import access, messages
from app.services.callers import Caller

CACHE_BYTES = 16 << 20
MAX_ENTRY_BYTES = 256 << 10
"""An answer of more bytes is not kept: some 50 messages of ordinary length are 15 kB."""


class RecentMessages:
    """Keeps answers, and gives one only as long as its room stands where it stood.

    Whatever a message object shows moves the `seq` of its room when it changes, whichever process changes it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: ByteLru[tuple[int, int], tuple[int, bytes]] = ByteLru(CACHE_BYTES, MAX_ENTRY_BYTES)

    async def recent(self, who: Caller, room_id: int, limit: int) -> bytes:
        """The newest messages, oldest first, as a JSON array. Raises RoomNotFound, DatabaseUnavailable."""
        room = await access.room_view(self._database, who, room_id)
        kept = self._kept.get((room_id, limit))
        if kept is not None and kept[0] == room.last_seq:
            return kept[1]
        seq, body = await self._database.read(_newest, who, room_id, limit)
        self._kept.put((room_id, limit), (seq, body), len(body))
        return body


def _newest(db: UnitOfWork, who: Caller, room_id: int, limit: int) -> tuple[int, bytes]:
    """Where the room stands and its newest messages, of one snapshot."""
    seq = access.room_for(db, who, room_id).last_seq
    return seq, strict_json.encode(messages.newest(db, room_id, limit))
