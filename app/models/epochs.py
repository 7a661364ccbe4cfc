"""Epochs: within one, a number of a room names one moment of one history."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Number, Token


class Epoch(Base):
    """A stretch of the database's history. The one with the highest number is the current one; a new one begins when
    the history may have gone backward: after a failover, or with a restored backup."""

    __tablename__ = "epochs"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3, … in the order of time. Two histories that part may use the same number: only the name is unique."""
    name: Mapped[Token] = mapped_column(unique=True)
    """A random name, which clients hand back."""
    server: Mapped[str] = mapped_column(String(255))
    """`core.database.server_identity` when it began; empty until the first change."""
    began_at: Mapped[Millis]
    is_void: Mapped[bool]
    """Numbers were given out under this name after the history had gone back: none of them counts any more."""


class RoomEpoch(Base):
    """Where a room stood before its first change in an epoch: everything up to `last_seq` is of earlier epochs."""

    __tablename__ = "room_epochs"
    __table_args__ = MYSQL

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(ForeignKey("epochs.number"), primary_key=True)
    last_seq: Mapped[Number]
