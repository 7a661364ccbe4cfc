"""Read receipts: how far each member has read.

Every phone in a room sends a receipt for every message, so receipts outnumber messages by far, and they share the one
writer thread with them. Those that arrive while others are being written go together in the next commit.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, tuple_, update

from app.core.batching import Batcher
from app.core.database import Database, UnitOfWork
from app.core.database.compiled import CompiledWrite
from app.core.database.engines import can_skip_locked
from app.core.database.hints import select_by_key, update_by_key
from app.core.errors import AppError
from app.models import Member, Room
from app.schemas.receipts import MessagesRead
from app.services.access import RoomNotFound
from app.services.announcements import EphemeralEvents, announce

PAUSE_SECONDS = 0.05
"""Between two commits of receipts, so that they take only a few per cent of the writer from messages. The first one
after a pause is written at once."""

Key = tuple[int, int]
"""Room and user id."""


@dataclass(slots=True)
class Receipt:
    """A member has read up to a message."""

    room_id: int
    user_id: int
    username: str
    message_id: int

    @property
    def key(self) -> Key:
        return self.room_id, self.user_id


class Receipts:
    """Writes receipts, many at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher: Batcher[Receipt, int | AppError] = Batcher(
            self._write, _may_retry, database.deadlines.begin, pause=PAUSE_SECONDS
        )

    def submit(self, receipt: Receipt, answer: Callable[[int | Exception], None]) -> None:
        """Write a receipt. `answer` is called once, in the event loop, with the last message id that is read now."""
        self._batcher.submit(receipt, answer)

    async def drain(self) -> None:
        """Return when every receipt submitted so far is answered."""
        await self._batcher.drain()

    async def _write(
        self, receipts: Sequence[Receipt]
    ) -> Sequence[int | AppError | Batcher[Receipt, int | AppError]]:
        """Receipts of locked members go again with the next batch, which no other one has to wait for."""
        outcomes = await self._database.write(move, receipts)
        return [self._batcher if outcome is None else outcome for outcome in outcomes]


def move(db: UnitOfWork, receipts: Sequence[Receipt]) -> list[int | AppError | None]:
    """Move read positions forward, never back and never past the last message. Returns where each is now, and None for
    a member whose row another transaction has locked.

    Three statements, however many receipts there are. No room is locked, so the ledger never waits; members are locked
    in the order of their keys, as the ledger does it too, so that the two cannot deadlock.
    """
    wanted: dict[Key, int] = {}
    for receipt in receipts:
        wanted[receipt.key] = max(receipt.message_id, wanted.get(receipt.key, 0))
    positions = _positions(db, wanted)
    moves = {
        key: to
        for key in sorted(positions)
        if (to := min(wanted[key], positions[key].last_message_id)) > positions[key].last_read_id
    }
    now = _lock_members(db, moves) if moves else {}
    moved = {key: to for key, to in moves.items() if key in now and to > now[key]}
    if moved:
        _MOVE.run(db.connection(), [(to, *key) for key, to in moved.items()])
        _announce(db, moved, receipts)
    here: dict[Key, int | None] = {key: position.last_read_id for key, position in positions.items()}
    here |= dict.fromkeys(moves) | now | moved
    return [here[receipt.key] if receipt.key in here else RoomNotFound() for receipt in receipts]


_POSITIONS = (
    select(Member.room_id, Member.user_id, Member.last_read_id, Room.last_message_id)
    .join(Room, Room.id == Member.room_id)
    .where(
        Member.room_id.in_(bindparam("room_ids", expanding=True)),  # MariaDB finds an index for this one only
        tuple_(Member.room_id, Member.user_id).in_(bindparam("keys", expanding=True)),
    )
)
_MOVE = CompiledWrite(
    update_by_key(update(Member))
    .where(Member.room_id == bindparam("room"), Member.user_id == bindparam("user"))
    .values(last_read_id=bindparam("message")),
    "message",
    "room",
    "user",
)


def _positions(db: UnitOfWork, keys: Collection[Key]) -> dict[Key, Any]:
    """The read positions of these members and the last ids of their rooms, without users who are not members."""
    rows = db.execute(_POSITIONS, {"room_ids": list({room_id for room_id, _ in keys}), "keys": list(keys)})
    return {(row.room_id, row.user_id): row for row in rows}


def _lock_members(db: UnitOfWork, keys: Collection[Key]) -> dict[Key, int]:
    """Lock these members, and tell how far they have read: a message of theirs may have moved it meanwhile. Those that
    are locked already are left out."""
    wanted = or_(*(and_(Member.room_id == room_id, Member.user_id == user_id) for room_id, user_id in keys))
    can_skip = can_skip_locked(db.connection().dialect)
    statement = select(Member.room_id, Member.user_id, Member.last_read_id).where(wanted)
    in_order = select_by_key(statement, Member).order_by(Member.room_id, Member.user_id)
    rows = db.execute(in_order.with_for_update(skip_locked=can_skip))
    return {(row.room_id, row.user_id): row.last_read_id for row in rows}


def _announce(db: UnitOfWork, moved: Mapping[Key, int], receipts: Sequence[Receipt]) -> None:
    """One event for each position that has moved, all of a room in one piece."""
    names = {receipt.user_id: receipt.username for receipt in receipts}
    bodies: defaultdict[int, list[bytes]] = defaultdict(list)
    for (room_id, user_id), to in moved.items():
        read = MessagesRead(room_id=room_id, user=names[user_id], user_id=user_id, id=to)
        bodies[room_id].append(read.encode())
    for room_id, events in bodies.items():
        announce(db, EphemeralEvents(room_id, events, not_to=0))


def _may_retry(_receipt: Receipt, _error: Exception) -> bool:
    """No receipt can spoil a batch: what stops one stops all, and each is answered."""
    return False
