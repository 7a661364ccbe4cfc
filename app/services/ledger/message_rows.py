"""The columns of a stored message, in the only place that knows their order.

Rows are plain tuples: a named tuple takes five times as long to create, and one is needed for every message.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select

from app.core import strict_json
from app.core.clock import plain, rfc3339
from app.core.database import UnitOfWork
from app.core.database.compiled import CompiledWrite
from app.models import Message, User
from app.schemas.messages import PREVIEW_LENGTH, MessageObject
from app.schemas.reactions import ReactionObject
from app.services.ledger.listed_reactions import Key, listed_reactions

Row = Sequence[Any]
"""A selected row that begins with the fields of a MessageRow, in their order."""
NewRow = tuple[int, int, int, int, str, int, str, int, None, None, str | None, int | None]
"""The fields of a MessageRow that is not stored yet."""


class MessageRow(NamedTuple):
    """A stored message with the name of its sender. Times are milliseconds since the epoch."""

    id: int
    room_id: int
    seq: int
    changed_seq: int
    sender: str
    sender_id: int
    content: str
    created_at: int
    edited_at: int | None
    deleted_at: int | None
    client_id: str | None
    reply_to: int | None


_m, _u = Message.__table__.c, User.__table__.c

COLUMNS = tuple(
    _u.username.label("sender") if field == "sender" else _m[field] for field in MessageRow._fields
)
"""What to select. Plain columns of plain tables: rows need no detour through the ORM."""
PREVIEW_COLUMNS = tuple(
    func.substr(_m.content, 1, PREVIEW_LENGTH).label("content") if column is _m.content else column
    for column in COLUMNS
)
"""The same with the beginning of the text."""

SHORT_TEXT = 256
SHORT_BYTES = 6 * SHORT_TEXT + 1_024
"""What a message without reactions and with a short text takes at most, so that it need not be encoded to be measured:
six bytes for a control character, and names of 64 characters."""

STORED = select(*COLUMNS).join(User.__table__, _u.id == _m.sender_id)
IN_ROOM = STORED.where(_m.room_id == bindparam("room_id"))

_ID, _ROOM, _SEQ, _CHANGED, _SENDER, _CLIENT_ID, _REPLY_TO = map(
    MessageRow._fields.index, ("id", "room_id", "seq", "changed_seq", "sender_id", "client_id", "reply_to")
)
_ALWAYS = ("id", "room_id", "seq", "changed_seq", "sender_id", "content", "created_at")
_INSERT_PLAIN = CompiledWrite(insert(Message), *_ALWAYS, of=MessageRow._fields)
"""Without the columns that most messages leave empty: sqlite3 took as long for a None as for the rest of a row."""
_INSERT = CompiledWrite(insert(Message), *_ALWAYS, "client_id", "reply_to", of=MessageRow._fields)


def new_row(  # noqa: PLR0913 - one for each column, by keyword
    *,
    id: int,  # noqa: A002 - the name of the column
    room_id: int,
    seq: int,
    sender: str,
    sender_id: int,
    content: str,
    created_at: int,
    client_id: str | None,
    reply_to: int | None,
) -> NewRow:
    return id, room_id, seq, seq, sender, sender_id, content, created_at, None, None, client_id, reply_to


def insert_rows(db: UnitOfWork, rows: Sequence[NewRow]) -> None:
    """Store new rows in two statements at most."""
    bare = [row for row in rows if row[_CLIENT_ID] is None and row[_REPLY_TO] is None]
    others = [row for row in rows if row[_CLIENT_ID] is not None or row[_REPLY_TO] is not None]
    connection = db.connection()
    if bare:
        _INSERT_PLAIN.run(connection, bare)
    if others:
        _INSERT.run(connection, others)


def last_by_sender(rows: Iterable[Row]) -> dict[tuple[int, int], int]:
    """The last message id of each (room id, sender id)."""
    return {(row[_ROOM], row[_SENDER]): row[_ID] for row in rows}


def is_present(row: Row) -> bool:
    """Whether an outer join found a message."""
    return row[_ID] is not None


def as_objects(db: UnitOfWork, rows: Sequence[Row]) -> list[MessageObject]:
    """Message objects of a few selected rows."""
    return list(objects_of(db, rows))


def objects_of(db: UnitOfWork, rows: Sequence[Row]) -> Iterator[MessageObject]:
    """Message objects of selected rows. Reactions are read only for messages that were changed, and only as far as the
    objects are asked for."""
    reactions = listed_reactions(db, [_key(row) for row in rows if is_touched(row)])
    return (as_object(row, next(reactions) if is_touched(row) else None) for row in rows)


def within(max_bytes: int, messages: Iterable[MessageObject]) -> list[MessageObject]:
    """The first messages that together take at most `max_bytes`, encoded; one at least, if there is any."""
    found: list[MessageObject] = []
    size = 0
    for message in messages:
        is_short = len(message["message"]) <= SHORT_TEXT and "reactions" not in message
        size += SHORT_BYTES if is_short else len(strict_json.encode(message)) + len(",")
        if size > max_bytes and found:
            break
        found.append(message)
    return found


def as_created(row: Row) -> MessageObject:
    """The message object without its later changes, but with the text that it has now."""
    if not is_touched(row):
        return as_object(row)
    made: Row = (*row[:_CHANGED], row[_SEQ], *row[_CHANGED + 1 :])
    return as_object(made)


def as_object(row: Row, reactions: list[ReactionObject] | None = None) -> MessageObject:
    """The message object of one row. Runs once for every message that is sent or read."""
    (
        message_id,
        room_id,
        seq,
        changed_seq,
        sender,
        sender_id,
        content,
        created_at,
        edited_at,
        deleted_at,
        client_id,
        reply_to,
    ) = row
    message: MessageObject = {
        "type": "message",
        "id": message_id,
        "room_id": room_id,
        "seq": seq,
        "sender": sender,
        "sender_id": sender_id,
        "message": content,
        "timestamp": plain(created_at // 1000),
        "created_at": rfc3339(created_at),
        "client_id": client_id,
    }
    if reply_to is not None:
        message["reply_to"] = reply_to
    if changed_seq != seq:
        message["changed_seq"] = changed_seq
        if edited_at is not None:
            message["edited_at"] = rfc3339(edited_at)
        if deleted_at is not None:
            message["deleted_at"] = rfc3339(deleted_at)
        if reactions:
            message["reactions"] = reactions
    return message


def _key(row: Row) -> Key:
    return row[_ROOM], row[_ID]


def is_touched(row: Row) -> bool:
    """Whether anything happened to the message after it was sent."""
    touched: bool = row[_CHANGED] != row[_SEQ]
    return touched
