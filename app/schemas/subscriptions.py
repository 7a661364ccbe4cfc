"""Listening to a room."""

from typing import Literal

from app.schemas.fields import EpochName, Id, Ref, Seq
from app.schemas.frames import Event, RoomCommand


class Subscribe(RoomCommand):
    """Start listening to a room, from `since` or from now. Joins it if necessary. Answered by `synced`."""

    type: Literal["subscribe"]
    since: Seq | None = None
    """The last `seq` of the room that the client has."""
    epoch: EpochName | None = None
    """The epoch of `since`. Without it, a history that went backward is noticed only where `since` lies ahead of it."""


class Unsubscribe(RoomCommand):
    """Stop listening to a room. The user remains a member."""

    type: Literal["unsubscribe"]


class Synced(Event):
    """Everything up to `seq` has been sent, or nothing if `truncated`: then reload the history over REST."""

    type: Literal["synced"] = "synced"
    room_id: Id
    seq: Seq
    epoch: EpochName
    """The epoch of `seq`: hand it back together with `since`."""
    last_message_id: Seq
    last_read_id: Seq
    truncated: bool
    ref: Ref | None = None
