"""Emoji under messages."""

from typing import Literal

from sqlalchemy import func, select

from app.core.database import UnitOfWork
from app.core.emoji import fully_qualified
from app.core.errors import Conflict
from app.models import Message, Reaction, Room
from app.schemas.reactions import ReactionChanged
from app.services import members
from app.services.access import Membership
from app.services.announcements import DurableEvents, announce
from app.services.messages import live_message

MAX_EMOJI = 50
"""Different emoji that one message can carry."""


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
    kinds = select(func.count(Reaction.emoji.distinct())).where(
        Reaction.room_id == room.id, Reaction.message_id == message_id, Reaction.emoji != emoji
    )
    if db.scalars(kinds).one() >= MAX_EMOJI:
        raise TooManyReactions
    if not member.has_joined:
        members.enter(db, member, room.id)
    seq = _number(db, member, room, message, emoji, "add")
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
    db.delete(reaction)
    return _number(db, member, room, message, reaction.emoji, "remove")


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


def _number(
    db: UnitOfWork,
    member: Membership,
    room: Room,
    message: Message,
    emoji: str,
    action: Literal["add", "remove"],
) -> int:
    """Number and announce the change."""
    seq = message.changed_seq = room.next_seq()
    changed = ReactionChanged(
        room_id=room.id, id=message.id, seq=seq, emoji=emoji, user=member.username, action=action
    )
    announce(db, DurableEvents(room.id, seq, [changed.encode()], room.epoch))
    return seq
