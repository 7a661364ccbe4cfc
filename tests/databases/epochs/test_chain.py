"""The chain of epochs: what a client has of an earlier one is continued, or not."""

import asyncio

import pytest

from app.core.database import Database, DatabaseUnavailable
from app.models import Epoch
from app.schemas.messages import MessageDraft
from app.services import changes, epochs, messages, reactions
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from tests.databases.epochs.steps import (
    move_to_another_server,
    put_back,
    says,
)
from tests.databases.people import member_of, room_of, say, user_named


async def test_a_history_that_goes_forward_stays_in_its_epoch(
    database: Database, member: Membership, first: str
) -> None:
    await say(Ledger(database), member, "more")
    await database.write(messages.edit, member, 1, "changed")
    assert await database.write(epochs.begin) == first
    assert await database.read(epochs.name) == first


@pytest.mark.parametrize("kind", ["message", "join"])
async def test_a_new_epoch_begins_before_another_server_numbers_anything(
    database: Database, member: Membership, first: str, kind: str
) -> None:
    told: list[object] = []
    database.on_commit(told.extend)
    await move_to_another_server(database)
    if kind == "message":
        with pytest.raises(DatabaseUnavailable):  # its sender was a member in the first
            await say(Ledger(database), member, "not stored")
    else:
        await member_of(database, await user_named(database, "ben"), member.room_id)
    second = await database.read(epochs.name)
    assert second != first
    assert {one.epoch for one in told if isinstance(one, DurableEvents)} == {second}
    for seq, is_continued in ((6, True), (7, False), (0, True)):
        found = await database.read(epochs.continues, member.room_id, seq, first)
        assert found is is_continued, f"number {seq} of the first epoch"
    assert await database.read(epochs.continues, member.room_id, 7, second)


async def test_several_writers_begin_one_epoch_together(database: Database, ann: Caller, first: str) -> None:
    rooms = [await member_of(database, ann, await room_of(database, ann, f"Room {n}")) for n in range(6)]
    await move_to_another_server(database)
    said = (say(Ledger(database), member, "at once") for member in rooms)
    joins = [await user_named(database, f"ben {n}") for n in range(3)]
    entered = (member_of(database, ben, rooms[0].room_id) for ben in joins)
    outcomes = await asyncio.gather(*said, *entered, return_exceptions=True)
    assert all(isinstance(one, DatabaseUnavailable) for one in outcomes if isinstance(one, Exception))
    await asyncio.gather(*(says(database, ann, one.room_id, "again") for one in rooms))
    assert await database.read(lambda db: db.query(Epoch).count()) == 2


async def test_a_room_that_is_made_again_under_its_old_id_is_another_room(
    database: Database, ann: Caller, first: str
) -> None:
    await database.write(epochs.begin, after=first)
    room = await room_of(database, ann, "New")
    assert not await database.read(epochs.continues, room, 1, first)
    assert await database.read(epochs.continues, room, 0, first)


async def test_two_restores_in_a_row_continue_only_what_both_have(
    database: Database, ann: Caller, member: Membership, first: str
) -> None:
    """Numbers: the first epoch ends at 6, the second at 8; the second is then put back to 7."""
    second = await database.write(epochs.begin, after=first)
    await says(database, ann, member.room_id, "7", "8")
    await database.write(put_back, member.room_id, 6)
    third = await database.write(epochs.begin, after=second)
    await says(database, ann, member.room_id, "8 again", "9", "10")

    async def continues(since: int, epoch: str) -> bool:
        return await database.read(epochs.continues, member.room_id, since, epoch)

    assert [await continues(since, first) for since in (5, 6, 7, 8, 10)] == [True, True, False, False, False]
    assert [await continues(since, second) for since in (6, 7, 8, 9)] == [True, True, False, False]
    assert [await continues(since, third) for since in (6, 8, 10)] == [True, True, True]
    assert not await continues(6, "never heard of")


async def test_over_rest_what_is_of_another_history_is_answered_with_number_0(
    database: Database, ann: Caller, member: Membership, first: str
) -> None:
    await database.write(put_back, member.room_id, 3)
    second = await database.write(epochs.begin, after=first)
    await says(database, ann, member.room_id, *"abcdef")
    ask = changes.visible_since
    stale = await database.read(ask, ann, member.room_id, 6, 1000, first)
    assert (stale.bodies, stale.seq, stale.truncated, stale.epoch) == ([], 0, True, second)
    good = await database.read(ask, ann, member.room_id, 4, 1000, first)
    assert (good.seqs, good.truncated, good.epoch) == ([5, 6, 7, 8, 9, 10], False, second)
    again = await database.read(ask, ann, member.room_id, stale.seq, 1000, second)
    assert len(again.bodies) == 10
    unprotected = await database.read(ask, ann, member.room_id, 6, 1000, None)
    assert unprotected.seqs == [7, 8, 9, 10], "clients without an epoch are served as before"


async def test_over_rest_a_since_ahead_of_the_room_is_answered_with_number_0(
    database: Database, ann: Caller, member: Membership, first: str
) -> None:
    await database.write(put_back, member.room_id, 3)
    for epoch in (first, None):
        found = await database.read(changes.visible_since, ann, member.room_id, 6, 1000, epoch)
        assert (found.bodies, found.seq, found.truncated) == ([], 0, True), "else it would lose 1 to 4"


async def test_what_was_meant_for_another_history_is_refused_and_stored_nowhere(
    database: Database, member: Membership, first: str
) -> None:
    """Its sender may be another user there, and the message that it names another message."""
    await database.write(epochs.begin, after=first)
    with pytest.raises(DatabaseUnavailable):
        await Ledger(database).post(member, MessageDraft(content="late"))
    for late in (
        database.write(messages.edit, member, 1, "late"),
        database.write(messages.delete, member, 1),
        database.write(reactions.add, member, 1, "🎉"),
    ):
        with pytest.raises(DatabaseUnavailable):
            await late
    assert (await database.read(changes.since, member.room_id, 0, 100)).seq == 6
