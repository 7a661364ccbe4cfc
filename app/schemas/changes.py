"""Catching up over REST."""

from pydantic import BaseModel

from app.schemas.events import AnyEvent
from app.schemas.fields import EpochName, Seq


class ChangesOut(BaseModel):
    """The events after `since`, in order."""

    changes: list[AnyEvent]
    seq: Seq
    """Pass it as the next `since`."""
    truncated: bool
    """There are more: ask again from `seq`. If `seq` is lower than your `since`, reload the history."""
    epoch: EpochName
    """Pass it with the next `since`."""
