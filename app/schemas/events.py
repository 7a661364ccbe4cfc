"""Every event that the server sends over a socket. The AsyncAPI document is generated from these models.

Durable events carry `seq`, the room's count of changes, without gaps, and are never dropped. Ephemeral events
(`typing`, `read`, `presence`) carry none and are dropped first. Only `message` has all five of `type`, `room_id`,
`sender`, `message` and `timestamp`: clients append every event with these keys to the conversation.
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
