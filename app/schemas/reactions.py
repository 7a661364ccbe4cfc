"""Reactions: emoji under messages."""

from typing import Literal, TypedDict

from pydantic import BaseModel

from app.schemas.fields import Emoji, Id, Seq, StoredEmoji
from app.schemas.frames import Event, RoomCommand


class AddReaction(RoomCommand):
    """Add one emoji to a message. Adding it again changes nothing. Joins the room if necessary."""

    type: Literal["reaction.add"]
    id: Id
    emoji: Emoji


class RemoveReaction(RoomCommand):
    """Remove your own emoji. If there is none, nothing changes."""

    type: Literal["reaction.remove"]
    id: Id
    emoji: StoredEmoji


class ReactionChanged(Event):
    """A user added an emoji to a message, or removed it."""

    type: Literal["reaction"] = "reaction"
    room_id: Id
    id: Id
    seq: Seq
    emoji: str
    user: str
    action: Literal["add", "remove"]


class ReactionOut(BaseModel):
    emoji: str
    users: list[str]


class ReactionObject(TypedDict):
    """`ReactionOut` as sent."""

    emoji: str
    users: list[str]
