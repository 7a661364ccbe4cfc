"""The ledger: the one way a message is numbered and stored.

Drafts that arrive while a transaction is on its way to the disk go together in the next one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from app.core import strict_json
from app.core.batching import Batcher, answer_all
from app.core.clock import now_ms
from app.core.database import Database, DatabaseUnavailable, UnitOfWork, Unknown
from app.core.database.compiled import CompiledWrite
from app.core.errors import AppError, Unprocessable
from app.models import Member, Message, Room
from app.schemas.messages import MessageDraft, MessageRow, as_object
from app.services import access, members
from app.services.access import Membership, RoomNotFound
from app.services.announcements import DurableEvents, announce
from app.services.callers import Caller
from app.services.messages import STORED, as_objects


class ReplyToNothing(Unprocessable):
    """The message this replies to does not exist."""


@dataclass(slots=True)
class Posted:
    """A message that is on disk. Not frozen: that took longer to make than all the rest of it."""

    message: dict[str, Any]
    duplicate: bool
    """Whether it was there before: the draft was a retry."""


Outcome = Posted | Exception


@dataclass(slots=True, eq=False)
class Draft:
    """A message on its way to its number. `answer` is called once, in the event loop, after the commit."""

    room_id: int
    sender_id: int
    sender: str
    content: str
    client_id: str | None
    reply_to: int | None
    answer: Callable[[Outcome], None]

    @property
    def key(self) -> tuple[int, int, str | None]:
        return self.room_id, self.sender_id, self.client_id


class Ledger:
    """Takes drafts from sockets and from REST alike."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher: Batcher[Draft, Posted | AppError] = Batcher(self._write, answer_all, _may_retry)

    def submit(self, draft: Draft) -> None:
        """Store a draft and call its `answer`. Drafts are numbered in the order they are submitted."""
        self._batcher.submit(draft)

    async def admit(self, who: Caller, room_id: int, reply_to: int | None) -> Membership:
        """The membership of somebody who is about to say something; an open room is joined on the way.

        Raises RoomNotFound, and ReplyToNothing before it joins: only what is said may bring somebody into a room.
        """
        room = await access.room_view(self._database, who, room_id)
        if room.member is not None:
            return room.member
        # A retry it cannot be: who has not joined has not spoken.
        if reply_to is not None and reply_to > room.last_message_id:
            raise ReplyToNothing
        return await self._database.write(members.enter, who, room_id)

    async def post(self, member: Membership, draft: MessageDraft) -> Posted:
        """Store a draft. Raises ReplyToNothing, RoomNotFound, DatabaseUnavailable, Unknown."""
        answer: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            if answer.done():
                return
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

        self.submit(
            Draft(
                member.room_id,
                member.user_id,
                member.username,
                draft.content,
                draft.client_id,
                draft.reply_to,
                settle,
            )
        )
        return await answer

    async def drain(self) -> None:
        """Return when every draft submitted so far is answered."""
        await self._batcher.drain()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Posted | AppError]:
        """Retries are rare, so nobody looks for originals until the database says that there is one."""
        try:
            return await self._database.write(record, drafts)
        except IntegrityError:
            return await self._database.write(record, drafts, may_be_retries=True)
        except Unknown:
            if any(draft.client_id is None for draft in drafts):
                raise
            try:  # every draft can be recognised, so it may go again; if it cannot, it is as unknown as before
                return await self._database.write(record, drafts, may_be_retries=True)
            except DatabaseUnavailable:
                raise Unknown from None


def record(
    db: UnitOfWork, drafts: Sequence[Draft], *, may_be_retries: bool = False
) -> list[Posted | AppError]:
    """Number and store drafts, in their order, and announce them. Room rows are locked in the order of their ids.

    Raises IntegrityError if a draft was stored before and nobody looked.
    """
    rooms = _lock_rooms(db, {draft.room_id for draft in drafts})
    originals = _find_originals(db, drafts) if may_be_retries else {}
    now = now_ms()
    outcomes: list[Posted | AppError] = []
    rows: list[Row] = []
    bodies: defaultdict[int, list[bytes]] = defaultdict(list)
    first_seqs = {room_id: counters.last_seq + 1 for room_id, counters in rooms.items()}
    for draft in drafts:
        original = None if draft.client_id is None else originals.get(draft.key)
        if original is not None:
            outcomes.append(Posted(original, duplicate=True))
            continue
        counters = rooms.get(draft.room_id)
        if counters is None:
            outcomes.append(RoomNotFound())
            continue
        if draft.reply_to is not None and draft.reply_to > counters.last_message_id:  # ids have no gaps
            # Whatever comes under a known name is a retry, also if it says something else.
            known = _find_originals(db, [draft]).get(draft.key)
            outcomes.append(Posted(known, duplicate=True) if known else ReplyToNothing())
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
        announce(db, DurableEvents(room_id, first_seqs[room_id], written))
    return outcomes


Row = tuple[int, int, int, int, str, int, str, int, None, None, str | None, int | None]
"""The fields of a MessageRow. A named tuple takes five times as long to make."""


@dataclass(slots=True)
class Counters:
    """The two numbers of a locked room."""

    room_id: int
    last_message_id: int
    last_seq: int

    def number(self, draft: Draft, now: int) -> Row:
        self.last_message_id += 1
        self.last_seq += 1
        return (
            self.last_message_id,
            self.room_id,
            self.last_seq,
            self.last_seq,
            draft.sender,
            draft.sender_id,
            draft.content,
            now,
            None,
            None,
            draft.client_id,
            draft.reply_to,
        )


_room = Room.__table__.c
_LOCK = (
    select(_room.id, _room.last_message_id, _room.last_seq)
    .where(_room.id.in_(bindparam("room_ids", expanding=True)))
    .order_by(_room.id)
    .with_for_update()
)
_PLAIN = ("id", "room_id", "seq", "changed_seq", "sender_id", "content", "created_at")
_INSERT_PLAIN = CompiledWrite(insert(Message), *_PLAIN, of=MessageRow._fields)
"""Without what most messages do not have: sqlite3 took as long for a None as for the rest of a row."""
_INSERT = CompiledWrite(insert(Message), *_PLAIN, "client_id", "reply_to", of=MessageRow._fields)
_COUNT = CompiledWrite(
    update(Room)
    .where(Room.id == bindparam("room"))
    .values(last_message_id=bindparam("message"), last_seq=bindparam("seq")),
    "message",
    "seq",
    "room",
)
_MARK = CompiledWrite(
    update(Member)
    .where(Member.room_id == bindparam("room"), Member.user_id == bindparam("user"))
    .values(last_read_id=bindparam("message")),
    "message",
    "room",
    "user",
)


def _lock_rooms(db: UnitOfWork, room_ids: set[int]) -> dict[int, Counters]:
    rows = db.connection().execute(_LOCK, {"room_ids": sorted(room_ids)})
    return {row[0]: Counters(*row) for row in rows}


def _find_originals(
    db: UnitOfWork, drafts: Sequence[Draft]
) -> dict[tuple[int, int, str | None], dict[str, Any]]:
    keys = {draft.key for draft in drafts if draft.client_id is not None}
    if not keys:
        return {}
    wanted = tuple_(Message.room_id, Message.sender_id, Message.client_id).in_(keys)
    rows = db.execute(STORED.where(wanted)).all()
    messages = as_objects(db, rows)
    return {(message["room_id"], message["sender_id"], message["client_id"]): message for message in messages}


def _store(db: UnitOfWork, rows: Sequence[Row], rooms: Sequence[Counters]) -> None:
    """Four statements at most, however many messages, rooms and senders there are."""
    if not rows:
        return
    connection = db.connection()
    plain = [row for row in rows if row[_CLIENT_ID] is None and row[_REPLY_TO] is None]
    others = [row for row in rows if row[_CLIENT_ID] is not None or row[_REPLY_TO] is not None]
    if plain:
        _INSERT_PLAIN.run(connection, plain)
    if others:
        _INSERT.run(connection, others)
    _COUNT.run(connection, [(room.last_message_id, room.last_seq, room.room_id) for room in rooms])
    # Who speaks has read: one's own words are never unread.
    spoke = {(row[_ROOM], row[_SENDER]): row[_ID] for row in rows}
    # In the order of their keys, as `marks` does it too: else the two would wait for each other in a circle.
    _MARK.run(connection, [(last, *who) for who, last in sorted(spoke.items())])


_ID, _ROOM, _SENDER, _CLIENT_ID, _REPLY_TO = map(
    MessageRow._fields.index, ("id", "room_id", "sender_id", "client_id", "reply_to")
)


def _may_retry(draft: Draft, error: Exception) -> bool:
    """After a failed COMMIT nobody knows; only a draft that can be recognised may go again."""
    if isinstance(error, DatabaseUnavailable):
        return False
    return not isinstance(error, Unknown) or draft.client_id is not None
