"""Emoji under messages."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select

from app.core import strict_json
from app.core.database import UnitOfWork
from app.core.emoji import fully_qualified
from app.core.errors import Conflict
from app.models import Message, Reaction, Room, User
from app.schemas.reactions import ReactionChanged, ReactionEntry
from app.services import access, members
from app.services.access import Membership
from app.services.announcements import DurableEvents, announce
from app.services.callers import Caller
from app.services.messages import MessageNotFound, live_message

MAX_EMOJI = 50
"""Different emoji that one message can carry."""
PAGE = 1000
"""Reactions in one answer: half a megabyte at most."""


@dataclass(frozen=True, slots=True)
class ReactionPage:
    """Reactions to one message, in the order of their numbers."""

    epoch: str
    entries: list[ReactionEntry]
    has_more: bool

    def encode(self) -> bytes:
        """A JSON array of the entries."""
        return strict_json.encode([entry.model_dump() for entry in self.entries])


class TooManyReactions(Conflict):
    """This message already carries as many different emoji as it can."""


def add(db: UnitOfWork, member: Membership, message_id: int, emoji: str) -> int:
    """Put an emoji, fully qualified, under a message; a second time changes nothing. Returns the message's last `seq`.

    A caller who has not joined the room joins it, with the number before.

    Raises MessageNotFound, MessageGone, TooManyReactions.
    """
    room, message = live_message(db, member, message_id)
    if _find(db, member, message_id, emoji) is not None:
        return message.changed_seq
    users = _users_of_each(db, room.id, message_id)
    if emoji not in users and len(users) >= MAX_EMOJI:
        raise TooManyReactions
    if not member.has_joined:
        members.enter(db, member, room.id)
    seq = _number(db, member, room, message, emoji, action="add", count=users.get(emoji, 0) + 1)
    db.add(Reaction(room_id=room.id, message_id=message_id, user_id=member.user_id, emoji=emoji, seq=seq))
    return seq


def remove(db: UnitOfWork, member: Membership, message_id: int, emoji: str) -> int:
    """Remove the caller's emoji; if there is none, nothing changes. Returns the message's last `seq`.

    Raises MessageNotFound, MessageGone.
    """
    room, message = live_message(db, member, message_id)
    reaction = _find(db, member, message_id, emoji)
    if reaction is None:
        return message.changed_seq
    users = _users_of_each(db, room.id, message_id)
    db.delete(reaction)
    return _number(
        db, member, room, message, reaction.emoji, action="remove", count=users[reaction.emoji] - 1
    )


def _find(db: UnitOfWork, member: Membership, message_id: int, emoji: str) -> Reaction | None:
    """The caller's reaction with this emoji. What is stored may be older than the rule that emoji are completed, or no
    emoji at all; it is found as it is, and in its completed form."""
    own = select(Reaction).where(
        Reaction.room_id == member.room_id,
        Reaction.message_id == message_id,
        Reaction.user_id == member.user_id,
    )
    same = [one for one in db.scalars(own) if _completed(one.emoji) == _completed(emoji)]
    return min(same, key=lambda one: one.emoji != emoji, default=None)


def _completed(emoji: str) -> str:
    return fully_qualified(emoji) or emoji


def page(
    db: UnitOfWork, who: Caller, room_id: int, message_id: int, after: int, emoji: str | None
) -> ReactionPage:
    """The reactions to a message that were added after a number, oldest first; of all emoji or of one.

    Raises RoomNotFound, MessageNotFound.
    """
    room = access.room_for(db, who, room_id)
    if message_id > room.last_message_id:  # ids have no gaps
        raise MessageNotFound
    wanted = (
        select(Reaction.emoji, User.username, Reaction.user_id, Reaction.seq)
        .join(User, User.id == Reaction.user_id)
        .where(Reaction.room_id == room_id, Reaction.message_id == message_id, Reaction.seq > after)
        .order_by(Reaction.seq)
        .limit(PAGE + 1)
    )
    rows = db.execute(wanted if emoji is None else wanted.where(Reaction.emoji == emoji)).all()
    entries = [ReactionEntry(emoji=kind, user=name, user_id=id_, seq=seq) for kind, name, id_, seq in rows]
    return ReactionPage(room.epoch, entries[:PAGE], len(entries) > PAGE)


def _users_of_each(db: UnitOfWork, room_id: int, message_id: int) -> dict[str, int]:
    rows = db.execute(
        select(Reaction.emoji, func.count().label("users"))
        .where(Reaction.room_id == room_id, Reaction.message_id == message_id)
        .group_by(Reaction.emoji)
    )
    return {row.emoji: row.users for row in rows}


def _number(  # noqa: PLR0913 - what the event says
    db: UnitOfWork,
    member: Membership,
    room: Room,
    message: Message,
    emoji: str,
    *,
    action: Literal["add", "remove"],
    count: int,
) -> int:
    """Number and announce the change, after which `count` users have this emoji."""
    seq = message.changed_seq = room.next_seq()
    changed = ReactionChanged(
        room_id=room.id, id=message.id, seq=seq, emoji=emoji, user=member.username, action=action, count=count
    )
    announce(db, DurableEvents(room.id, seq, [changed.encode()], room.epoch))
    return seq
