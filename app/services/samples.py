"""The accounts and rooms that a new installation comes with, in development only: their passwords are public."""

from sqlalchemy import Connection, func, select

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.security.passwords import Passwords
from app.models import Room, User
from app.models.members import Role
from app.models.rooms import RoomKind
from app.services import members, users
from app.services.callers import Caller

ACCOUNTS = (("admin", "admin123"), ("user1", "password123"), ("user2", "password123"))
ROOMS = ("General", "Random", "Tech Talk")


def opened_by_all(connection: Connection, passwords: Passwords) -> list[str]:
    """The accounts that still have their public passwords."""
    with UnitOfWork(connection, join_transaction_mode="create_savepoint") as db:
        found = [(users.find(db, name), password) for name, password in ACCOUNTS]
        return [
            user.username
            for user, password in found
            if user and user.is_active and passwords.verify(password, user.password_hash)
        ]


def plant(connection: Connection, passwords: Passwords) -> bool:
    """Fill an empty database; leave any other alone. Says whether it did. The caller commits."""
    with UnitOfWork(connection, join_transaction_mode="create_savepoint") as db:
        if db.scalars(select(func.count(User.id))).one():
            return False
        admin, *_ = [users.sign_up(db, name, passwords.digest(password)) for name, password in ACCOUNTS]
        owner = Caller(admin.id, admin.username, "", admin.created_at, 0)
        for name in ROOMS:
            room = Room(name=name, kind=RoomKind.OPEN, created_at=now_ms(), created_by=admin.id)
            db.add(room)
            db.flush()
            members.join(db, owner, room, Role.OWNER)
        db.commit()
        return True
