"""The caller of a request or a command."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user, and the login that the request belongs to."""

    user_id: int
    username: str
    session_id: str
    created_at: int
    """When the account was created, in milliseconds since the epoch."""
    expires_at: int
    """When the token expires, in seconds since the epoch."""
