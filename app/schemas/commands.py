"""What a client can ask for over a socket. AsyncAPI is made from these models.

On `/ws/chat/{room_id}` the room is implied; on `/ws` every command about a room names it.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.schemas.fields import ClientId, Content, Emoji, Id, Ref, Seq, Strict, TokenText


class Command(Strict):
    """Any command may carry `ref`; the answer repeats it."""

    ref: Ref | None = None


class RoomCommand(Command):
    room_id: Id | None = None
    """May be left out on `/ws/chat/{room_id}`."""


class SendMessage(RoomCommand):
    """Say something. Answered by `ack` when there is a `ref` or a `client_id`."""

    type: Literal["message"]
    content: Content
    client_id: ClientId | None = None
    reply_to: Id | None = None


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
    type: Literal["reaction.add"]
    id: Id
    emoji: Emoji


class RemoveReaction(RoomCommand):
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
    """Hear a room, from `since` on (a `seq`) or from now."""

    type: Literal["subscribe"]
    since: Seq | None = None


class Unsubscribe(RoomCommand):
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

COMMANDS: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
