"""The chain of epochs in the database, and where each room stood when it entered one."""

import secrets
from typing import Any

from sqlalchemy import ScalarSelect, case, func, insert, select, update

from app.core.clock import now_ms
from app.core.database import UnitOfWork
from app.core.database.server_identity import ServerIdentity
from app.models import Epoch, Room, RoomEpoch

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
    return db.execute(_LAST).one().name  # type: ignore[no-any-return]


def begin(db: UnitOfWork, after: str | None = None) -> str:
    """Begin a new epoch. Returns the name of the current one.

    With `after`, only if that epoch is still the last one; without it, if the last one began on another server. So of
    several processes that notice the same thing, the first begins it.
    """
    db.execute(_LAST.with_for_update(key_share=True))
    # A new statement sees what was committed while this one waited for the lock.
    last = db.execute(_LAST.add_columns(ServerIdentity().label("here"))).one()
    if last.name != after and last.server == last.here:
        return str(last.name)
    if not last.server:  # of the migration: the history that exists is its own
        db.execute(update(Epoch).where(Epoch.number == last.number).values(server=last.here))
        if last.name != after:
            return str(last.name)
    name = secrets.token_urlsafe(9)
    row = {"number": last.number + 1, "name": name, "server": last.here, "began_at": now_ms()}
    db.execute(insert(Epoch), row)
    return name


def enter(db: UnitOfWork, room: Room, epoch: str | None = None) -> None:
    """Let a locked or new room number changes in this epoch, or in the current one, which may have to begin."""
    name = epoch or begin(db)
    if room.epoch != name:
        stamp(db, room.id, name, room.last_seq)
        room.epoch = name


def stamp(db: UnitOfWork, room_id: int, epoch: str, last_seq: int) -> None:
    """Note that a room whose row is locked has reached `last_seq` before its first change in this epoch."""
    number = select(Epoch.number).where(Epoch.name == epoch).scalar_subquery()
    db.execute(insert(RoomEpoch).values(room_id=room_id, epoch=number, last_seq=last_seq))
    db.execute(update(Room).where(Room.id == room_id).values(epoch=epoch))


def continues(db: UnitOfWork, room_id: int, since: int, epoch: str) -> bool:
    """Whether what a client has of a room up to `since` of that epoch is part of the history that stands here."""
    if not since:
        return True
    number = db.scalar(select(Epoch.number).where(Epoch.name == epoch))
    if number is None:
        return False
    following = (
        select(RoomEpoch.last_seq)
        .where(RoomEpoch.room_id == room_id, RoomEpoch.epoch > number)
        .order_by(RoomEpoch.epoch)
        .limit(1)
    )
    reached = db.scalar(following)
    return reached is None or since <= reached
