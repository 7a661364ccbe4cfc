"""Renews logins with rotating refresh tokens; `core.security.refresh_tokens` has the rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, or_, select, update

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.security.refresh_tokens import (
    NEVER_REPEATED,
    SPENT_KEPT,
    Step,
    StoredToken,
    TokenChain,
    fingerprint,
    next_step,
)
from app.models import RefreshToken, Session, User
from app.services import sessions
from app.services.sessions import Login


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a login lasts, in milliseconds."""

    unused: int
    """Without being refreshed."""
    at_most: int
    """From its beginning, however often it is refreshed."""

    @property
    def first(self) -> int:
        """Of a new login."""
        return min(self.unused, self.at_most)

    def end(self, created_at: int, now: int) -> int:
        return min(now + self.unused, created_at + self.at_most)


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token was used a second time, and its login has ended."""

    user_id: int
    username: str
    session_id: str


def is_known(db: UnitOfWork, refresh_token: str) -> bool:
    """Whether this is, or was, a refresh token."""
    return db.get(RefreshToken, fingerprint(refresh_token)) is not None


def rotate(db: UnitOfWork, presented: str, chain: TokenChain, lifetimes: Lifetimes) -> Login | Reused | None:
    """Exchange a refresh token for its successor. None if it is not valid.

    The row of the login is locked before its tokens are read: of two that present tokens of one login, the second sees
    what the first did.
    """
    token = fingerprint(presented)
    session = db.scalars(_SESSION_OF, {"token": token}).one_or_none()
    if session is None:
        return None
    user, now = db.get_one(User, session.user_id), now_ms()
    if not session.is_open(now) or not user.is_active or lifetimes.end(session.created_at, now) <= now:
        return None
    secrets = {fingerprint(secret): secret for secret in chain.successors(presented)}
    step, successor = _advance(db, session.id, token, list(secrets), now)
    match step:
        case Step.ADVANCE:
            session.last_used_at = now
            session.expires_at = lifetimes.end(session.created_at, now)
        case Step.END:
            sessions.end(db, [session.id])
            return Reused(user.id, user.username, session.id)
        case Step.REPEAT | Step.REPLACE:
            pass
    return Login(user.id, session.id, secrets[successor])


def _advance(
    db: UnitOfWork, session_id: str, presented: str, successors: Sequence[str], now: int
) -> tuple[Step, str]:
    """Take the step that follows from presenting this token, in the chain of a login whose row is locked.

    Returns it, and which successor is the answer. The first one is that to issue.
    """
    connection, successor = db.connection(), successors[0]
    rows = connection.execute(_ENDS, {"session": session_id, "tokens": [presented, *successors]})
    known = {row.fingerprint: StoredToken(*row) for row in rows}
    last = next((token for token in known.values() if token.spent_at is None), None)
    step = next_step(known[presented], last, successors, now)
    if step is Step.REPEAT and last is not None:
        return step, last.fingerprint
    if step is Step.REPLACE and successor in known:
        return Step.END, successor  # the key changed back: it was replaced itself
    number = known[presented].number + 1
    if step is Step.ADVANCE:
        connection.execute(_SPEND, {"token": presented, "at": now})
        connection.execute(_FORGET, {"session": session_id, "before": number - SPENT_KEPT})
    elif step is Step.REPLACE and last is not None:
        connection.execute(_SPEND, {"token": last.fingerprint, "at": NEVER_REPEATED})
    if step in {Step.ADVANCE, Step.REPLACE}:
        sessions.issue(db, session_id, successor, number)
    return step, successor


_token = RefreshToken.__table__
_SESSION_OF = (
    select(Session)
    .where(
        Session.id
        == select(_token.c.session_id).where(_token.c.fingerprint == bindparam("token")).scalar_subquery()
    )
    .with_for_update()
)
_ENDS = select(_token.c.fingerprint, _token.c.number, _token.c.spent_at).where(
    _token.c.session_id == bindparam("session"),
    or_(
        _token.c.fingerprint.in_(bindparam("tokens", expanding=True)),
        _token.c.spent_at.is_(None),
    ),
)
_SPEND = (
    update(RefreshToken).where(_token.c.fingerprint == bindparam("token")).values(spent_at=bindparam("at"))
)
_FORGET = delete(RefreshToken).where(
    _token.c.session_id == bindparam("session"), _token.c.number < bindparam("before")
)
