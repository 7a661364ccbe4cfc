"""Read receipts: how far a member has read."""

from typing import Literal

from app.schemas.fields import Id
from app.schemas.frames import Event, RoomCommand


class Read(RoomCommand):
    """Everything up to this message is read. The mark never goes back."""

    type: Literal["read"]
    id: Id


class MessagesRead(Event):
    """How far somebody has read. Their other connections hear it too."""

    type: Literal["read"] = "read"
    room_id: Id
    user: str
    user_id: Id
    id: Id
