from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import MYSQL, Base, Millis, Token


class Session(Base):
    """A login. Once revoked it stays revoked, with every token issued for it."""

    __tablename__ = "sessions"

    id: Mapped[Token] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[Millis]
    last_used_at: Mapped[Millis]
    expires_at: Mapped[Millis]
    revoked_at: Mapped[Millis | None]
    user_agent: Mapped[str] = mapped_column(String(200))
    origin: Mapped[Token] = mapped_column(default="", server_default="")
    """The address or network of the login, as `core.addresses.origin` has it."""

    def is_open(self, now: int) -> bool:
        return self.revoked_at is None and self.expires_at > now


class RefreshToken(Base):
    """A refresh token: a link in the chain of its session, of which only the last is not spent. Only its fingerprint is
    stored. Some of the spent ones are kept: a second use means that the token was copied."""

    __tablename__ = "refresh_tokens"
    __table_args__ = MYSQL

    fingerprint: Mapped[Token] = mapped_column(primary_key=True)
    session_id: Mapped[Token] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    number: Mapped[int] = mapped_column(default=0, server_default="0")
    """Its place in the chain."""
    spent_at: Mapped[Millis | None]
