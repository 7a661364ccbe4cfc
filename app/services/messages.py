"""Reading messages, and changing ones that are there. New ones are the ledger's."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy import delete as delete_rows

from app.core.clock import now_ms, rfc3339
from app.core.database import UnitOfWork
from app.core.errors import Conflict, Forbidden, NotFound
from app.models import Message, Reaction, Room, User
from app.schemas.events import MessageDeleted, MessageUpdated
from app.schemas.fields import MAX_ID
from app.schemas.messages import as_object
from app.services import access
from app.services.access import Membership
from app.services.announcements import DurableEvents, announce
from app.services.callers import Caller

EDIT_WINDOW_MS = 24 * 60 * 60 * 1000

_m, _u = Message.__table__.c, User.__table__.c

COLUMNS = (
    _m.id,
    _m.room_id,
    _m.seq,
    _m.changed_seq,
    _u.username,
    _m.sender_id,
    _m.content,
    _m.created_at,
    _m.edited_at,
    _m.deleted_at,
    _m.client_id,
    _m.reply_to,
)
"""In the order of MessageRow. Plain columns of plain tables: rows need no detour through the ORM."""

STORED = select(*COLUMNS).join(User.__table__, _u.id == _m.sender_id)
IN_ROOM = STORED.where(_m.room_id == bindparam("room_id"))

# Statements of the endpoints that are asked most are made once.
_NEWEST = IN_ROOM.order_by(_m.id.desc()).limit(bindparam("limit"))
_OLDER = IN_ROOM.where(_m.id < bindparam("before")).order_by(_m.id.desc()).limit(bindparam("limit"))
_NEWER = (
    IN_ROOM.where(_m.id > bindparam("after"), _m.id < bindparam("before"))
    .order_by(_m.id)
    .limit(bindparam("limit"))
)
_ONE = IN_ROOM.where(_m.id == bindparam("id"))


class MessageNotFound(NotFound):
    """There is no such message in this room."""


class NotYourMessage(Forbidden):
    """Only its author can edit a message; its author or a moderator can delete it."""


class EditWindowClosed(Conflict):
    """A message can be edited for a day after it is sent."""


class MessageGone(Conflict):
    """This message has been deleted."""


def newest(db: UnitOfWork, room_id: int, limit: int) -> list[dict[str, Any]]:
    """The newest messages of a room, oldest first."""
    return as_objects(db, db.execute(_NEWEST, {"room_id": room_id, "limit": limit}).all()[::-1])


def page(
    db: UnitOfWork, who: Caller, room_id: int, before: int | None, after: int | None, limit: int
) -> list[dict[str, Any]]:
    """Messages with ids above `after` or below `before`, or the newest ones; oldest first. Raises RoomNotFound.

    By key and not by offset: page 20,000 costs what the first one costs, and nothing shifts under the reader.
    """
    access.room_for(db, who, room_id)
    if before is None and after is None:
        return newest(db, room_id, limit)
    wanted = {"room_id": room_id, "limit": limit}
    if after is not None:
        rows = db.execute(
            _NEWER, wanted | {"after": after, "before": MAX_ID if before is None else before}
        ).all()
    else:
        rows = db.execute(_OLDER, wanted | {"before": before}).all()[::-1]
    return as_objects(db, rows)


def as_objects(db: UnitOfWork, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Message objects of one room. Reactions are looked up only for messages that something has happened to."""
    touched = [(row[1], row[0]) for row in rows if row[3] != row[2]]
    reactions = reactions_to(db, touched) if touched else {}
    return [as_object(row, reactions.get((row[1], row[0]))) for row in rows]


def reactions_to(
    db: UnitOfWork, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """What people put under these messages, `(room_id, id)`, in the shape of ReactionOut, oldest emoji first."""
    rows = db.execute(
        select(Reaction.room_id, Reaction.message_id, Reaction.emoji, User.username)
        .join(User, User.id == Reaction.user_id)
        .where(tuple_(Reaction.room_id, Reaction.message_id).in_(keys))
        .order_by(Reaction.seq)
    )
    found: dict[tuple[int, int], dict[str, list[str]]] = {}
    for room_id, message_id, emoji, username in rows:
        found.setdefault((room_id, message_id), {}).setdefault(emoji, []).append(username)
    return {
        key: [{"emoji": emoji, "users": users} for emoji, users in emojis.items()]
        for key, emojis in found.items()
    }


def one(db: UnitOfWork, room_id: int, message_id: int) -> dict[str, Any]:
    """The message object as it is now."""
    return as_objects(db, db.execute(_ONE, {"room_id": room_id, "id": message_id}).all())[0]


def edit(db: UnitOfWork, member: Membership, message_id: int, content: str) -> int:
    """Change the text of one's own message. Returns the `seq` of the change.

    Raises MessageNotFound, MessageGone, NotYourMessage, EditWindowClosed.
    """
    room, message = live_message(db, member, message_id)
    if message.sender_id != member.user_id:
        raise NotYourMessage
    if now_ms() - message.created_at > EDIT_WINDOW_MS:
        raise EditWindowClosed
    db.erases = True
    message.content = content
    message.edited_at = now_ms()
    message.changed_seq = room.next_seq()
    db.flush()
    announce(
        db, DurableEvents(room.id, message.changed_seq, [updated(one(db, room.id, message_id)).encode()])
    )
    return message.changed_seq


def edited(db: UnitOfWork, member: Membership, message_id: int, content: str) -> dict[str, Any]:
    """The same; returns the message as this change left it, not as a later one of another device did."""
    edit(db, member, message_id, content)
    return one(db, member.room_id, message_id)


def delete(db: UnitOfWork, member: Membership, message_id: int) -> int:
    """Take back a message: its number stays, its text and reactions go. Returns the `seq` of the change.

    Raises MessageNotFound, MessageGone, NotYourMessage.
    """
    room, message = live_message(db, member, message_id)
    if message.sender_id != member.user_id and not member.may_moderate:
        raise NotYourMessage
    db.erases = True
    message.content = ""
    message.edited_at = (
        None  # the event does not tell it, so a copy that saw no edit would differ from one that did
    )
    message.deleted_at = now_ms()
    message.changed_seq = room.next_seq()
    db.execute(delete_rows(Reaction).where(Reaction.room_id == room.id, Reaction.message_id == message_id))
    gone = MessageDeleted(
        room_id=room.id, id=message_id, seq=message.changed_seq, deleted_at=rfc3339(message.deleted_at)
    )
    announce(db, DurableEvents(room.id, message.changed_seq, [gone.encode()]))
    return message.changed_seq


def live_message(db: UnitOfWork, member: Membership, message_id: int) -> tuple[Room, Message]:
    """A message that is still there, and its room, locked. Raises MessageNotFound, MessageGone."""
    room = db.get_one(Room, member.room_id, with_for_update=True)
    message = db.get(Message, (member.room_id, message_id))
    if message is None:
        raise MessageNotFound
    if message.deleted_at is not None:
        raise MessageGone
    return room, message


def updated(message: dict[str, Any]) -> MessageUpdated:
    """The event that brings a replica of this message up to date."""
    return MessageUpdated(
        room_id=message["room_id"],
        id=message["id"],
        seq=message.get("changed_seq", message["seq"]),
        content=message["message"],
        edited_at=message.get("edited_at"),
        reactions=message.get("reactions", []),
    )
