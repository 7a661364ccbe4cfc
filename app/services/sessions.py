"""Logins: opened, renewed with rotating refresh tokens (RFC 9700 section 4.14.2), listed, revoked."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, insert, select, update

from app.core.clock import now_ms
from app.core.database import Database, UnitOfWork
from app.core.database.point_reads import PointQuery
from app.core.errors import NotFound
from app.core.security.tokens import Claims, InvalidToken, fingerprint, new_secret
from app.models import RefreshToken, Session, User
from app.services.announcements import SessionsEnded, announce
from app.services.callers import Caller


class SessionNotFound(NotFound):
    """You have no such session."""


@dataclass(frozen=True, slots=True)
class Login:
    """An open login and the refresh token that renews it; the token is shown once and stored only as a hash."""

    user_id: int
    session_id: str
    refresh_token: str


def open_session(db: UnitOfWork, user_id: int, user_agent: str, lifetime_ms: int) -> Login:
    """Open a login, and delete those of this user that have expired."""
    now = now_ms()
    connection = db.connection()
    connection.execute(_DELETE_EXPIRED, {"user": user_id, "now": now})
    session_id = new_secret()[:22]
    connection.execute(
        _INSERT_SESSION,
        {
            "id": session_id,
            "user_id": user_id,
            "created_at": now,
            "last_used_at": now,
            "expires_at": now + lifetime_ms,
            "user_agent": user_agent[:200],
        },
    )
    return Login(user_id, session_id, _issue(db, session_id))


def is_known(db: UnitOfWork, refresh_token: str) -> bool:
    """Whether this is, or was, a refresh token."""
    return db.get(RefreshToken, fingerprint(refresh_token)) is not None


def rotate(db: UnitOfWork, refresh_token: str, lifetime_ms: int) -> Login | None:
    """Exchange a refresh token for the next one. None if it is not valid.

    A second use means that two clients have the token. The server cannot tell which one stole it, so the login ends.
    """
    token = db.get(RefreshToken, fingerprint(refresh_token), with_for_update=True)
    if token is None:
        return None
    session, user = _with_user(db, token.session_id)
    now = now_ms()
    if token.spent_at is not None:
        _end(db, [session])
    if token.spent_at is not None or not session.is_open(now) or not user.is_active:
        return None
    token.spent_at = now
    session.last_used_at = now
    session.expires_at = now + lifetime_ms
    return Login(user.id, session.id, _issue(db, session.id))


_session, _user = Session.__table__, User.__table__
# All requests share the one writer thread, and mapped objects took twice as long.
_DELETE_EXPIRED = delete(Session).where(
    _session.c.user_id == bindparam("user"), _session.c.expires_at < bindparam("now")
)
_INSERT_SESSION = insert(Session)
_INSERT_TOKEN = insert(RefreshToken)
_LOGIN = PointQuery(
    select(_user.c.id, _user.c.username, _user.c.created_at, _session.c.expires_at)
    .join(_user, _user.c.id == _session.c.user_id)
    .where(
        _session.c.id == bindparam("session_id"),
        _session.c.revoked_at.is_(None),
        _user.c.deleted_at.is_(None),
    ),
    "session_id",
)


async def authenticate(database: Database, claims: Claims) -> Caller:
    """The caller named by these claims, as a point read.

    Raises InvalidToken if the login has ended or the user is deleted, and DatabaseUnavailable.
    """
    found = await database.lookup(_LOGIN, claims.session_id)
    if found is None:
        raise InvalidToken
    user_id, username, created_at, expires_at = found
    if user_id != claims.user_id or expires_at <= now_ms():
        raise InvalidToken
    return Caller(user_id, username, claims.session_id, created_at, claims.expires_at)


def open_sessions(db: UnitOfWork, who: Caller) -> Sequence[Session]:
    """The caller's logins, newest first."""
    return db.scalars(
        select(Session)
        .where(Session.user_id == who.user_id, Session.revoked_at.is_(None), Session.expires_at > now_ms())
        .order_by(Session.created_at.desc(), Session.id)
    ).all()


def revoke(db: UnitOfWork, who: Caller, session_id: str) -> None:
    """End one of the caller's logins. Raises SessionNotFound for a login of another user."""
    session = db.get(Session, session_id)
    if session is None or session.user_id != who.user_id or session.revoked_at is not None:
        raise SessionNotFound
    _end(db, [session])


def revoke_others(db: UnitOfWork, who: Caller) -> None:
    """End every login of the caller but the one they are using."""
    _end(db, [session for session in open_sessions(db, who) if session.id != who.session_id])


def revoke_all(db: UnitOfWork, user_id: int | None = None) -> int:
    """End every open login, or every one of this user. Returns how many.

    The servers of other processes notice within seconds: see `websocket.hub.reconcile`.
    """
    is_open = [Session.revoked_at.is_(None), Session.expires_at > now_ms()]
    if user_id is not None:
        is_open.append(Session.user_id == user_id)
    ids = db.scalars(select(Session.id).where(*is_open)).all()
    db.execute(update(Session).where(*is_open).values(revoked_at=now_ms()))
    if ids:
        announce(db, SessionsEnded(list(ids)))
    return len(ids)


def count_open(db: UnitOfWork) -> dict[int, int]:
    """How many open logins each user has, by user id."""
    query = (
        select(Session.user_id, func.count())
        .where(Session.revoked_at.is_(None), Session.expires_at > now_ms())
        .group_by(Session.user_id)
    )
    return dict(db.execute(query).all())


def ended(db: UnitOfWork, session_ids: Sequence[str]) -> list[str]:
    """The ids of those logins that are no longer valid: revoked, expired, or of a deleted user."""
    valid = (
        select(Session.id)
        .join(User, User.id == Session.user_id)
        .where(Session.id.in_(session_ids), Session.revoked_at.is_(None), Session.expires_at > now_ms())
        .where(User.deleted_at.is_(None))
    )
    return sorted(set(session_ids) - set(db.scalars(valid)))


def _end(db: UnitOfWork, sessions: Sequence[Session]) -> None:
    ids = [session.id for session in sessions]
    if ids:
        db.execute(update(Session).where(Session.id.in_(ids)).values(revoked_at=now_ms()))
        announce(db, SessionsEnded(ids))


def _issue(db: UnitOfWork, session_id: str) -> str:
    secret = new_secret()
    db.connection().execute(_INSERT_TOKEN, {"fingerprint": fingerprint(secret), "session_id": session_id})
    return secret


def _with_user(db: UnitOfWork, session_id: str) -> tuple[Session, User]:
    found = db.execute(
        select(Session, User).join(User, User.id == Session.user_id).where(Session.id == session_id)
    ).one()
    return found[0], found[1]
