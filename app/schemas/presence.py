"""Who is here and who is typing: events that are never stored."""

from typing import Literal

from pydantic import BaseModel

from app.schemas.fields import Id
from app.schemas.frames import Event, RoomCommand


class Typing(RoomCommand):
    """Repeat every 3 seconds at most; others show it for 7."""

    type: Literal["typing"]


class UserTyping(Event):
    """Somebody is typing: show it for 7 seconds. Its author does not hear it."""

    type: Literal["typing"] = "typing"
    room_id: Id
    user: str
    user_id: Id


class Presence(Event):
    """Who came and who went since the last such event. Above 200 people only `count` is told."""

    type: Literal["presence"] = "presence"
    room_id: Id
    count: int
    online: list[str] | None = None
    offline: list[str] | None = None


class PresenceOut(BaseModel):
    """Who is here now. Above 200 people only the count is told."""

    room_id: Id
    count: int
    users: list[str]
