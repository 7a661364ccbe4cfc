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

    def is_open(self, now: int) -> bool:
        return self.revoked_at is None and self.expires_at > now


class RefreshToken(Base):
    """A refresh token, valid for one use. Only its fingerprint is stored. A spent token is stored as long as its
    session: a second use means that the token was copied."""

    __tablename__ = "refresh_tokens"
    __table_args__ = MYSQL

    fingerprint: Mapped[Token] = mapped_column(primary_key=True)
    session_id: Mapped[Token] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    spent_at: Mapped[Millis | None]
