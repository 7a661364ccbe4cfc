"""What the server tells over a socket. AsyncAPI is made from these models.

Durable events carry `seq`, the room's own count of changes, without gaps; they are never dropped. Ephemeral ones
(`typing`, `read`, `presence`) carry none and are dropped first. Only `message` has all five of `type`, `room_id`,
`sender`, `message` and `timestamp`: clients append whatever has them to the conversation.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core import strict_json
from app.schemas.auth import UserOut
from app.schemas.fields import Id, Instant, Ref, Seq
from app.schemas.messages import MessageOut, ReactionOut


class Event(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    def encode(self) -> bytes:
        """The frame's JSON. A key that says nothing is left out."""
        return strict_json.encode(self.model_dump(exclude_none=True))


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


class MessageUpdated(Event):
    """A message as it is now, after an edit (or, while catching up, after reactions)."""

    type: Literal["message.updated"] = "message.updated"
    room_id: Id
    id: Id
    seq: Seq
    content: str
    edited_at: Instant | None = None
    reactions: list[ReactionOut] = []


class MessageDeleted(Event):
    """A message was taken back: its number stays, its text and reactions are gone."""

    type: Literal["message.deleted"] = "message.deleted"
    room_id: Id
    id: Id
    seq: Seq
    deleted_at: Instant


class ReactionChanged(Event):
    """Somebody put an emoji under a message, or took it back."""

    type: Literal["reaction"] = "reaction"
    room_id: Id
    id: Id
    seq: Seq
    emoji: str
    user: str
    action: Literal["add", "remove"]


class MemberJoined(Event):
    """Somebody is in the room from now on, whether connected or not."""

    type: Literal["member.joined"] = "member.joined"
    room_id: Id
    seq: Seq
    user: str
    user_id: Id
    role: str


class UserTyping(Event):
    """Somebody is typing: show it for 7 seconds. Its author does not hear it."""

    type: Literal["typing"] = "typing"
    room_id: Id
    user: str
    user_id: Id


class MessagesRead(Event):
    """How far somebody has read. Their other connections hear it too."""

    type: Literal["read"] = "read"
    room_id: Id
    user: str
    user_id: Id
    id: Id


class Presence(Event):
    """Who came and who went since the last such event. Above 200 people only `count` is told."""

    type: Literal["presence"] = "presence"
    room_id: Id
    count: int
    online: list[str] | None = None
    offline: list[str] | None = None


class Synced(Event):
    """Everything up to `seq` has been sent. If `truncated`, there was too much: load the history over REST."""

    type: Literal["synced"] = "synced"
    room_id: Id
    seq: Seq
    last_message_id: Seq
    last_read_id: Seq
    truncated: bool
    ref: Ref | None = None


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


AnyEvent = Annotated[
    Ready
    | MessageOut
    | MessageUpdated
    | MessageDeleted
    | ReactionChanged
    | MemberJoined
    | UserTyping
    | MessagesRead
    | Presence
    | Synced
    | Ack
    | Pong
    | Error
    | Goodbye,
    Field(discriminator="type"),
]
