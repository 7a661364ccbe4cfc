"""Checks that the database answers and has our tables."""

from sqlalchemy import select

from app.core.database import UnitOfWork
from app.models import Room


def check(db: UnitOfWork) -> None:
    """Read one row. Raises what the database driver raises."""
    db.execute(select(Room.id).limit(1)).all()
