"""Every command that a client can send over a socket. The AsyncAPI document is generated from these models.

On `/ws/chat/{room_id}` the room is implied; on `/ws` every command about a room names it.
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, TypeAdapter

from app.schemas.auth import Renew
from app.schemas.connections import Ping
from app.schemas.messages import DeleteMessage, EditMessage, SendMessage
from app.schemas.presence import Typing
from app.schemas.reactions import AddReaction, RemoveReaction
from app.schemas.receipts import Read
from app.schemas.subscriptions import Subscribe, Unsubscribe

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

parse_command: Callable[[object], AnyCommand] = COMMAND_ADAPTER.validator.validate_python
"""The command that decoded JSON stands for. Raises ValidationError. The adapter's own method adds a call to every
frame."""
