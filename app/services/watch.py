"""What a process asks now and then, because it may not have heard: the database is the truth, the rest are hints."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session as Db

from app.core.clock import now_ms
from app.models import Room, Session, User


def heads(db: Db, room_ids: Sequence[int]) -> dict[int, int]:
    """The last `seq` of each room."""
    rows = db.execute(select(Room.id, Room.last_seq).where(Room.id.in_(room_ids))).all()
    return {row.id: row.last_seq for row in rows}


def ended(db: Db, session_ids: Sequence[str]) -> list[str]:
    """Those of these logins that count no more: revoked, too old, or of somebody who is deleted."""
    still = (
        select(Session.id)
        .join(User, User.id == Session.user_id)
        .where(Session.id.in_(session_ids), Session.revoked_at.is_(None), Session.expires_at > now_ms())
        .where(User.deleted_at.is_(None))
    )
    return sorted(set(session_ids) - set(db.scalars(still)))
