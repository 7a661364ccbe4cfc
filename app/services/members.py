"""Who is in a room, and the one place that decides who may see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session as Db

from app.core.clock import now_ms
from app.core.database import Database, announce
from app.core.errors import NotFound
from app.core.prepared import Glance
from app.models import Member, Room
from app.models.members import MODERATING, Role
from app.models.rooms import RoomKind
from app.schemas.events import MemberJoined, RoomChanged
from app.services.callers import Caller


class RoomNotFound(NotFound):
    """There is no such room, or not for you."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What a user is in a room that they may see, as far as somebody needs to know who carries out their wishes."""

    room_id: int
    user_id: int
    username: str
    may_moderate: bool
    has_joined: bool = True
    """If not: they may do what any member may, and join with what succeeds, never with what is refused."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a room is, and where its reader is in it, at one moment."""

    id: int
    last_seq: int
    last_message_id: int
    member: Membership | None
    """None for somebody who has not joined."""
    last_read_id: int


_room, _member = Room.__table__, Member.__table__
_STANDING = Glance(
    select(
        _room.c.id,
        _room.c.kind,
        _room.c.last_seq,
        _room.c.last_message_id,
        _member.c.role,
        _member.c.last_read_id,
    )
    .select_from(_room)
    .outerjoin(_member, and_(_member.c.room_id == _room.c.id, _member.c.user_id == bindparam("user_id")))
    .where(_room.c.id == bindparam("room_id")),
    "user_id",
    "room_id",
)
_KIND = select(_room.c.kind).where(_room.c.id == bindparam("room_id"))
VISIBLE = RoomKind.OPEN
"""The kind of room that everybody may see. The others nobody can make yet."""


def visible(db: Db, who: Caller | Membership, room_id: int, *, lock: bool = False) -> Room:
    """The room, if the caller may see it. Raises RoomNotFound. Locked, its numbers are the caller's to take."""
    room = db.get(Room, room_id, with_for_update=lock)
    if room is None:
        raise RoomNotFound
    _check_kind(room.kind)
    return room


def standing(db: Db, who: Caller, room_id: int) -> Standing:
    """Where the room and the caller in it are, in one question. Raises RoomNotFound."""
    return _standing(_STANDING.find(db.connection(), (who.user_id, room_id)), who)


async def stand(database: Database, who: Caller, room_id: int) -> Standing:
    """The same outside of a transaction, by the shortest way. Raises RoomNotFound, DatabaseUnavailable."""
    return _standing(await database.glance(_STANDING, who.user_id, room_id), who)


def _standing(row: Sequence[Any] | None, who: Caller) -> Standing:
    if row is None:
        raise RoomNotFound
    room_id, kind, last_seq, last_message_id, role, last_read_id = row
    _check_kind(kind)
    member = Membership(room_id, who.user_id, who.username, role in MODERATING) if role else None
    return Standing(room_id, last_seq, last_message_id, member, last_read_id or 0)


def check_visible(db: Db, who: Caller, room_id: int) -> None:
    """Raises RoomNotFound where `visible` does; for those who only want to read what is in the room."""
    _check_kind(db.execute(_KIND, {"room_id": room_id}).scalar())


def _check_kind(kind: str | None) -> None:
    """Whether a room of this kind may be seen; None is that of a room that is not there. Raises RoomNotFound."""
    if kind != VISIBLE:
        raise RoomNotFound


async def current(database: Database, who: Caller, room_id: int) -> Membership:
    """What the caller is in the room, joined or not. Raises RoomNotFound, DatabaseUnavailable."""
    member = (await stand(database, who, room_id)).member
    return member or Membership(room_id, who.user_id, who.username, may_moderate=False, has_joined=False)


def enter(db: Db, who: Caller | Membership, room_id: int) -> Membership:
    """The caller's membership; an open room is joined on the way. Raises RoomNotFound."""
    room = visible(db, who, room_id, lock=True)
    member = db.get(Member, (room_id, who.user_id)) or join(db, who, room, Role.MEMBER)
    return membership(who, member)


def join(db: Db, who: Caller | Membership, room: Room, role: Role) -> Member:
    """Put the caller into a room whose row is locked. What was said before counts as read."""
    member = Member(
        room_id=room.id,
        user_id=who.user_id,
        role=role,
        joined_at=now_ms(),
        seq=room.next_seq(),
        last_read_id=room.last_message_id,
    )
    db.add(member)
    joined = MemberJoined(room_id=room.id, seq=member.seq, user=who.username, user_id=who.user_id, role=role)
    announce(db, RoomChanged(room.id, member.seq, [joined.encode()]))
    db.flush()
    return member


def membership(who: Caller | Membership, member: Member) -> Membership:
    """What is known of the caller in this room."""
    return Membership(member.room_id, who.user_id, who.username, member.may_moderate)
