"""Catching up: everything in a room that is new or has changed since the number `since`.

There is no table of events. Each row has the number of its last change, so a week of absence costs what still exists,
not what happened: the rows with `changed_seq > since` bring a replica up to date. Each gives an event at the number
where it was created, if the replica has not seen that, and one at its last change. So events can be cut anywhere, by a
lost connection or by the end of a page: a client that has applied those up to a number can continue from there.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, func, select, text

from app.core import strict_json
from app.core.clock import rfc3339
from app.core.database import Database, UnitOfWork
from app.core.database.point_reads import PointQuery
from app.models import Member, Message, Room, User
from app.schemas.members import MemberJoined
from app.schemas.messages import MessageDeleted, MessageUpdated
from app.services import access, epochs
from app.services.access import RoomView
from app.services.callers import Caller
from app.services.ledger.message_rows import IN_ROOM, as_created, is_touched, objects_of
from app.services.messages import ANSWER_BYTES

PAGE = 100
"""Events per page."""
PAGE_BYTES = 256 << 10
"""Bytes per page: what waits for a reader that does not read. Every event is smaller: see
`ledger.listed_reactions.MAX_NAME_BYTES`."""
ROUND = (PAGE, 10)
"""Pages end at a multiple of the first of these that they contain; those of long messages contain few numbers."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Encoded events in the order of their numbers. They bring a replica to `seq`."""

    seqs: list[int]
    bodies: list[bytes]
    seq: int
    truncated: bool
    """There is more than was asked for, or what the client has is of another history: then `seq` is below `since`."""
    epoch: str

    def encode(self) -> bytes:
        """The JSON of `schemas.changes.ChangesOut`, from events that are encoded already."""
        tail = strict_json.encode({"seq": self.seq, "truncated": self.truncated, "epoch": self.epoch})
        return b'{"changes":[' + b",".join(self.bodies) + b"]," + tail[1:]


class Position(NamedTuple):
    """The counters of a room in an epoch."""

    id: int
    last_seq: int
    last_message_id: int
    epoch: str


def missed(db: UnitOfWork, room_id: int, start: int, limit: int | None) -> tuple[Changes, int] | None:
    """A page of what a listener missed since `start`, and the room's `seq`; None if more than `limit` changed.

    A page that is not the last ends at a round number if it can, so that listeners that start at different positions
    soon ask for the same pages.
    """
    room = _position(db, room_id)
    if limit is not None and _has_more(db, room, start, limit):
        return None
    page = after(db, room, start, PAGE)
    round_number = next((end for step in ROUND if (end := page.seq - page.seq % step) > start), None)
    if page.truncated and round_number is not None:
        kept = bisect_right(page.seqs, round_number)
        page = Changes(page.seqs[:kept], page.bodies[:kept], round_number, True, room.epoch)
    return page, room.last_seq


async def is_outdated(database: Database, room_id: int, as_of: int) -> bool:
    """Whether a page read at `as_of` is out of date: a message was changed since, or a restored backup put the room
    back.

    Raises DatabaseUnavailable.
    """
    found = await database.lookup(_CHANGED_SINCE, room_id, as_of)
    return found is None or bool(found[0]) or found[1] < as_of


def _has_more(db: UnitOfWork, room: Position, start: int, limit: int) -> bool:
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


def visible_since(
    db: UnitOfWork, who: Caller, room_id: int, since: int, limit: int, epoch: str | None
) -> Changes:
    """The first changes after `since`: `limit` events or what fits into an answer, but at least one. Nothing, up to
    number 0, if `since` is of another history than this one.

    Raises RoomNotFound.
    """
    room = access.room_for(db, who, room_id)
    if epoch not in (None, room.epoch) and not epochs.continues(db, room_id, since, str(epoch)):
        return Changes([], [], 0, True, room.epoch)
    seqs: list[int] = []
    bodies: list[bytes] = []
    size = 0
    page = after(db, room, since, min(limit, PAGE), ANSWER_BYTES)
    while True:
        for seq, body in zip(page.seqs, page.bodies, strict=True):
            size += len(body) + len(",")
            if size > ANSWER_BYTES and bodies:
                return Changes(seqs, bodies, seqs[-1], True, room.epoch)
            seqs.append(seq)
            bodies.append(body)
        if page.seq < since:  # a restored backup put the room back
            return Changes([], [], 0, True, room.epoch)
        if not page.truncated or len(bodies) == limit:
            return Changes(seqs, bodies, page.seq, page.truncated, room.epoch)
        page = after(db, room, page.seq, min(limit - len(bodies), PAGE), ANSWER_BYTES)


def since(db: UnitOfWork, room_id: int, start: int, limit: int) -> Changes:
    """The first changes after `start`: `limit`, or what fits into a page. The transaction must be one snapshot."""
    return after(db, _position(db, room_id), start, limit)


def after(
    db: UnitOfWork, room: Position | RoomView, start: int, limit: int, max_bytes: int = PAGE_BYTES
) -> Changes:
    """The first events after `start`: `limit`, or what fits into `max_bytes`, but at least one if there is any.

    A replica that applies them up to any number can continue from that number.
    """
    if start >= room.last_seq:
        return Changes([], [], room.last_seq, start > room.last_seq, room.epoch)
    reach = room.last_seq
    wanted = {"room_id": room.id, "start": start, "limit": limit + 1}
    made = db.execute(_MADE, wanted | {"last": _last_made(db, room, start)}).all()
    if len(made) > limit:
        reach = made[limit - 1].seq
    changed = db.execute(_TOUCHED, wanted | {"reach": reach}).all()
    if len(changed) > limit:
        reach = changed[limit - 1].changed_seq
    joins = db.execute(_JOINS, wanted).all()
    if len(joins) > limit:
        reach = min(reach, joins[limit - 1].seq)
    rows = {row.id: row for row in (*made, *changed)}
    due = [event for row in rows.values() for event in _events(row, start)]
    due += [_Event(row.seq, _joined, row) for row in joins]
    found = sorted((event for event in due if event.seq <= reach), key=itemgetter(0))
    if len(found) > limit:
        reach = found[limit - 1].seq
    bodies = _first_that_fit(_encoded(db, room.id, found[:limit]), max_bytes)
    seqs = [event.seq for event in found[: len(bodies)]]
    if len(bodies) < len(found[:limit]):
        reach = seqs[-1]
    return Changes(seqs, bodies, reach, reach < room.last_seq, room.epoch)


_CHANGED = text("changed_seq <> seq")
"""Must repeat the partial index's predicate literally, or the planner ignores the index."""


_m, _u, _j = Message.__table__.c, User.__table__.c, Member.__table__.c
# Made once: building these statements took longer than reading a page of a hundred events.
_MADE = IN_ROOM.where(_m.id > bindparam("last")).order_by(_m.id).limit(bindparam("limit"))
_TOUCHED = (
    IN_ROOM.where(_m.changed_seq > bindparam("start"), _m.changed_seq <= bindparam("reach"), _CHANGED)
    .order_by(_m.changed_seq)
    .limit(bindparam("limit"))
)
_JOINS = (
    select(_j.seq, _j.user_id, _j.role, _u.username)
    .join(User.__table__, _u.id == _j.user_id)
    .where(_j.room_id == bindparam("room_id"), _j.seq > bindparam("start"))
    .order_by(_j.seq)
    .limit(bindparam("limit"))
)
_room = Room.__table__.c
_CHANGED_SINCE = PointQuery(
    select(
        exists()
        .where(_m.room_id == _room.id, _m.changed_seq > bindparam("seq"), _CHANGED)
        .label("has_changed"),
        _room.last_seq,
    ).where(_room.id == bindparam("room_id")),
    "room_id",
    "seq",
)
_POSITION = select(_room.id, _room.last_seq, _room.last_message_id, epochs.latest()).where(
    _room.id == bindparam("room_id")
)
_MADE_AT = select(_m.seq).where(_m.room_id == bindparam("room_id"), _m.id == bindparam("id"))


def _position(db: UnitOfWork, room_id: int) -> Position:
    return Position(*db.execute(_POSITION, {"room_id": room_id}).one())


def _last_made(db: UnitOfWork, room: Position | RoomView, number: int) -> int:
    """The id of the last message made up to `number`. Ids and numbers have the same order.

    No more messages were made after `number` than numbers were assigned, and most numbers are messages: the search
    starts where it most often ends, and continues in growing steps.
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


class _Event(NamedTuple):
    """An event that is due at a number, not encoded yet."""

    seq: int
    make: Callable[[int, Any], bytes] | None
    """Encodes it, of a room and a row; None for an update, which shows reactions."""
    row: Any


def _events(row: Any, start: int) -> Iterator[_Event]:
    """A message that is new to the replica is sent whole at its own number, and its last change at the number of the
    change."""
    if row.deleted_at is not None:
        yield _Event(row.changed_seq, _deleted, row)
        return
    if row.seq > start:
        yield _Event(row.seq, _made, row)
    if is_touched(row) and row.changed_seq > start:
        yield _Event(row.changed_seq, None, row)


def _encoded(db: UnitOfWork, room_id: int, events: Sequence[_Event]) -> Iterator[bytes]:
    """The events, encoded as they are asked for."""
    updated = objects_of(db, [event.row for event in events if event.make is None])
    for event in events:
        yield event.make(room_id, event.row) if event.make else MessageUpdated.of(next(updated)).encode()


def _first_that_fit(bodies: Iterator[bytes], max_bytes: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for body in bodies:
        size += len(body)
        if size > max_bytes and found:
            break
        found.append(body)
    return found


def _made(_room_id: int, row: Any) -> bytes:
    return strict_json.encode(as_created(row))


def _deleted(room_id: int, row: Any) -> bytes:
    deleted_at = rfc3339(row.deleted_at)
    return MessageDeleted(room_id=room_id, id=row.id, seq=row.changed_seq, deleted_at=deleted_at).encode()


def _joined(room_id: int, row: Any) -> bytes:
    joined = MemberJoined(room_id=room_id, seq=row.seq, user=row.username, user_id=row.user_id, role=row.role)
    return joined.encode()
