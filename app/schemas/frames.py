"""What every command and every event has."""

from pydantic import BaseModel, ConfigDict

from app.core import strict_json
from app.schemas.fields import Id, Ref, Strict


class Command(Strict):
    """Any command may carry `ref`; the answer repeats it."""

    ref: Ref | None = None
    """What the client calls this command; the answer repeats it."""


class RoomCommand(Command):
    room_id: Id | None = None
    """May be left out on `/ws/chat/{room_id}`."""


class Event(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    def encode(self) -> bytes:
        """The frame's JSON. A key that says nothing is left out."""
        return strict_json.encode(self.model_dump(exclude_none=True))
