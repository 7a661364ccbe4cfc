"""Whether the database is there and has our tables."""

from sqlalchemy import select
from sqlalchemy.orm import Session as Db

from app.models import Room


def check(db: Db) -> None:
    """Raises DatabaseUnavailable through whoever runs this."""
    db.execute(select(Room.id).limit(1)).all()
