"""Who is asking."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user, and the login they came with."""

    user_id: int
    username: str
    session_id: str
    created_at: int
    """When the account was made, milliseconds."""
    expires_at: int
    """When the token ends, seconds since the epoch."""
