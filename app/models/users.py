from sqlalchemy import String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Name, SerialId


class User(Base):
    """A person or a bot. No two users share a `name_key`, so none can be mistaken for another."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("name_key"), MYSQL)

    id: Mapped[SerialId]
    username: Mapped[Name]
    name_key: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_administrator: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[Millis]
    deleted_at: Mapped[Millis | None]

    @property
    def is_active(self) -> bool:
        return self.deleted_at is None
