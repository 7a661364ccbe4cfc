"""Processes that notice that the history went backward, and end every connection of theirs once."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.models import Epoch, Room, RoomEpoch
from app.services import epochs, messages
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.epochs.steps import (
    Listening,
    begin_on_another_server,
    move_to_another_server,
    put_back,
    says,
)
from tests.databases.people import member_of, say
from tests.support.fakes import eventually


async def test_a_server_that_nothing_was_written_to_yet_is_noticed(
    database: Database, member: Membership, first: str, listening: "Listening"
) -> None:
    """Otherwise edits, which begin no epoch by themselves, would be refused until the next message."""
    await move_to_another_server(database)
    with pytest.raises(DatabaseUnavailable):
        await database.write(messages.edit, replace(member, epoch="second"), 1, "changed")
    await listening.reconciles()
    assert await database.read(epochs.name) != first
    assert listening.closes == 1


async def test_a_head_below_what_was_told_begins_an_epoch_and_closes_everyone(
    database: Database, ann: Caller, member: Membership, first: str, listening: Listening
) -> None:
    await listening.reconciles()
    assert listening.closes == 0
    await database.write(put_back, member.room_id, 2)
    await say(Ledger(database), member, "numbered before it is noticed")
    await listening.reconciles()
    assert listening.closes == 1
    assert listening.epoch.name == await database.read(epochs.name) != first
    await say(Ledger(database), await member_of(database, ann, member.room_id), *"abcdef")
    for seq in (4, 6):
        assert not await database.read(epochs.continues, member.room_id, seq, first)


async def test_a_number_that_is_given_out_twice_begins_an_epoch(
    database: Database, member: Membership, first: str, listening: Listening
) -> None:
    """The room overtakes what its listeners were told before anything compares the two."""
    database.on_commit(listening.publish)
    await say(Ledger(database), member, "7", "8")
    await database.write(put_back, member.room_id, 5)
    await say(Ledger(database), member, *"abcd")
    await eventually(lambda: listening.closes == 1)
    assert listening.listener.heard[:2] == [7, 8]
    assert await database.read(epochs.name) != first
    assert not await database.read(epochs.continues, member.room_id, 7, first)


async def test_an_epoch_that_another_process_began_closes_everyone_here(
    database: Database, first: str, listening: Listening
) -> None:
    second = await database.write(epochs.begin, after=first)
    await listening.reconciles()
    assert (listening.closes, listening.epoch.name) == (1, second)


async def test_several_processes_begin_one_epoch_for_one_restored_backup(
    database: Database, member: Membership, first: str
) -> None:
    processes = [Listening(database, replace(member, epoch=first), 6) for _ in range(3)]
    await database.write(put_back, member.room_id, 2)
    for _ in range(2):
        await asyncio.gather(*(one.reconciles() for one in processes))
    assert await database.read(lambda db: db.query(Epoch).count()) == 2
    assert {one.epoch.name for one in processes} == {await database.read(epochs.name)}
    assert [one.closes for one in processes] == [1, 1, 1]


async def test_a_history_that_returns_to_an_epoch_of_the_past_begins_another(
    database: Database, ann: Caller, member: Membership, first: str, listening: Listening
) -> None:
    second = await database.write(epochs.begin, after=first)
    await listening.reconciles()

    def return_to_first(db: UnitOfWork) -> None:
        db.execute(delete(RoomEpoch))
        db.execute(update(Room).values(epoch=first))
        db.execute(delete(Epoch).where(Epoch.name == second))

    await database.write(return_to_first)
    assert not listening.epoch.is_current(first)
    await listening.epoch.settled()
    third = await database.read(epochs.name)
    assert third not in (first, second)
    assert (listening.epoch.name, listening.closes) == (third, 2)
    assert not await database.read(epochs.continues, member.room_id, 6, first)


async def test_a_process_that_sleeps_through_an_epoch_ends_up_in_the_last_one(
    database: Database, member: Membership, first: str, listening: Listening
) -> None:
    second = await database.write(epochs.begin, after=first)
    third = await database.write(epochs.begin, after=second)
    for name in (second, third, second):  # reads that end late
        listening.epoch.is_current(name)
        await listening.epoch.settled()
    assert (listening.epoch.name, listening.closes) == (third, 1)
    assert listening.epoch.is_current(third)


async def test_a_reader_that_lags_behind_begins_no_epoch(
    database: Database, member: Membership, first: str, listening: Listening
) -> None:
    listening.epoch.doubt({member.room_id: 6})
    await listening.epoch.settled()
    assert await database.read(epochs.name) == first
    assert listening.closes == 0


async def test_servers_that_take_turns_do_not_begin_an_epoch_each_time(
    database: Database, ann: Caller, member: Membership, first: str
) -> None:
    for _ in range(3):
        await begin_on_another_server(database)
        await says(database, ann, member.room_id, "stored all the same")
    assert await database.read(lambda db: db.query(Epoch).count()) == 1 + 3


async def test_events_of_another_epoch_are_dropped(
    database: Database, member: Membership, listening: Listening
) -> None:
    listening.hub.deliver(DurableEvents(member.room_id, 7, [b'{"seq":7}'], listening.epoch.name))
    listening.hub.deliver(DurableEvents(member.room_id, 8, [b'{"seq":8}'], "another"))
    await listening.epoch.settled()
    assert listening.listener.heard == [7]
