"""Read marks: how far everyone has read. Those that come while others are being written go together in the next commit.

Every phone in a room marks every message, so marks outnumber messages by far, and they share the one writer with them.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update

from app.core.batching import Batcher, answer_all
from app.core.database import Database, UnitOfWork
from app.core.database.compiled import CompiledWrite
from app.core.errors import AppError
from app.models import Member, Room
from app.schemas.events import MessagesRead
from app.services.access import RoomNotFound
from app.services.announcements import EphemeralEvents, announce

PAUSE_SECONDS = 0.05
"""Between two commits of marks, so that they never take more than a few per cent of the writer from the messages. The
first one after a rest is written at once."""

Outcome = int | Exception
Key = tuple[int, int]


@dataclass(slots=True, eq=False)
class Receipt:
    """A member has read up to a message. `answer` is called once, in the event loop, after the commit, with where the
    mark is now."""

    room_id: int
    user_id: int
    username: str
    message_id: int
    answer: Callable[[Outcome], None]

    @property
    def key(self) -> Key:
        return self.room_id, self.user_id


class Receipts:
    """Takes marks, and writes many of them at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher: Batcher[Receipt, int | AppError] = Batcher(
            self._write, answer_all, _may_retry, pause=PAUSE_SECONDS
        )

    def submit(self, mark: Receipt) -> None:
        """Write a mark and call its `answer`."""
        self._batcher.submit(mark)

    async def drain(self) -> None:
        """Return when every mark submitted so far is answered."""
        await self._batcher.drain()

    async def _write(self, marks: Sequence[Receipt]) -> Sequence[int | AppError]:
        return await self._database.write(move, marks)


def move(db: UnitOfWork, marks: Sequence[Receipt]) -> list[int | AppError]:
    """Move marks forward, never back and no further than the last message. Returns where each is now.

    Three statements, however many marks there are. Rooms stay free for the ledger; the rows of members are locked in
    the order of their keys, as the ledger does it too, so that the two never wait for each other in a circle.
    """
    wanted: dict[Key, int] = {}
    for mark in marks:
        wanted[mark.key] = max(mark.message_id, wanted.get(mark.key, 0))
    stand = _stand(db, wanted)
    moves = {
        key: to
        for key in sorted(stand)
        if (to := min(wanted[key], stand[key].last_message_id)) > stand[key].last_read_id
    }
    if moves:
        _MOVE.run(db.connection(), [(to, *key) for key, to in moves.items()])
        stand |= _stand(db, moves)
        _tell(db, {key: to for key, to in moves.items() if stand[key].last_read_id == to}, marks)
    return [stand[mark.key].last_read_id if mark.key in stand else RoomNotFound() for mark in marks]


_STAND = (
    select(Member.room_id, Member.user_id, Member.last_read_id, Room.last_message_id)
    .join(Room, Room.id == Member.room_id)
    .where(
        Member.room_id.in_(bindparam("room_ids", expanding=True)),  # what MariaDB can look up in an index
        tuple_(Member.room_id, Member.user_id).in_(bindparam("keys", expanding=True)),
    )
)
_MOVE = CompiledWrite(
    update(Member)
    .where(
        Member.room_id == bindparam("room"),
        Member.user_id == bindparam("user"),
        Member.last_read_id < bindparam("message"),  # a message of theirs may have moved it meanwhile
    )
    .values(last_read_id=bindparam("message")),
    "message",
    "room",
    "user",
)


def _stand(db: UnitOfWork, keys: Collection[Key]) -> dict[Key, Any]:
    """Where these members and their rooms are; who is no member is left out."""
    rows = db.execute(_STAND, {"room_ids": list({room_id for room_id, _ in keys}), "keys": list(keys)})
    return {(row.room_id, row.user_id): row for row in rows}


def _tell(db: UnitOfWork, moved: Mapping[Key, int], marks: Sequence[Receipt]) -> None:
    """One event for each mark that has moved, and all of a room in one piece."""
    names = {mark.user_id: mark.username for mark in marks}
    bodies: defaultdict[int, list[bytes]] = defaultdict(list)
    for (room_id, user_id), to in moved.items():
        read = MessagesRead(room_id=room_id, user=names[user_id], user_id=user_id, id=to)
        bodies[room_id].append(read.encode())
    for room_id, events in bodies.items():
        announce(db, EphemeralEvents(room_id, events, not_to=0))


def _may_retry(_mark: Receipt, _error: Exception) -> bool:
    """No mark is worse than another: what stops one stops all, and each is told."""
    return False
