"""The accounts and rooms of a new installation, in development only: their passwords are public."""

from sqlalchemy import func, select

from app.core.database import UnitOfWork
from app.core.security.passwords import Passwords
from app.models import User
from app.services import rooms, users
from app.services.callers import Caller

ACCOUNTS = (("admin", "admin123"), ("user1", "password123"), ("user2", "password123"))
ROOMS = ("General", "Random", "Tech Talk")


def with_public_passwords(db: UnitOfWork, passwords: Passwords) -> list[str]:
    """The sample accounts that still have their public passwords."""
    found = [(users.find(db, name), password) for name, password in ACCOUNTS]
    return [
        user.username
        for user, password in found
        if user and user.is_active and passwords.verify(password, user.password_hash)
    ]


def create(db: UnitOfWork, passwords: Passwords) -> bool:
    """Fill an empty database; leave any other unchanged. Returns whether it was empty."""
    if db.scalars(select(func.count(User.id))).one():
        return False
    admin, *_ = [users.sign_up(db, name, passwords.digest(password)) for name, password in ACCOUNTS]
    users.promote(admin)
    owner = Caller(admin.id, admin.username, "", admin.created_at, 0)
    for name in ROOMS:
        rooms.open_room(db, owner, name)
    return True
