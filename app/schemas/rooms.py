"""Rooms."""

from pydantic import BaseModel, ConfigDict

from app.schemas.fields import EpochName, Id, Instant, RoomName, Seq, Strict
from app.schemas.messages import MessagePreview


class RoomDraft(Strict):
    name: RoomName

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "My New Room"}]})


class RoomOut(BaseModel):
    """A room as the caller sees it. `role` and `last_read_id` are null for a caller who has not joined."""

    id: Id
    name: str
    kind: str
    created_at: Instant
    role: str | None
    last_message_id: Seq
    """The id of the newest message, and so the number of messages ever sent; 0 for none."""
    last_seq: Seq
    """The number of the last change: the value to pass as `since`."""
    epoch: EpochName
    """The epoch of these numbers: hand it back together with `since`."""
    last_read_id: Seq | None
    unread_count: Seq
    """Messages of others above `last_read_id` that are not deleted."""
    last_message: MessagePreview | None = None
    """The newest message that is not deleted."""

    model_config = ConfigDict(use_attribute_docstrings=True)
