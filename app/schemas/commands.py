"""Every command that a client can send over a socket. The AsyncAPI document is generated from these models.

On `/ws/chat/{room_id}` the room is implied; on `/ws` every command about a room names it.
"""

from collections.abc import Callable
from typing import Annotated, get_args

from pydantic import BaseModel, Field, TypeAdapter

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

COMMAND_MODELS: tuple[type[BaseModel], ...] = get_args(get_args(AnyCommand)[0])

KEYS: dict[str, list[str]] = {
    get_args(model.model_fields["type"].annotation)[0]: list(model.model_fields) for model in COMMAND_MODELS
}
"""The keys of each command, by its type."""

_OF_MANY = {"ref", "room_id"}
FEATURES = sorted(
    name
    for kind, model in zip(KEYS, COMMAND_MODELS, strict=True)
    for name in (
        kind,
        *(
            f"{kind}:{key}"
            for key, field in model.model_fields.items()
            if not field.is_required() and key not in _OF_MANY
        ),
    )
)
"""What `ready` tells of this server: its commands, and the keys that one may have. A client can ask before it sends."""

COMMAND_ADAPTER: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)

parse_command: Callable[[object], AnyCommand] = COMMAND_ADAPTER.validator.validate_python
"""The command that decoded JSON stands for. Raises ValidationError. The adapter's own method adds a call to every
frame."""
