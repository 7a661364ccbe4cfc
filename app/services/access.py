"""Access: the only file that decides which rooms a user may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, or_, select

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.core.database.point_reads import PointQuery
from app.core.errors import NotFound
from app.models import Member, Room
from app.models.members import MODERATING
from app.models.rooms import RoomKind
from app.services import epochs
from app.services.callers import Caller


class RoomNotFound(NotFound):
    """There is no such room, or you may not see it."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's role in a room that they may see: all that a command about the room needs to know about its sender."""

    room_id: int
    user_id: int
    username: str
    may_moderate: bool
    epoch: str = ""
    """The epoch in which it was read."""
    has_joined: bool = True
    """False for a user who has not joined: they may do what a member may, and join with the first command that
    succeeds, never with one that is refused."""


@dataclass(frozen=True, slots=True)
class RoomView:
    """The counters of a room and the caller's membership in it, read at one moment."""

    id: int
    last_seq: int
    last_message_id: int
    member: Membership | None
    """None for a caller who has not joined."""
    last_read_id: int
    epoch: str
    """The current epoch, in which the counters stand."""


_OPEN: ColumnElement[str] = literal_column(f"'{RoomKind.OPEN}'")
"""A literal, since a point query has no parameters but its own."""


def seen_by(user_id: int) -> ColumnElement[bool]:
    """Rooms that this user may see: open ones, and those they are a member of."""
    return _seen_if(exists().where(Member.room_id == Room.id, Member.user_id == user_id).correlate(Room))


def _seen_if(is_member: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(Room.kind == _OPEN, is_member)


_room, _member = Room.__table__, Member.__table__
_VIEW = PointQuery(
    select(
        _room.c.id,
        _room.c.last_seq,
        _room.c.last_message_id,
        _member.c.role,
        _member.c.last_read_id,
        epochs.latest().label("epoch"),
    )
    .select_from(_room)
    .outerjoin(_member, and_(_member.c.room_id == _room.c.id, _member.c.user_id == bindparam("user_id")))
    .where(_room.c.id == bindparam("room_id"), _seen_if(_member.c.user_id.is_not(None))),
    "user_id",
    "room_id",
)

_LOCKED = (
    select(Room, epochs.valid())
    .where(Room.id == bindparam("room_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def room_for(db: UnitOfWork, who: Caller, room_id: int) -> RoomView:
    """The room as the caller sees it, in one query. Raises RoomNotFound."""
    return _view(_VIEW.find(db.connection(), (who.user_id, room_id)), who)


async def room_view(database: Database, who: Caller, room_id: int) -> RoomView:
    """The same as a point read, outside a transaction. Raises RoomNotFound, DatabaseUnavailable."""
    return _view(await database.lookup(_VIEW, who.user_id, room_id), who)


async def participation(database: Database, who: Caller, room_id: int) -> Membership:
    """The caller's membership in the room, joined or not. Raises RoomNotFound, DatabaseUnavailable."""
    room = await room_view(database, who, room_id)
    return room.member or Membership(room_id, who.user_id, who.username, False, room.epoch, has_joined=False)


def locked_room(db: UnitOfWork, who: Caller | Membership, room_id: int) -> Room:
    """The room, its row locked until the transaction ends: the caller may number changes. Raises RoomNotFound.

    It stands in the current epoch then. Who may see it is asked in a statement begun after the lock, or the answer
    could be older than the lock. A membership of another epoch raises DatabaseUnavailable.
    """
    found = db.execute(_LOCKED, {"room_id": room_id}).one_or_none()
    if found is None:
        raise RoomNotFound
    room: Room = found[0]
    epoch = epochs.enter(db, room.id, room.last_seq, room.epoch, found[1])
    if isinstance(who, Membership) and who.epoch != epoch:
        raise DatabaseUnavailable  # a member in another history, and perhaps another user here
    if room.kind != RoomKind.OPEN and not _sees(db, who, room_id):
        raise RoomNotFound
    return room


def _sees(db: UnitOfWork, who: Caller | Membership, room_id: int) -> bool:
    return db.scalar(select(Room.id).where(Room.id == room_id, seen_by(who.user_id))) is not None


def _view(row: Sequence[Any] | None, who: Caller) -> RoomView:
    if row is None:
        raise RoomNotFound
    room_id, last_seq, last_message_id, role, last_read_id, epoch = row
    member = Membership(room_id, who.user_id, who.username, role in MODERATING, epoch) if role else None
    return RoomView(room_id, last_seq, last_message_id, member, last_read_id or 0, epoch)
