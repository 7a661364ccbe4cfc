"""Logins: opened, listed, revoked. `refresh_tokens` renews them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from app.core.clock import now_ms
from app.core.database import Database, UnitOfWork
from app.core.database.point_reads import PointQuery
from app.core.errors import NotFound
from app.core.security.refresh_tokens import fingerprint, new_secret
from app.core.security.tokens import Claims, InvalidToken
from app.models import RefreshToken, Session, User
from app.services.announcements import SessionsEnded, announce
from app.services.callers import Caller

MAX_SESSIONS = 20
"""Open logins of a user. One more ends the one that was not used for the longest time, and never fails."""
DAY_MS = 86_400_000


class SessionNotFound(NotFound):
    """You have no such session."""


@dataclass(frozen=True, slots=True)
class Login:
    """An open login and the refresh token that renews it; the token is shown once and stored only as a hash."""

    user_id: int
    session_id: str
    refresh_token: str
    surplus: Sequence[str] = ()
    """Older logins that ended for this one."""


def open_session(db: UnitOfWork, user_id: int, user_agent: str, lifetime_ms: int, origin: str = "") -> Login:
    """Open a login of a user whose row is locked, and end those above the limit, least recently used first.

    Deletes those that are over; expired ones a day later, since they come back if it was the clock that was wrong.
    """
    now = now_ms()
    connection = db.connection()
    connection.execute(_DELETE_OVER, {"user": user_id, "expired": now - DAY_MS})
    surplus = connection.execute(_SURPLUS, {"user": user_id, "now": now}).scalars().all()
    end(db, surplus)
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
            "origin": origin[:64],
        },
    )
    secret = new_secret()
    issue(db, session_id, fingerprint(secret), 0)
    return Login(user_id, session_id, secret, surplus)


def has_origin(db: UnitOfWork, user_id: int, origin: str) -> bool:
    """Whether the user logged in from there, and this login is not over."""
    values = {"user": user_id, "origin": origin[:64], "now": now_ms()}
    return db.connection().execute(_FROM_THERE, values).first() is not None


def issue(db: UnitOfWork, session_id: str, token: str, number: int) -> None:
    """Store the fingerprint of a refresh token of this login, and its place in the chain."""
    db.connection().execute(_INSERT_TOKEN, {"fingerprint": token, "session_id": session_id, "number": number})


_session, _user = Session.__table__, User.__table__
# All requests share the one writer thread, and mapped objects took twice as long.
_DELETE_OVER = delete(Session).where(
    _session.c.user_id == bindparam("user"),
    or_(_session.c.expires_at < bindparam("expired"), _session.c.revoked_at.is_not(None)),
)
_SURPLUS = (
    select(_session.c.id)
    .where(
        _session.c.user_id == bindparam("user"),
        _session.c.revoked_at.is_(None),
        _session.c.expires_at > bindparam("now"),
    )
    .order_by(_session.c.last_used_at.desc(), _session.c.created_at.desc(), _session.c.id)
    .offset(MAX_SESSIONS - 1)
)
_FROM_THERE = (
    select(_session.c.id)
    .where(
        _session.c.user_id == bindparam("user"),
        _session.c.origin == bindparam("origin"),
        _session.c.revoked_at.is_(None),
        _session.c.expires_at > bindparam("now"),
    )
    .limit(1)
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
    end(db, [session_id])


def revoke_others(db: UnitOfWork, who: Caller) -> Sequence[str]:
    """End every login of the caller but the one they are using. Returns which."""
    others = [session.id for session in open_sessions(db, who) if session.id != who.session_id]
    end(db, others)
    return others


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


def end(db: UnitOfWork, session_ids: Sequence[str]) -> None:
    """End these logins, with their tokens and connections."""
    if session_ids:
        db.execute(update(Session).where(Session.id.in_(session_ids)).values(revoked_at=now_ms()))
        announce(db, SessionsEnded(list(session_ids)))
