"""Accounts, sessions and tokens, as requests and answers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.core.clock import rfc3339
from app.models import Session
from app.schemas.fields import GivenName, GivenPassword, Id, Instant, NewPassword, Strict, TokenText, Username
from app.schemas.frames import Command


class SignUp(Strict):
    username: Username
    password: NewPassword

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "testuser", "password": "password123"}]}
    )


class Credentials(Strict):
    username: GivenName
    password: GivenPassword

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "user1", "password": "password123"}]}
    )


class Refresh(Strict):
    refresh_token: TokenText


class PasswordChange(Strict):
    current_password: GivenPassword
    new_password: NewPassword


class UserOut(BaseModel):
    """A user, without secrets."""

    id: Id
    username: str
    created_at: Instant

    @classmethod
    def of(cls, user_id: int, username: str, created_at: int) -> "UserOut":
        """`created_at` is in milliseconds since the epoch."""
        return cls(id=user_id, username=username, created_at=rfc3339(created_at))


class Grant(BaseModel):
    """The tokens of a login (RFC 6749 section 5.1). A refresh token is valid for one use."""

    access_token: str
    token_type: str = "bearer"
    refresh_token: str
    expires_in: int
    """Lifetime of the access token in seconds."""


class SessionOut(BaseModel):
    """A session: one login of the user. `current` marks the session of this request."""

    id: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    user_agent: str
    current: bool

    @classmethod
    def of(cls, session: Session, current_id: str) -> "SessionOut":
        return cls(
            id=session.id,
            created_at=rfc3339(session.created_at),
            last_used_at=rfc3339(session.last_used_at),
            expires_at=rfc3339(session.expires_at),
            user_agent=session.user_agent,
            current=session.id == current_id,
        )


class Renew(Command):
    """Continue the connection with a fresh access token of the same session."""

    type: Literal["auth"]
    token: TokenText
