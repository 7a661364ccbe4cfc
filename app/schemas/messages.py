"""The message object: the same over REST and on the socket, where it is the `message` event."""

from typing import Literal, NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import ClientId, Content, Id, Instant, Seq, Strict, Timestamp
from app.schemas.frames import Event, RoomCommand
from app.schemas.reactions import ReactionObject, ReactionOut


class MessageDraft(Strict):
    """A message to send. With a `client_id` it can be sent again at any time and is stored once."""

    content: Content
    client_id: ClientId | None = None
    reply_to: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "Hello, world!"}]})


class MessageEdit(Strict):
    content: Content


PREVIEW_LENGTH = 200


class MessagePreview(BaseModel):
    """The last message of a room, in the list of rooms: without reactions, and with the beginning of its text."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: Literal["message"]
    id: Id
    room_id: Id
    seq: Seq
    """The room's change that created the message."""
    sender: str
    sender_id: Id
    message: str
    """The first 200 characters of the text."""
    timestamp: Timestamp
    """UTC."""
    created_at: Instant
    """The same moment, to the millisecond."""
    client_id: str | None
    """The sender's own name for the message."""
    reply_to: Id | None = None
    """The message it replies to."""
    changed_seq: Seq | None = None
    """The last change to the message, if it has changed since it was created."""
    edited_at: Instant | None = None
    deleted_at: Instant | None = None


class MessageOut(MessagePreview):
    """A message. Keys after `client_id` are present only if they have a value."""

    message: str
    """The text; empty once the message is deleted."""
    reactions: list[ReactionOut] | None = None


class PostedMessage(MessageOut):
    """The answer to a message sent over REST."""

    duplicate: Literal[True] | None = None
    """This was a retry: the message was already stored."""


class MessageObject(TypedDict):
    """`MessageOut` as sent, built without a model. A test keeps the two equal."""

    type: Literal["message"]
    id: int
    room_id: int
    seq: int
    sender: str
    sender_id: int
    message: str
    timestamp: str
    created_at: str
    client_id: str | None
    reply_to: NotRequired[int]
    changed_seq: NotRequired[int]
    edited_at: NotRequired[str]
    deleted_at: NotRequired[str]
    reactions: NotRequired[list[ReactionObject]]


def version(message: MessageObject) -> int:
    """The number of the last change to the message."""
    return message.get("changed_seq", message["seq"])


class PostedObject(MessageObject):
    """`PostedMessage` as sent."""

    duplicate: NotRequired[Literal[True]]


class SendMessage(RoomCommand):
    """Send a message. Joins the room if necessary. Answered by `ack` if there is a `ref` or a `client_id`."""

    type: Literal["message"]
    content: Content
    client_id: ClientId | None = None
    """The client's own name for the message. Sent again under the same name, it is stored once."""
    reply_to: Id | None = None
    """The id of a message in the same room."""


class EditMessage(RoomCommand):
    """Change your own message, within a day. The same text changes nothing."""

    type: Literal["message.edit"]
    id: Id
    content: Content


class DeleteMessage(RoomCommand):
    """Delete a message. It keeps its id and loses its text."""

    type: Literal["message.delete"]
    id: Id


class MessageUpdated(Event):
    """The current state of a message after an edit (while catching up, also after reactions)."""

    type: Literal["message.updated"] = "message.updated"
    room_id: Id
    id: Id
    seq: Seq
    content: str
    edited_at: Instant | None = None
    reactions: list[ReactionOut] = Field(default=[])

    @classmethod
    def of(cls, message: MessageObject) -> "MessageUpdated":
        """The event that updates a client's copy of this message."""
        return cls(
            room_id=message["room_id"],
            id=message["id"],
            seq=version(message),
            content=message["message"],
            edited_at=message.get("edited_at"),
            reactions=[ReactionOut(**reaction) for reaction in message.get("reactions", ())],
        )


class MessageDeleted(Event):
    """A message was deleted. It keeps its id; its text and reactions are gone."""

    type: Literal["message.deleted"] = "message.deleted"
    room_id: Id
    id: Id
    seq: Seq
    deleted_at: Instant
