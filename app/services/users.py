"""Accounts."""

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.errors import Conflict
from app.core.text import name_key
from app.models import User


class UsernameTaken(Conflict):
    """This name, or one that looks like it, is taken."""


def sign_up(db: UnitOfWork, username: str, password_hash: str) -> User:
    """Create an account. Raises UsernameTaken, also for the same name in another case and for look-alikes."""
    user = User(
        username=username, name_key=name_key(username), password_hash=password_hash, created_at=now_ms()
    )
    if find(db, username) is not None:
        raise UsernameTaken
    try:
        db.add(user)
        db.flush()
    except IntegrityError:
        raise UsernameTaken from None
    return user


def find(db: UnitOfWork, username: str) -> User | None:
    """The user with this name, in any case."""
    return db.scalar(select(User).where(User.name_key == name_key(username)))


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
