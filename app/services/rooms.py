"""Rooms, as the caller sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from app.core.clock import now_ms, rfc3339
from app.core.database import UnitOfWork
from app.models import DeletedMessage, Member, Message, Room, User
from app.models.members import Role
from app.models.rooms import RoomKind
from app.schemas.messages import MessagePreview
from app.schemas.rooms import RoomDraft, RoomOut
from app.services import access, epochs, members
from app.services.callers import Caller
from app.services.ledger.message_rows import PREVIEW_COLUMNS, as_object, is_present
from app.services.messages import ANSWER_BYTES
from app.services.quotas import DAY_SECONDS, DailyQuotaUsed

MAX_ROOMS = 1000
"""Rooms in one listing; `after` asks for the next ones."""


@dataclass(frozen=True, slots=True)
class RoomList:
    """Rooms in the order of creation, encoded one by one: as many as fit into an answer."""

    bodies: list[bytes]
    last_id: int
    has_more: bool

    def encode(self) -> bytes:
        """A JSON array of `RoomOut`."""
        return b"[" + b",".join(self.bodies) + b"]"


def listing(db: UnitOfWork, who: Caller, after: int = 0) -> RoomList:
    """The rooms the caller may see. One query, however many rooms there are."""
    rows = db.execute(_seen_by(who).where(Room.id > after).order_by(Room.id).limit(MAX_ROOMS + 1)).all()
    bodies: list[bytes] = []
    size = last_id = 0
    for row in rows[:MAX_ROOMS]:
        room = _as_seen(row)
        body = room.model_dump_json(exclude_unset=True).encode()
        size += len(body) + len(",")
        if size > ANSWER_BYTES:
            break
        bodies.append(body)
        last_id = room.id
    return RoomList(bodies, last_id, len(bodies) < len(rows))


def get(db: UnitOfWork, who: Caller, room_id: int) -> RoomOut:
    """Raises RoomNotFound."""
    row = db.execute(_seen_by(who).where(Room.id == room_id)).one_or_none()
    if row is None:
        raise access.RoomNotFound
    return _as_seen(row)


def create(db: UnitOfWork, who: Caller, draft: RoomDraft, per_day: int = 0) -> RoomOut:
    """Create an open room, owned by the caller, who may create `per_day` in a day; 0 is no limit.

    Raises DailyQuotaUsed.
    """
    if per_day:
        _check_quota(db, who, per_day)
    return get(db, who, open_room(db, who, draft.name).id)


def _check_quota(db: UnitOfWork, who: Caller, per_day: int) -> None:
    """Counts rows: rooms are few, rarely made, and counted alike by all processes, also after a restart."""
    day_ms = int(1000 * DAY_SECONDS)
    now = now_ms()
    query = select(func.count(), func.min(Room.created_at)).where(
        Room.created_by == who.user_id, Room.created_at > now - day_ms
    )
    made, first = db.execute(query).one()
    if made >= per_day:
        raise DailyQuotaUsed((first + day_ms - now) / 1000)


def open_room(db: UnitOfWork, owner: Caller, name: str) -> Room:
    room = Room(name=name, kind=RoomKind.OPEN, created_at=now_ms(), created_by=owner.user_id)
    db.add(room)
    db.flush()
    epochs.enter(db, room.id, room.last_seq, room.epoch, None)
    members.join(db, owner, room, Role.OWNER)
    return room


def heads(db: UnitOfWork, room_ids: Sequence[int]) -> tuple[str | None, dict[int, int]]:
    """The epoch, if it is this server's, and the last `seq` of each of these rooms in it."""
    rows = db.execute(select(Room.id, Room.last_seq).where(Room.id.in_(room_ids))).all()
    return db.scalar(select(epochs.valid())), {row.id: row.last_seq for row in rows}


_DELETED_UNREAD = (
    select(func.count())
    .select_from(DeletedMessage)
    .where(DeletedMessage.room_id == Room.id, DeletedMessage.id > Member.last_read_id)
    .correlate(Room, Member)
    .scalar_subquery()
)


def _seen_by(who: Caller) -> Select[*tuple[Any, ...]]:
    return (
        select(Room, Member, epochs.latest(), _DELETED_UNREAD, *PREVIEW_COLUMNS)
        .outerjoin(Member, and_(Member.room_id == Room.id, Member.user_id == who.user_id))
        .outerjoin(Message.__table__, and_(Message.room_id == Room.id, Message.id == Room.last_live_id))
        .outerjoin(User.__table__, User.id == Message.sender_id)
        .where(access.seen_by(who.user_id))
    )


def _as_seen(row: Sequence[Any]) -> RoomOut:
    room: Room
    member: Member | None
    room, member, epoch, deleted_unread, *message = row
    return RoomOut(
        id=room.id,
        name=room.name,
        kind=room.kind,
        created_at=rfc3339(room.created_at),
        role=member.role if member else None,
        last_message_id=room.last_message_id,
        last_seq=room.last_seq,
        epoch=epoch,
        last_read_id=member.last_read_id if member else None,
        # Sending a message moves the mark past it: what is above it is of others.
        unread_count=room.last_message_id - member.last_read_id - deleted_unread if member else 0,
        last_message=MessagePreview.model_validate(as_object(message)) if is_present(message) else None,
    )
