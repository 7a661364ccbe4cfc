"""Accounts, logins and tokens, as requests and answers."""

from pydantic import BaseModel, ConfigDict

from app.core.clock import rfc3339
from app.models import User
from app.schemas.fields import GivenName, GivenPassword, Id, Instant, NewPassword, Strict, TokenText, Username


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
    """Somebody who can sign in. Never a hash."""

    id: Id
    username: str
    created_at: Instant

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(id=user.id, username=user.username, created_at=rfc3339(user.created_at))


class Grant(BaseModel):
    """What a login gives (RFC 6749 section 5.1). A refresh token is good for one use."""

    access_token: str
    token_type: str = "bearer"
    refresh_token: str
    expires_in: int
    """Seconds."""


class SessionOut(BaseModel):
    """A login. `current` is the one this request was made with."""

    id: str
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    user_agent: str
    current: bool
