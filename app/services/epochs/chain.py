"""The chain of epochs in the database, and where each room stood when it entered one."""

import secrets
from collections.abc import Container, Mapping
from typing import Any

from sqlalchemy import ScalarSelect, case, exists, func, insert, select, update

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.database.server_identity import ServerIdentity
from app.core.logs import log
from app.models import Epoch, Room, RoomEpoch

ALTERNATION_MS = 60_000
"""A server whose last epoch is younger than this does not begin another one: two servers that take turns behind one
address would end every connection each time."""

_HIGHEST = select(func.max(Epoch.number)).scalar_subquery()
_LAST = select(Epoch.number, Epoch.name, Epoch.server).order_by(Epoch.number.desc()).limit(1)


def latest() -> ScalarSelect[str]:
    """The name of the last epoch, as a column of what is read beside it."""
    return select(Epoch.name).where(Epoch.number == _HIGHEST).scalar_subquery()


def valid() -> ScalarSelect[Any]:
    """The same for those who number: NULL if the last epoch began on another server, so that `begin` comes first."""
    name = case((Epoch.server == ServerIdentity(), Epoch.name))
    return select(name).where(Epoch.number == _HIGHEST).scalar_subquery()


def name(db: UnitOfWork) -> str:
    """The name of the last epoch."""
    return str(db.execute(_LAST).one().name)


def begin(db: UnitOfWork, after: str | None = None, *, voids: bool = False) -> str:
    """Begin a new epoch. Returns the name of the current one.

    With `after`, only if that epoch is still the last one; without it, if the last one began on another server. So of
    several processes that notice the same thing, the first begins it. `voids` says that numbers may have been given out
    under the last name after the history went back: then no number of it counts any more.
    """
    db.execute(_LAST.with_for_update(key_share=True))
    # A new statement sees what was committed while this one waited for the lock.
    last = db.execute(_LAST.add_columns(ServerIdentity().label("here"))).one()
    if not last.server:  # of the migration: the history that exists is its own
        db.execute(update(Epoch).where(Epoch.number == last.number).values(server=last.here))
    elif last.name != after and last.server != last.here and not _alternates(db, last.here):
        after = last.name
    if last.name != after:
        return str(last.name)
    if voids:
        db.execute(update(Epoch).where(Epoch.number == last.number).values(is_void=True))
    name = secrets.token_urlsafe(9)
    row = {"number": last.number + 1, "name": name, "server": last.here, "is_void": False}
    db.execute(insert(Epoch), row | {"began_at": now_ms()})
    return name


def confirm(
    db: UnitOfWork, known: str, past: Container[str], told: Mapping[int, int], is_contradicted: bool
) -> str:
    """The name of the current epoch, for a process that knows another one or doubts its own.

    A new one begins if the history went back: if it names an epoch of the past, if a room is below what its listeners
    were `told`, or if a number was given out twice.
    """
    current = begin(db)
    if current in past or (current == known and (is_contradicted or _is_behind(db, told))):
        log.error("epoch.history_went_back", epoch=current)
        return begin(db, after=current, voids=True)
    return current


def enter(db: UnitOfWork, room_id: int, last_seq: int, entered: str, epoch: str | None) -> str:
    """Let a room whose row is locked number changes. Returns the name of the epoch it is in then.

    `epoch` is what `valid` found in the statement that locked it, and `entered` is the room's own. While that statement
    waited for the lock, another epoch may have begun, which only a new statement sees.
    """
    if epoch == entered:
        return entered
    current: str = db.scalar(select(valid())) or begin(db)
    if entered != current:
        _stamp(db, room_id, current, last_seq)
    return current


def continues(db: UnitOfWork, room_id: int, since: int, epoch: str) -> bool:
    """Whether what a client has of a room up to `since` of that epoch is part of the history that stands here."""
    if not since:
        return True
    found = db.execute(select(Epoch.number, Epoch.is_void).where(Epoch.name == epoch)).one_or_none()
    if found is None or found.is_void:
        return False
    following = (
        select(RoomEpoch.last_seq)
        .where(RoomEpoch.room_id == room_id, RoomEpoch.epoch > found.number)
        .order_by(RoomEpoch.epoch)
        .limit(1)
    )
    reached = db.scalar(following)
    return reached is None or since <= reached


def _stamp(db: UnitOfWork, room_id: int, epoch: str, last_seq: int) -> None:
    """Note that the room has reached `last_seq` before its first change in this epoch."""
    number = db.scalars(select(Epoch.number).where(Epoch.name == epoch)).one()
    key = RoomEpoch.room_id == room_id, RoomEpoch.epoch == number
    if not db.scalar(select(exists().where(*key))):
        db.execute(insert(RoomEpoch).values(room_id=room_id, epoch=number, last_seq=last_seq))
    db.execute(update(Room).where(Room.id == room_id).values(epoch=epoch))


def _is_behind(db: UnitOfWork, told: Mapping[int, int]) -> bool:
    rows = db.execute(select(Room.id, Room.last_seq).where(Room.id.in_(told)))
    heads = {row.id: row.last_seq for row in rows}
    return any(heads.get(room_id, 0) < seq for room_id, seq in told.items())


def _alternates(db: UnitOfWork, here: str) -> bool:
    """Whether this server began an epoch a moment ago, and another server one after it."""
    recent = exists().where(Epoch.server == here, Epoch.began_at > now_ms() - ALTERNATION_MS)
    if not db.scalar(select(recent)):
        return False
    log.error("epoch.servers_alternate", server=here)
    return True
