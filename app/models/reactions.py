from sqlalchemy import ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Number


class Reaction(Base):
    """One user's emoji on one message, at most once."""

    __tablename__ = "reactions"
    __table_args__ = (
        ForeignKeyConstraint(["room_id", "message_id"], ["messages.room_id", "messages.id"]),
        MYSQL,
    )

    room_id: Mapped[Number] = mapped_column(primary_key=True)
    message_id: Mapped[Number] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    emoji: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[Number]
