"""Accounts."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.errors import Conflict, NotFound
from app.core.look_alikes import look_alike_keys
from app.core.names import name_key
from app.models import User, UsernameKey


class UsernameTaken(Conflict):
    """This name, or one that looks like it, is taken."""


class UserNotFound(NotFound):
    """There is no user with this name."""


def sign_up(db: UnitOfWork, username: str, password_hash: str) -> User:
    """Create an account. Raises UsernameTaken, also for the same name in another case and for look-alikes."""
    keys = look_alike_keys(username)
    user = User(
        username=username, name_key=name_key(username), password_hash=password_hash, created_at=now_ms()
    )
    taken = select(UsernameKey.user_id).where(UsernameKey.key.in_(keys)).limit(1)
    if find(db, username) is not None or db.scalar(taken) is not None:
        raise UsernameTaken
    try:
        db.add(user)
        db.flush()
        db.add_all(UsernameKey(key=key, user_id=user.id) for key in sorted(keys))
        db.flush()
    except IntegrityError:
        raise UsernameTaken from None
    return user


def find(db: UnitOfWork, username: str) -> User | None:
    """The user with this name, in any case."""
    return db.scalar(select(User).where(User.name_key == name_key(username)))


def named(db: UnitOfWork, username: str) -> User:
    """The active user with this name, in any case, locked until the transaction ends. Raises UserNotFound."""
    user = db.scalar(select(User).where(User.name_key == name_key(username)).with_for_update())
    if user is None or not user.is_active:
        raise UserNotFound
    return user


def listing(db: UnitOfWork) -> Sequence[User]:
    """Every account, deleted ones too, in the order of their creation."""
    return db.scalars(select(User).order_by(User.created_at, User.id)).all()


def promote(user: User) -> None:
    """Make an administrator of a user. Administrators have no further rights yet."""
    user.is_administrator = True


def set_password(user: User, password_hash: str) -> None:
    """Change a password without knowing the old one. The caller decides which sessions end."""
    user.password_hash = password_hash


def still_has(db: UnitOfWork, user_id: int, password_hash: str) -> bool:
    """Whether the user is active and still has this password. The row stays locked until the transaction ends."""
    found = db.connection().execute(_PASSWORD, {"id": user_id}).scalar()
    return found == password_hash


_user = User.__table__
_PASSWORD = (
    select(_user.c.password_hash)
    .where(_user.c.id == bindparam("id"), _user.c.deleted_at.is_(None))
    .with_for_update()
)
