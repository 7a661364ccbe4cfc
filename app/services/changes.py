"""Catching up: what stands in a room that was not there, or not so, at `since`.

There is no list of events. Each row knows its last change, so a week of absence costs what still stands, not what
happened: the rows with `changed_seq > since` are what brings a replica up to date. Each gives an event where it was
made, if that is news, and one where it was changed last: so events can be cut off anywhere, by a connection that breaks
or by the end of a page, and whoever has those up to a number has all that it takes to go on from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session as Db

from app.core import strictjson
from app.core.database import Database
from app.models import Member, Message, Room, User
from app.schemas.events import MemberJoined, MessageDeleted
from app.services import members
from app.services.callers import Caller
from app.services.members import Membership, Standing
from app.services.messages import STORED, as_objects, updated

PAGE = 100
"""Events that are read at once; at 8,000 characters each they are a few megabytes."""
ANSWER_BYTES = 1 << 20
"""How much one answer over REST holds: a thousand long messages would be 32 MB."""


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
    """The first page."""
    truncated: bool
    """There are more changes than are sent over a socket, or `since` lies in the future."""
    last_seq: int
    last_message_id: int
    last_read_id: int


async def begin(
    database: Database, who: Caller, room_id: int, since: int | None, limit: int
) -> CatchUp | None:
    """What a listener missed, and where the room stands; None if the caller has not joined.

    Whoever has missed nothing needs only to be told where the room stands, and a glance tells that. Where that is no
    shorter a way, who has a `since` takes the long one at once. Raises RoomNotFound, DatabaseUnavailable.
    """
    if since is None or database.glances_at_once:
        room = await members.stand(database, who, room_id)
        if since is None or since == room.last_seq:
            return _nothing_missed(room)
    return await database.read(catch_up, who, room_id, since, limit)


def catch_up(db: Db, who: Caller, room_id: int, since: int, limit: int) -> CatchUp | None:
    """The same, from one snapshot. Raises RoomNotFound."""
    room = members.standing(db, who, room_id)
    caught = _nothing_missed(room)
    if caught is None:
        return None
    if since > room.last_seq or _has_more(db, room, since, limit):
        nothing = replace(caught.changes, truncated=True)
        return replace(caught, changes=nothing, truncated=True)
    return replace(caught, changes=after(db, room, since, PAGE))


def _nothing_missed(room: Standing) -> CatchUp | None:
    if room.member is None:
        return None
    nothing = Changes([], [], room.last_seq, truncated=False)
    return CatchUp(room.member, nothing, False, room.last_seq, room.last_message_id, room.last_read_id)


def _has_more(db: Db, room: Standing, start: int, limit: int) -> bool:
    """Whether more than `limit` rows were made or changed after `start`."""
    if room.last_seq - start <= limit:
        return False
    made = room.last_message_id - _last_made(db, room, start)  # ids have no gaps
    if made > limit:
        return True
    changes = select(Message.id).where(
        Message.room_id == room.id, Message.changed_seq > start, _CHANGED, Message.seq <= start
    )
    joins = select(Member.user_id).where(Member.room_id == room.id, Member.seq > start)
    counts = [
        db.scalars(select(func.count()).select_from(rows.limit(limit + 1).subquery())).one()
        for rows in (changes, joins)
    ]
    return made + sum(counts) > limit


def visible_since(db: Db, who: Caller, room_id: int, since: int, limit: int) -> Changes:
    """The first of what changed after `since`: `limit` events, or what fits into an answer, but one at least.

    Raises RoomNotFound.
    """
    room = members.visible(db, who, room_id)
    seqs: list[int] = []
    bodies: list[bytes] = []
    size = 0
    page = after(db, room, since, min(limit, PAGE))
    while True:
        for seq, body in zip(page.seqs, page.bodies, strict=True):
            size += len(body)
            if size > ANSWER_BYTES and bodies:
                return Changes(seqs, bodies, seqs[-1], truncated=True)
            seqs.append(seq)
            bodies.append(body)
        is_behind = page.seq < since  # the room, after a backup was restored
        if is_behind or not page.truncated or len(bodies) == limit:
            return Changes(seqs, bodies, page.seq, page.truncated)
        page = after(db, room, page.seq, min(limit - len(bodies), PAGE))


def since(db: Db, room_id: int, start: int, limit: int) -> Changes:
    """Everything that changed after `start`, or the first `limit` of it. The session must be one snapshot."""
    return after(db, db.get_one(Room, room_id), start, limit)


def after(db: Db, room: Room | Standing, start: int, limit: int) -> Changes:
    """The events after `start`. Whoever applies them up to any number can go on from that number."""
    if start >= room.last_seq:
        return Changes([], [], room.last_seq, truncated=start > room.last_seq)
    reach = room.last_seq
    in_room = STORED.where(Message.room_id == room.id)
    made = db.execute(
        in_room.where(Message.id > _last_made(db, room, start)).order_by(Message.id).limit(limit + 1)
    ).all()
    if len(made) > limit:
        reach = made[limit - 1].seq
    changed = db.execute(
        in_room.where(Message.changed_seq > start, Message.changed_seq <= reach, _CHANGED)
        .order_by(Message.changed_seq)
        .limit(limit + 1)
    ).all()
    if len(changed) > limit:
        reach = changed[limit - 1].changed_seq
    joins = _joins(db, room.id, start, limit + 1)
    if len(joins) > limit:
        reach = min(reach, joins[limit - 1][0])
    rows = {row.id: row for row in (*made, *changed)}
    events = [event for message in as_objects(db, [*rows.values()]) for event in _events(message, start)]
    found = sorted(event for event in events + joins if event[0] <= reach)
    if len(found) > limit:
        reach = found[limit - 1][0]
    seqs, bodies = [seq for seq, _ in found[:limit]], [body for _, body in found[:limit]]
    return Changes(seqs, bodies, reach, truncated=reach < room.last_seq)


_CHANGED = text("changed_seq <> seq")
"""In the words of the partial index, or no database would use it."""


_m = Message.__table__.c
_MADE_AT = select(_m.seq).where(_m.room_id == bindparam("room_id"), _m.id == bindparam("id"))


def _last_made(db: Db, room: Room | Standing, number: int) -> int:
    """The id of the last message that was made up to `number`. Ids and numbers have the same order.

    No more messages were made after `number` than numbers were given, and most numbers are messages: so the search
    begins where it most often ends, and goes on in growing steps.
    """

    def is_made(message_id: int) -> bool:
        made_at: int = db.execute(_MADE_AT, {"room_id": room.id, "id": message_id}).scalar_one()
        return made_at <= number

    low = max(0, room.last_message_id - (room.last_seq - number))
    step = 1
    while low + step <= room.last_message_id and is_made(low + step):
        low += step
        step *= 2
    high = min(low + step, room.last_message_id + 1)
    while low + 1 < high:
        middle = (low + high) // 2
        if is_made(middle):
            low = middle
        else:
            high = middle
    return low


def _events(message: dict[str, Any], start: int) -> Iterator[tuple[int, bytes]]:
    """A message that is new to the replica comes whole at its number; what happened to it, at the number of that."""
    changed = message.get("changed_seq", start)
    if "deleted_at" in message:
        gone = MessageDeleted(
            room_id=message["room_id"], id=message["id"], seq=changed, deleted_at=message["deleted_at"]
        )
        yield changed, gone.encode()
        return
    if message["seq"] > start:
        new = (
            {key: value for key, value in message.items() if key not in _LATER}
            if changed > start
            else message
        )
        yield message["seq"], strictjson.encode(new)
    if changed > start:
        yield changed, updated(message).encode()


_LATER = {"changed_seq", "edited_at", "reactions"}
"""What has not happened yet where a message is new."""


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
