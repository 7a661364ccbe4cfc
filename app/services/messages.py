"""Reads messages and changes stored ones. The ledger stores new ones."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy import delete as delete_rows

from app.core.clock import now_ms, rfc3339
from app.core.database import UnitOfWork
from app.core.errors import Conflict, Forbidden, NotFound
from app.models import DeletedMessage, Message, Reaction, Room
from app.schemas.fields import MAX_ID
from app.schemas.frames import Event
from app.schemas.messages import MessageDeleted, MessageObject, MessageUpdated
from app.services import access
from app.services.access import Membership
from app.services.announcements import DurableEvents, announce
from app.services.callers import Caller
from app.services.ledger.message_rows import IN_ROOM, Row, as_objects, objects_of, within

EDIT_WINDOW_MS = 24 * 60 * 60 * 1000
ANSWER_BYTES = 1 << 20
"""Size of one answer over REST: 200 long messages would be 6 MB, or 44 with their reactions."""

_m = Message.__table__.c

# Statements of the busiest endpoints are made once.
_NEWEST = IN_ROOM.order_by(_m.id.desc()).limit(bindparam("limit"))
_OLDER = IN_ROOM.where(_m.id < bindparam("before")).order_by(_m.id.desc()).limit(bindparam("limit"))
_NEWER = (
    IN_ROOM.where(_m.id > bindparam("after"), _m.id < bindparam("before"))
    .order_by(_m.id)
    .limit(bindparam("limit"))
)
_LIVE_BEFORE = (
    select(_m.id)
    .where(_m.room_id == bindparam("room_id"), _m.id < bindparam("before"), _m.deleted_at.is_(None))
    .order_by(_m.id.desc())
    .limit(1)
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


def newest(db: UnitOfWork, room_id: int, limit: int) -> list[MessageObject]:
    """The newest messages of a room, oldest first: `limit` of them, or as many as fit into an answer."""
    return _until(db, db.execute(_NEWEST, {"room_id": room_id, "limit": limit}).all())


def page(
    db: UnitOfWork, who: Caller, room_id: int, before: int | None, after: int | None, limit: int
) -> tuple[str, list[MessageObject]]:
    """The epoch, and messages with ids above `after` or below `before`, or the newest ones; oldest first. A page ends
    where the answer is full, at the end that is further from the cursor.

    Raises RoomNotFound.

    Pages go by key, not by offset: page 20,000 costs what the first one costs, and new messages shift nothing.
    """
    epoch = access.room_for(db, who, room_id).epoch
    if before is None and after is None:
        return epoch, newest(db, room_id, limit)
    wanted = {"room_id": room_id, "limit": limit}
    if after is not None:
        bounds = {"after": after, "before": MAX_ID if before is None else before}
        newer = db.execute(_NEWER, wanted | bounds).all()
        return epoch, within(ANSWER_BYTES, objects_of(db, newer))
    return epoch, _until(db, db.execute(_OLDER, wanted | {"before": before}).all())


def _until(db: UnitOfWork, newest_first: Sequence[Row]) -> list[MessageObject]:
    return within(ANSWER_BYTES, objects_of(db, newest_first))[::-1]


def one(db: UnitOfWork, room_id: int, message_id: int) -> MessageObject:
    """The message object as it is now."""
    return as_objects(db, db.execute(_ONE, {"room_id": room_id, "id": message_id}).all())[0]


def edit(db: UnitOfWork, member: Membership, message_id: int, content: str) -> MessageObject:
    """Change the text of the caller's own message; the same text changes nothing. Returns the message as it is then.

    Raises MessageNotFound, MessageGone, NotYourMessage, EditWindowClosed.
    """
    room, message = live_message(db, member, message_id)
    if message.sender_id != member.user_id:
        raise NotYourMessage
    if now_ms() - message.created_at > EDIT_WINDOW_MS:
        raise EditWindowClosed
    if message.content == content:
        return one(db, room.id, message_id)
    db.erases = True
    message.content = content
    message.edited_at = now_ms()
    message.changed_seq = room.next_seq()
    db.flush()
    edited = one(db, room.id, message_id)
    _announce(db, room, message, MessageUpdated.of(edited))
    return edited


def delete(db: UnitOfWork, member: Membership, message_id: int) -> int:
    """Delete a message: its number stays, its text and reactions go. Returns the `seq` of the change.

    Raises MessageNotFound, MessageGone, NotYourMessage.
    """
    room, message = live_message(db, member, message_id)
    if message.sender_id != member.user_id and not member.may_moderate:
        raise NotYourMessage
    db.erases = True
    message.content = ""
    # The event carries no `edited_at`: a replica that never saw the edit has to end up equal to one that did.
    message.edited_at = None
    message.deleted_at = now_ms()
    message.changed_seq = room.next_seq()
    db.execute(delete_rows(Reaction).where(Reaction.room_id == room.id, Reaction.message_id == message_id))
    db.add(DeletedMessage(room_id=room.id, id=message_id))
    if message_id == room.last_live_id:
        room.last_live_id = db.scalar(_LIVE_BEFORE, {"room_id": room.id, "before": message_id}) or 0
    gone = MessageDeleted(
        room_id=room.id, id=message_id, seq=message.changed_seq, deleted_at=rfc3339(message.deleted_at)
    )
    _announce(db, room, message, gone)
    return message.changed_seq


def live_message(db: UnitOfWork, member: Membership, message_id: int) -> tuple[Room, Message]:
    """A message that is not deleted, and its room, locked. Raises MessageNotFound, MessageGone."""
    room = access.locked_room(db, member, member.room_id)
    message = db.get(Message, (member.room_id, message_id))
    if message is None:
        raise MessageNotFound
    if message.deleted_at is not None:
        raise MessageGone
    return room, message


def _announce(db: UnitOfWork, room: Room, message: Message, event: Event) -> None:
    announce(db, DurableEvents(room.id, message.changed_seq, [event.encode()], room.epoch))
