"""The base of all commands and events."""

from pydantic import BaseModel, ConfigDict

from app.core import strict_json
from app.schemas.fields import Id, Ref, Strict


class Command(Strict):
    """A command, which may carry `ref`."""

    ref: Ref | None = None
    """The client's own label for this command; the answer repeats it."""


class RoomCommand(Command):
    room_id: Id | None = None
    """Optional on `/ws/chat/{room_id}`."""


class Event(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    def encode(self) -> bytes:
        """Encode as JSON, without the keys that are None."""
        return strict_json.encode(self.model_dump(exclude_none=True))
