"""Whether the database is there and has our tables."""

from sqlalchemy import select

from app.core.database import UnitOfWork
from app.models import Room


def check(db: UnitOfWork) -> None:
    """Raises DatabaseUnavailable through whoever runs this."""
    db.execute(select(Room.id).limit(1)).all()
