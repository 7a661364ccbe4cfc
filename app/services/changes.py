"""Catching up: what stands in a room that was not there, or not so, at `since`.

There is no list of events. Each row knows its last change, so a week of absence costs what still stands, not what
happened: the rows with `changed_seq > since`, in that order, are the events that bring a replica up to date.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Db

from app.core import strictjson
from app.models import Member, Message, Room, User
from app.schemas.events import MemberJoined, MessageDeleted
from app.services import members
from app.services.callers import Caller
from app.services.members import Membership
from app.services.messages import STORED, as_objects, updated


@dataclass(frozen=True, slots=True)
class Changes:
    """Encoded events in the order of their numbers. `seq` is where a replica is that has applied them."""

    seqs: list[int]
    bodies: list[bytes]
    seq: int
    truncated: bool
    """There is more than was asked for, or `since` lies in the future (a restored backup): load the history anew."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """All that a listener needs to begin, from one snapshot of the database."""

    member: Membership
    changes: Changes
    last_seq: int
    last_message_id: int
    last_read_id: int


def catch_up(db: Db, who: Caller, room_id: int, since: int | None, limit: int) -> CatchUp | None:
    """What a listener missed and where the room stands; None if the caller has not joined. Raises RoomNotFound."""
    room = members.visible(db, who, room_id)
    member = db.get(Member, (room_id, who.user_id))
    if member is None:
        return None
    missed = after(db, room, room.last_seq if since is None else since, limit)
    membership = members.membership(who, member)
    return CatchUp(membership, missed, room.last_seq, room.last_message_id, member.last_read_id)


def visible_since(db: Db, who: Caller, room_id: int, since: int, limit: int) -> Changes:
    """Raises RoomNotFound."""
    return after(db, members.visible(db, who, room_id), since, limit)


def since(db: Db, room_id: int, start: int, limit: int) -> Changes:
    """Everything that changed after `start`, or the first `limit` of it. The session must be one snapshot."""
    return after(db, db.get_one(Room, room_id), start, limit)


def after(db: Db, room: Room, start: int, limit: int) -> Changes:
    if start >= room.last_seq:
        return Changes([], [], room.last_seq, truncated=start > room.last_seq)
    found = sorted(_messages(db, room.id, start, limit + 1) + _joins(db, room.id, start, limit + 1))
    seqs, bodies = [seq for seq, _ in found[:limit]], [body for _, body in found[:limit]]
    if len(found) > limit:
        return Changes(seqs, bodies, seqs[-1], truncated=True)
    return Changes(seqs, bodies, room.last_seq, truncated=False)


def _messages(db: Db, room_id: int, start: int, limit: int) -> list[tuple[int, bytes]]:
    query = STORED.where(Message.room_id == room_id, Message.changed_seq > start)
    rows = db.execute(query.order_by(Message.changed_seq).limit(limit)).all()
    return [
        (message.get("changed_seq", message["seq"]), _encode(message, start))
        for message in as_objects(db, rows)
    ]


def _encode(message: dict[str, Any], start: int) -> bytes:
    """A message that is new to the replica comes whole; one that it has comes as what happened to it."""
    if "deleted_at" in message:
        gone = MessageDeleted(
            room_id=message["room_id"],
            id=message["id"],
            seq=message["changed_seq"],
            deleted_at=message["deleted_at"],
        )
        return gone.encode()
    return strictjson.encode(message) if message["seq"] > start else updated(message).encode()


def _joins(db: Db, room_id: int, start: int, limit: int) -> list[tuple[int, bytes]]:
    rows = db.execute(
        select(Member, User.username)
        .join(User, User.id == Member.user_id)
        .where(Member.room_id == room_id, Member.seq > start)
        .order_by(Member.seq)
        .limit(limit)
    )
    return [
        (
            member.seq,
            MemberJoined(
                room_id=room_id, seq=member.seq, user=username, user_id=member.user_id, role=member.role
            ).encode(),
        )
        for member, username in rows
    ]
