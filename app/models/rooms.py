from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Millis, Name, Number, SerialId, Token


class RoomKind(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    DIRECT = "direct"


class Room(Base):
    """A room and its two counters. They are only incremented, in the transaction that uses the numbers and with this
    row locked: numbers have no gaps and are committed in order."""

    __tablename__ = "rooms"

    id: Mapped[SerialId]
    name: Mapped[Name]
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Millis]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    last_message_id: Mapped[Number] = mapped_column(default=0)
    last_live_id: Mapped[Number] = mapped_column(default=0, server_default="0")
    """The id of the newest message that is not deleted; 0 for none."""
    last_seq: Mapped[Number] = mapped_column(default=0)
    epoch: Mapped[Token] = mapped_column(default="", server_default="")
    """The name of the epoch in which it was last locked for a change; see `models.epochs.RoomEpoch`."""

    def next_seq(self) -> int:
        """The number of the next durable change. The row must be locked."""
        self.last_seq += 1
        return self.last_seq
