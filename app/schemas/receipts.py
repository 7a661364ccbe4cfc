"""Read receipts: how far a member has read."""

from typing import Literal

from app.schemas.fields import Id
from app.schemas.frames import Event, RoomCommand


class Read(RoomCommand):
    """Mark everything up to this message as read. The receipt never moves backward. Joins the room if necessary."""

    type: Literal["read"]
    id: Id


class MessagesRead(Event):
    """How far a user has read. The user's own other connections receive it too."""

    type: Literal["read"] = "read"
    room_id: Id
    user: str
    user_id: Id
    id: Id
