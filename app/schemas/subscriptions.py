"""Listening to a room."""

from typing import Literal

from app.schemas.fields import Id, Ref, Seq
from app.schemas.frames import Event, RoomCommand


class Subscribe(RoomCommand):
    """Hear a room, from `since` on or from now. An open room is joined on the way. Answered by `synced`."""

    type: Literal["subscribe"]
    since: Seq | None = None
    """The last `seq` of the room that the client has."""


class Unsubscribe(RoomCommand):
    """Hear a room no more."""

    type: Literal["unsubscribe"]


class Synced(Event):
    """Everything up to `seq` has been sent. If `truncated`, there was too much: load the history over REST."""

    type: Literal["synced"] = "synced"
    room_id: Id
    seq: Seq
    last_message_id: Seq
    last_read_id: Seq
    truncated: bool
    ref: Ref | None = None
