"""Every event that the server sends over a socket. AsyncAPI is made from these models.

Durable events carry `seq`, the room's own count of changes, without gaps; they are never dropped. Ephemeral ones
(`typing`, `read`, `presence`) carry none and are dropped first. Only `message` has all five of `type`, `room_id`,
`sender`, `message` and `timestamp`: clients append every frame that has them to the conversation.
"""

from typing import Annotated

from pydantic import Field

from app.schemas.connections import Ack, Error, Goodbye, Pong, Ready
from app.schemas.members import MemberJoined
from app.schemas.messages import MessageDeleted, MessageOut, MessageUpdated
from app.schemas.presence import Presence, UserTyping
from app.schemas.reactions import ReactionChanged
from app.schemas.receipts import MessagesRead
from app.schemas.subscriptions import Synced

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
