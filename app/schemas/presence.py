"""Presence and typing: events that are never stored."""

from typing import Literal

from pydantic import BaseModel

from app.schemas.fields import Id
from app.schemas.frames import Event, RoomCommand


class Typing(RoomCommand):
    """Tell the other listeners that the user is typing. Repeat it at most every 3 seconds; they show it for 7."""

    type: Literal["typing"]


class UserTyping(Event):
    """A user is typing: show it for 7 seconds. The user who types does not receive it."""

    type: Literal["typing"] = "typing"
    room_id: Id
    user: str
    user_id: Id


class Presence(Event):
    """The users who came and went since the last such event. Above 200 users only `count` is sent."""

    type: Literal["presence"] = "presence"
    room_id: Id
    count: int
    online: list[str] | None = None
    offline: list[str] | None = None


class PresenceOut(BaseModel):
    """The users who are connected now. Above 200 users `users` is empty."""

    room_id: Id
    count: int
    users: list[str]
