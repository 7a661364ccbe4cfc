from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Number


class Role(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"


MODERATING = frozenset({Role.OWNER, Role.MODERATOR})


class Member(Base):
    """A user in a room. `last_read_id` never decreases."""

    __tablename__ = "members"
    __table_args__ = (Index(None, "room_id", "seq"), Index(None, "user_id"), MYSQL)

    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    joined_at: Mapped[Millis]
    seq: Mapped[Number]
    last_read_id: Mapped[Number] = mapped_column(default=0)

    @property
    def may_moderate(self) -> bool:
        return self.role in MODERATING
