from sqlalchemy import ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Name, SerialId


class User(Base):
    """A person or a bot, found by `name_key`."""

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


class UsernameKey(Base):
    """What a username looks like, in one of its forms. No two users share a key, so none can be mistaken for another.

    A name that is older than this rule, and looks like one that is older still, has no key.
    """

    __tablename__ = "username_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
