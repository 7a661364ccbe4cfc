"""Events about a connection, and the answers to any command."""

from typing import Literal

from app.schemas.auth import UserOut
from app.schemas.fields import EpochName, Id, Instant, Ref, Seq
from app.schemas.frames import Command, Event


class Ping(Command):
    """Answered by `pong`."""

    type: Literal["ping"]


class Ready(Event):
    """The connection is open. On `/ws/chat/{room_id}` it includes the position of the room."""

    type: Literal["ready"] = "ready"
    user: UserOut
    session_id: str
    expires_at: Instant
    """When the token expires; the connection is closed then, unless `auth` renews it."""
    features: list[str]
    """The commands that this server knows, and the optional keys of each, as `message:reply_to`."""
    room_id: Id | None = None
    seq: Seq | None = None
    """The room's last change."""
    epoch: EpochName | None = None
    """The epoch of these numbers: hand it back together with `since`."""
    last_message_id: Seq | None = None
    last_read_id: Seq | None = None
    """The last message that this user has read."""


class Ack(Event):
    """A command succeeded, and its change is on disk."""

    type: Literal["ack"] = "ack"
    ref: Ref | None = None
    room_id: Id | None = None
    id: Seq | None = None
    """The message; after `read`, the last message that is read now, or 0 in a room without messages."""
    seq: Seq | None = None
    """The number of the change."""
    client_id: str | None = None
    created_at: Instant | None = None
    duplicate: bool | None = None
    """Whether the message was already stored: this was a retry."""
    expires_at: Instant | None = None
    """After `auth`: when the new token expires."""


class Pong(Event):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"
    ref: Ref | None = None


class Error(Event):
    """A command failed. The connection stays open."""

    type: Literal["error"] = "error"
    code: str
    """For programs; never changes."""
    detail: str
    """For people."""
    retry_after: Seq | None = None
    """Nothing was stored, and the same command can succeed after this many seconds."""
    ref: Ref | None = None
    client_id: str | None = None


class Goodbye(Event):
    """The server is shutting down, or its data were put back: reconnect after this many milliseconds, with `since`."""

    type: Literal["goodbye"] = "goodbye"
    reconnect_after_ms: int
