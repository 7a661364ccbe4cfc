"""Epochs that begin while rooms are locked."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import text

from app.core.database import Database, UnitOfWork
from app.models import Room
from app.services import epochs, messages
from app.services.access import Membership
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.ledger.numbering import Draft, record
from tests.databases.people import member_of, room_of, say


@pytest.fixture
def holds(database: Database) -> Iterator[Callable[[int], Awaitable[Callable[[], None]]]]:
    """Locks a room in another transaction; returns what releases it."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has one writer")
    releases: list[Callable[[], None]] = []

    async def hold(room_id: int) -> Callable[[], None]:
        locked, released = threading.Event(), threading.Event()
        releases.append(released.set)

        def work(db: UnitOfWork) -> None:
            db.get_one(Room, room_id, with_for_update=True)
            locked.set()
            released.wait(10)

        held = asyncio.create_task(database.write(work))
        await asyncio.to_thread(locked.wait)
        assert not held.done()
        return released.set

    yield hold
    for release in releases:
        release()


async def test_an_epoch_that_begins_while_a_batch_waits_for_a_lock_spoils_no_room(
    database: Database,
    ann: Caller,
    member: Membership,
    first: str,
    holds: Callable[[int], Awaitable[Callable[[], None]]],
) -> None:
    """The statement that waits has read the second epoch; meanwhile the other room enters the third."""
    other = await member_of(database, ann, await room_of(database, ann, "Other"))
    second = await database.write(epochs.begin, after=first)
    release = await holds(member.room_id)
    drafts = [Draft(one.room_id, ann.user_id, "ann", "batch", None, None, second) for one in (member, other)]
    batch = asyncio.create_task(database.write(record, drafts, waits=True))
    await asyncio.sleep(0.2)  # it waits for the lock by then, or else proves less
    third = await database.write(epochs.begin, after=second)
    await say(Ledger(database), await member_of(database, ann, other.room_id), "in the third")
    release()
    await asyncio.gather(batch, return_exceptions=True)
    for one in (other, member):
        standing = await member_of(database, ann, one.room_id)
        assert standing.epoch == third
        await say(Ledger(database), standing, *"later")
        await database.write(messages.edit, standing, 1, "changed")


async def test_locking_rooms_locks_no_epoch(
    database: Database,
    member: Membership,
    first: str,
    holds: Callable[[int], Awaitable[Callable[[], None]]],
) -> None:
    await holds(member.room_id)
    await database.write(lambda db: db.execute(text("SELECT number FROM epochs FOR UPDATE NOWAIT")).all())
