"""What a connection says of itself, and the answers that any command can get."""

from typing import Literal

from app.schemas.auth import UserOut
from app.schemas.fields import Id, Instant, Ref, Seq
from app.schemas.frames import Command, Event


class Ping(Command):
    """Answered by `pong`."""

    type: Literal["ping"]


class Ready(Event):
    """The connection is open. On `/ws/chat/{room_id}` also where the room stands."""

    type: Literal["ready"] = "ready"
    user: UserOut
    session_id: str
    expires_at: Instant
    """When the token ends, and this connection with it unless `auth` renews it."""
    room_id: Id | None = None
    seq: Seq | None = None
    """The room's last change."""
    last_message_id: Seq | None = None
    last_read_id: Seq | None = None
    """Up to where this user has read."""


class Ack(Event):
    """A command was carried out, and what it changed is on disk."""

    type: Literal["ack"] = "ack"
    ref: Ref | None = None
    room_id: Id | None = None
    id: Seq | None = None
    """The message; after `read`, where the mark is now, which is 0 in a room without messages."""
    seq: Seq | None = None
    """The change of the room."""
    client_id: str | None = None
    created_at: Instant | None = None
    duplicate: bool | None = None
    """Whether the message was there before: this was a retry."""
    expires_at: Instant | None = None
    """After `auth`: when the new token ends."""


class Pong(Event):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"
    ref: Ref | None = None


class Error(Event):
    """A command was not carried out. The connection stays open."""

    type: Literal["error"] = "error"
    code: str
    """For programs; never changes."""
    detail: str
    """For people."""
    ref: Ref | None = None
    client_id: str | None = None


class Goodbye(Event):
    """The server goes away; come back after this long, with `since`."""

    type: Literal["goodbye"] = "goodbye"
    reconnect_after_ms: int
