"""The transaction of the ledger: lock the rooms, number the drafts, store them, announce them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, tuple_, update

from app.core import strict_json
from app.core.clock import now_ms
from app.core.database import DatabaseUnavailable, UnitOfWork
from app.core.database.compiled import CompiledWrite
from app.core.database.engines import can_skip_locked
from app.core.database.hints import update_by_key
from app.core.errors import AppError, Unavailable, Unprocessable
from app.models import Member, Message, Room
from app.schemas.messages import MessageObject
from app.services import epochs
from app.services.access import RoomNotFound
from app.services.announcements import DurableEvents, announce
from app.services.ledger.message_rows import (
    STORED,
    NewRow,
    as_object,
    as_objects,
    insert_rows,
    last_by_sender,
    new_row,
)

DraftKey = tuple[int, int, str | None]
"""Room, sender and the sender's own name for the message."""


class RoomLocked(Unavailable):
    """Another transaction has locked this room. No client is told so: the draft waits for it."""


class ReplyToNothing(Unprocessable):
    """The message this replies to does not exist."""


@dataclass(slots=True)
class Draft:
    """A message that has no number yet. Not frozen: that would double the time it takes to create."""

    room_id: int
    sender_id: int
    sender: str
    content: str
    client_id: str | None
    reply_to: int | None
    epoch: str
    """The epoch in which its sender was found to be a member."""
    refusal: AppError | None = None
    """Why it is not stored, unless it was stored before."""

    @property
    def key(self) -> DraftKey:
        return self.room_id, self.sender_id, self.client_id


@dataclass(slots=True)
class Posted:
    """A message that is on disk. Not frozen, like Draft."""

    message: MessageObject
    duplicate: bool
    """Whether it was stored before: the draft was a retry."""


Outcome = Posted | Exception


def record(
    db: UnitOfWork, drafts: Sequence[Draft], *, waits: bool = False, may_be_retries: bool = False
) -> list[Posted | AppError]:
    """Number, store and announce drafts, in their order. Rooms are locked in the order of their ids; those that another
    transaction has locked are RoomLocked, unless this `waits`. Raises IntegrityError if a draft was stored before and
    `may_be_retries` is False."""
    rooms, epoch, taken = _lock_rooms(db, {draft.room_id for draft in drafts}, waits=waits)
    originals = _find_originals(db, drafts) if may_be_retries else {}
    now = now_ms()
    outcomes: list[Posted | AppError] = []
    rows: list[NewRow] = []
    bodies: defaultdict[int, list[bytes]] = defaultdict(list)
    first_seqs = {room_id: counters.last_seq + 1 for room_id, counters in rooms.items()}
    for draft in drafts:
        original = None if draft.client_id is None else originals.get(draft.key)
        if original is not None:
            outcomes.append(Posted(original, duplicate=True))
            continue
        counters = rooms.get(draft.room_id)
        if counters is None:
            outcomes.append(RoomLocked() if draft.room_id in taken else RoomNotFound())
            continue
        refusal = _refusal(db, draft, counters, epoch)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        row = counters.number(draft, now)
        message = as_object(row)
        rows.append(row)
        bodies[draft.room_id].append(strict_json.encode(message))
        outcomes.append(Posted(message, False))
        if draft.client_id is not None:
            originals[draft.key] = message
    _store(db, rows, [rooms[room_id] for room_id in bodies])
    for room_id, written in bodies.items():
        announce(db, DurableEvents(room_id, first_seqs[room_id], written, epoch))
    return outcomes


def _refusal(db: UnitOfWork, draft: Draft, counters: "_Counters", epoch: str) -> Posted | AppError | None:
    """Why a draft is not numbered; None for almost all."""
    if draft.epoch != epoch:  # its sender was a member in another history, and may be another user here
        announce(db, DurableEvents(draft.room_id, counters.last_seq + 1, [], epoch))  # names the epoch
        return DatabaseUnavailable()
    refusal = draft.refusal
    if draft.reply_to is not None and draft.reply_to > counters.last_message_id:  # ids have no gaps
        refusal = ReplyToNothing()
    if refusal is None:
        return None
    # A draft with a known client_id is a retry, whatever it says this time.
    known = _find_originals(db, [draft]).get(draft.key)
    return Posted(known, duplicate=True) if known else refusal


@dataclass(slots=True)
class _Counters:
    """The two counters of a locked room."""

    room_id: int
    last_message_id: int
    last_seq: int

    def number(self, draft: Draft, now: int) -> NewRow:
        self.last_message_id += 1
        self.last_seq += 1
        return new_row(
            id=self.last_message_id,
            room_id=self.room_id,
            seq=self.last_seq,
            sender=draft.sender,
            sender_id=draft.sender_id,
            content=draft.content,
            created_at=now,
            client_id=draft.client_id,
            reply_to=draft.reply_to,
        )


_room = Room.__table__.c
_COUNTERS = (
    select(_room.id, _room.last_message_id, _room.last_seq, _room.epoch, epochs.valid())
    .where(_room.id.in_(bindparam("room_ids", expanding=True)))
    .order_by(_room.id)
)
_LOCK = _COUNTERS.with_for_update()
_LOCK_FREE = _COUNTERS.with_for_update(skip_locked=True)
_EXISTING = select(_room.id).where(_room.id.in_(bindparam("room_ids", expanding=True)))
_COUNT = CompiledWrite(
    update(Room)
    .where(Room.id == bindparam("room"))
    .values(
        last_message_id=bindparam("message"), last_live_id=bindparam("message"), last_seq=bindparam("seq")
    ),
    "message",
    "seq",
    "room",
)
_MARK_READ = CompiledWrite(
    update_by_key(update(Member))
    .where(Member.room_id == bindparam("room"), Member.user_id == bindparam("user"))
    .values(last_read_id=bindparam("message")),
    "message",
    "room",
    "user",
)


def _lock_rooms(
    db: UnitOfWork, room_ids: set[int], *, waits: bool
) -> tuple[dict[int, _Counters], str, Collection[int]]:
    """The rooms that are locked now, the epoch in which they stand from now on, and the ids of those that another
    transaction has locked."""
    connection = db.connection()
    statement = _LOCK if waits or not can_skip_locked(connection.dialect) else _LOCK_FREE
    rows = connection.execute(statement, {"room_ids": sorted(room_ids)}).all()
    others = room_ids - {row[0] for row in rows}
    taken = _existing(db, others) if others and not waits else ()
    epoch = ""
    for room_id, _, last_seq, entered, found in rows:
        epoch = found if found == entered else epochs.enter(db, room_id, last_seq, entered, found)
    return {row[0]: _Counters(row[0], row[1], row[2]) for row in rows}, epoch, taken


def _existing(db: UnitOfWork, room_ids: set[int]) -> set[int]:
    return set(db.connection().execute(_EXISTING, {"room_ids": sorted(room_ids)}).scalars())


def _find_originals(db: UnitOfWork, drafts: Sequence[Draft]) -> dict[DraftKey, MessageObject]:
    keys = {draft.key for draft in drafts if draft.client_id is not None}
    if not keys:
        return {}
    wanted = tuple_(Message.room_id, Message.sender_id, Message.client_id).in_(keys)
    messages = as_objects(db, db.execute(STORED.where(wanted)).all())
    return {(message["room_id"], message["sender_id"], message["client_id"]): message for message in messages}


def _store(db: UnitOfWork, rows: Sequence[NewRow], rooms: Sequence[_Counters]) -> None:
    """Four statements at most, however many messages, rooms and senders there are."""
    if not rows:
        return
    insert_rows(db, rows)
    connection = db.connection()
    _COUNT.run(connection, [(room.last_message_id, room.last_seq, room.room_id) for room in rooms])
    # A sender has read their own message. Members are locked in the order of their keys, as `receipts` does it too:
    # otherwise the two could deadlock.
    read = sorted(last_by_sender(rows).items())
    _MARK_READ.run(connection, [(last, *member) for member, last in read])
