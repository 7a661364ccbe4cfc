"""The message object: the same on REST and on the socket, where it is the `message` event."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from app.core.clock import plain, rfc3339
from app.schemas.fields import ClientId, Content, Id, Instant, Seq, Strict, Timestamp


class MessageDraft(Strict):
    """Something to say. With a `client_id` it can be sent again for ever and is stored once."""

    content: Content
    client_id: ClientId | None = None
    reply_to: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "Hello, world!"}]})


class MessageEdit(Strict):
    content: Content


class ReactionOut(BaseModel):
    emoji: str
    users: list[str]


class MessageOut(BaseModel):
    """A message. Keys after `client_id` are there only when they say something."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: Literal["message"]
    id: Id
    room_id: Id
    seq: Seq
    """The change of the room that made it."""
    sender: str
    sender_id: Id
    message: str
    """The text; empty once the message is deleted."""
    timestamp: Timestamp
    """UTC."""
    created_at: Instant
    """The same moment, to the millisecond."""
    client_id: str | None
    """What the sender calls it."""
    reply_to: Id | None = None
    """The message it replies to."""
    changed_seq: Seq | None = None
    """The last change that touched it, when that is not the one that made it."""
    edited_at: Instant | None = None
    deleted_at: Instant | None = None
    reactions: list[ReactionOut] | None = None


class PostedMessage(MessageOut):
    """The answer to sending over REST."""

    duplicate: Literal[True] | None = None
    """This was a retry: the message was here already."""


class MessageRow(NamedTuple):
    """A stored message with its sender's name, as `services.messages` selects it."""

    id: int
    room_id: int
    seq: int
    changed_seq: int
    sender: str
    sender_id: int
    content: str
    created_at: int
    edited_at: int | None
    deleted_at: int | None
    client_id: str | None
    reply_to: int | None


def as_object(row: Sequence[Any], reactions: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The message object of a MessageRow (or a row of the same columns). Runs once for every message sent or read.

    `reactions` are in the shape of ReactionOut.
    """
    (
        number,
        room_id,
        seq,
        changed_seq,
        sender,
        sender_id,
        content,
        created_at,
        edited_at,
        deleted_at,
        client_id,
        reply_to,
    ) = row
    message: dict[str, Any] = {
        "type": "message",
        "id": number,
        "room_id": room_id,
        "seq": seq,
        "sender": sender,
        "sender_id": sender_id,
        "message": content,
        "timestamp": plain(created_at // 1000),
        "created_at": rfc3339(created_at),
        "client_id": client_id,
    }
    if reply_to is not None:
        message["reply_to"] = reply_to
    if changed_seq != seq:
        message["changed_seq"] = changed_seq
        if edited_at is not None:
            message["edited_at"] = rfc3339(edited_at)
        if deleted_at is not None:
            message["deleted_at"] = rfc3339(deleted_at)
        if reactions:
            message["reactions"] = reactions
    return message
