"""What a client can ask for over a socket. AsyncAPI is made from these models.

On `/ws/chat/{room_id}` the room is implied; on `/ws` every command about a room names it.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.schemas.fields import ClientId, Content, Emoji, Id, Ref, Seq, Strict, TokenText


class Command(Strict):
    """Any command may carry `ref`; the answer repeats it."""

    ref: Ref | None = None
    """What the client calls this command; the answer repeats it."""


class RoomCommand(Command):
    room_id: Id | None = None
    """May be left out on `/ws/chat/{room_id}`."""


class SendMessage(RoomCommand):
    """Say something. Answered by `ack` when there is a `ref` or a `client_id`."""

    type: Literal["message"]
    content: Content
    client_id: ClientId | None = None
    """The client's own name for the message. Sent again under it, the message is stored once."""
    reply_to: Id | None = None
    """The id of a message in the same room."""


class EditMessage(RoomCommand):
    """Change one's own message within a day."""

    type: Literal["message.edit"]
    id: Id
    content: Content


class DeleteMessage(RoomCommand):
    """Take back a message; its number stays, its text goes."""

    type: Literal["message.delete"]
    id: Id


class AddReaction(RoomCommand):
    """Put an emoji under a message. A second time changes nothing."""

    type: Literal["reaction.add"]
    id: Id
    emoji: Emoji


class RemoveReaction(RoomCommand):
    """Take one's emoji back."""

    type: Literal["reaction.remove"]
    id: Id
    emoji: Emoji


class Typing(RoomCommand):
    """Repeat every 3 seconds at most; others show it for 7."""

    type: Literal["typing"]


class Read(RoomCommand):
    """Everything up to this message is read. The mark never goes back."""

    type: Literal["read"]
    id: Id


class Subscribe(RoomCommand):
    """Hear a room, from `since` on or from now. An open room is joined on the way. Answered by `synced`."""

    type: Literal["subscribe"]
    since: Seq | None = None
    """The last `seq` of the room that the client has."""


class Unsubscribe(RoomCommand):
    """Hear a room no more."""

    type: Literal["unsubscribe"]


class Renew(Command):
    """A fresh access token for this connection, of the same login."""

    type: Literal["auth"]
    token: TokenText


class Ping(Command):
    """Answered by `pong`."""

    type: Literal["ping"]


AnyCommand = Annotated[
    SendMessage
    | EditMessage
    | DeleteMessage
    | AddReaction
    | RemoveReaction
    | Typing
    | Read
    | Subscribe
    | Unsubscribe
    | Renew
    | Ping,
    Field(discriminator="type"),
]

COMMAND_ADAPTER: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
