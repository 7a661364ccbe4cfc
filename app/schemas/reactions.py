"""Reactions: emoji under messages."""

from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict

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
    count: Seq
    """The users of this emoji on the message, now."""


class ReactionOut(BaseModel):
    """One emoji on a message."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    emoji: str
    users: list[str]
    """The first 100 users, in the order they reacted; fewer if a message carries very many long names."""
    count: Id
    """All users, also those that `users` leaves out."""


class ReactionObject(TypedDict):
    """`ReactionOut` as sent."""

    emoji: str
    users: list[str]
    count: int


class ReactionEntry(BaseModel):
    """One user's emoji on a message."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    emoji: str
    user: str
    user_id: Id
    seq: Seq
    """The room's change that added it."""
