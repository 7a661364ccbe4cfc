"""Emoji under messages."""

from typing import Literal, TypedDict

from pydantic import BaseModel

from app.schemas.fields import Emoji, Id, Seq
from app.schemas.frames import Event, RoomCommand


class AddReaction(RoomCommand):
    """Put an emoji under a message. A second time changes nothing."""

    type: Literal["reaction.add"]
    id: Id
    emoji: Emoji


class RemoveReaction(RoomCommand):
    """Take one's emoji back."""

    type: Literal["reaction.remove"]
    id: Id
    emoji: Emoji


class ReactionChanged(Event):
    """Somebody put an emoji under a message, or took it back."""

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
    """`ReactionOut` as it goes over the wire."""

    emoji: str
    users: list[str]
