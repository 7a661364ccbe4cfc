"""Histories that go backward: clients that hand back their epoch find out, and end up equal to the database."""

import asyncio

import pytest
from sqlalchemy import delete, update

from app.core.config import Settings
from app.core.database import Database, UnitOfWork
from app.models import Epoch, Message, Room
from app.schemas import close_codes
from app.schemas.messages import MessageDraft
from app.services import changes, epochs, messages, reactions
from app.services.access import Membership
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.publishing import Publisher
from app.websocket.hub.hub import Hub
from app.websocket.hub.reconcile import Reconciler
from app.websocket.hub.registry import Registry
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingListener, seq_of


@pytest.fixture
async def ann(database: Database) -> Caller:
    return await user_named(database, "ann")


@pytest.fixture
async def member(database: Database, ann: Caller) -> Membership:
    """Ann in a room with five messages: the numbers 2 to 6."""
    member = await member_of(database, ann, await room_of(database, ann))
    await say(Ledger(database), member, *"12345")
    return member


@pytest.fixture
async def first(database: Database, member: Membership) -> str:
    """The epoch in which these were said."""
    return await database.read(epochs.name)


async def move_to_another_server(database: Database) -> None:
    """What a database looks like once another server has taken over."""
    await database.write(lambda db: db.execute(update(Epoch).values(server="of another server")))


def put_back(db: UnitOfWork, room_id: int, last_message_id: int) -> None:
    """What a room looks like in a backup from before its last messages."""
    db.execute(delete(Message).where(Message.room_id == room_id, Message.id > last_message_id))
    counters = {"last_message_id": last_message_id, "last_seq": last_message_id + 1}
    db.execute(update(Room).where(Room.id == room_id).values(counters))


async def test_a_history_that_goes_forward_stays_in_its_epoch(
    database: Database, member: Membership, first: str
) -> None:
    await say(Ledger(database), member, "more")
    await database.write(messages.edit, member, 1, "changed")
    assert await database.write(epochs.begin) == first
    assert await database.read(epochs.name) == first


@pytest.mark.parametrize("kind", ["message", "edit", "reaction", "join"])
async def test_a_new_epoch_begins_before_another_server_numbers_anything(
    database: Database, member: Membership, first: str, kind: str
) -> None:
    told: list[object] = []
    database.on_commit(told.extend)
    await move_to_another_server(database)
    if kind == "message":
        await say(Ledger(database), member, "the first on the other server")
    elif kind == "edit":
        await database.write(messages.edit, member, 1, "changed")
    elif kind == "reaction":
        await database.write(reactions.add, member, 1, "🎉")
    else:
        await member_of(database, await user_named(database, "ben"), member.room_id)
    second = await database.read(epochs.name)
    assert second != first
    assert {getattr(one, "epoch", second) for one in told} == {second}
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
    await asyncio.gather(*said, *entered)
    assert await database.read(lambda db: db.query(Epoch).count()) == 2


async def test_a_room_that_is_made_again_under_its_old_id_is_another_room(
    database: Database, ann: Caller, first: str
) -> None:
    await database.write(epochs.begin, after=first)
    room = await room_of(database, ann, "New")
    assert not await database.read(epochs.continues, room, 1, first)
    assert await database.read(epochs.continues, room, 0, first)


async def test_two_restores_in_a_row_continue_only_what_both_have(
    database: Database, member: Membership, first: str
) -> None:
    """Numbers: the first epoch ends at 6, the second at 8; the second is then put back to 7."""
    ledger = Ledger(database)
    second = await database.write(epochs.begin, after=first)
    await say(ledger, member, "7", "8")
    await database.write(put_back, member.room_id, 6)
    third = await database.write(epochs.begin, after=second)
    await say(ledger, member, "8 again", "9", "10")

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
    await say(Ledger(database), member, *"abcdef")
    ask = changes.visible_since
    stale = await database.read(ask, ann, member.room_id, 6, 1000, first)
    assert (stale.bodies, stale.seq, stale.truncated, stale.epoch) == ([], 0, True, second)
    good = await database.read(ask, ann, member.room_id, 4, 1000, first)
    assert (good.seqs, good.truncated, good.epoch) == ([5, 6, 7, 8, 9, 10], False, second)
    again = await database.read(ask, ann, member.room_id, stale.seq, 1000, second)
    assert len(again.bodies) == 10
    unprotected = await database.read(ask, ann, member.room_id, 6, 1000, None)
    assert unprotected.seqs == [7, 8, 9, 10], "clients without an epoch are served as before"


class Listening:
    """A hub with one listener in a room, as in a server that notices what happened."""

    def __init__(self, database: Database, member: Membership, head: int) -> None:
        self.epoch = CurrentEpoch()
        self.hub = Hub(database, PresenceTracker(), self.epoch)
        publisher = Publisher([self.hub.deliver], [], [], [self.hub.start_anew], [])
        self.publish = publisher.publish
        self.epoch.on_change(self.publish)
        self.listener = RecordingListener(seq_of)
        subscription = self.hub.subscribe(self.listener, member.room_id)
        self.hub.go_live(subscription, member, head)
        self.reconciler = Reconciler(database, self.hub, Registry(Settings()), self.epoch, lambda _: None)


@pytest.fixture
async def listening(database: Database, member: Membership, first: str) -> Listening:
    made = Listening(database, member, 6)
    made.epoch.note(first)
    return made


async def test_a_head_below_what_was_told_begins_a_new_epoch_and_closes_the_listeners(
    database: Database, member: Membership, first: str, listening: Listening
) -> None:
    await listening.reconciler.reconcile()
    assert listening.listener.closes == []
    await database.write(put_back, member.room_id, 2)
    await listening.reconciler.reconcile()
    assert listening.listener.closes == [close_codes.PUT_BACK]
    assert listening.epoch.name == await database.read(epochs.name) != first
    await say(Ledger(database), member, *"abcdef")
    assert not await database.read(epochs.continues, member.room_id, 6, first)


async def test_an_epoch_that_another_process_began_closes_the_listeners_here(
    database: Database, first: str, listening: Listening
) -> None:
    second = await database.write(epochs.begin, after=first)
    await listening.reconciler.reconcile()
    assert listening.listener.closes == [close_codes.PUT_BACK]
    assert listening.epoch.name == second


async def test_events_of_an_epoch_that_is_over_are_dropped(
    database: Database, member: Membership, first: str, listening: Listening
) -> None:
    database.on_commit(listening.publish)
    await say(Ledger(database), member, "heard")
    listening.epoch.note("the next one")
    posted = await Ledger(database).post(member, MessageDraft(content="not heard: of the first epoch"))
    assert posted.message["seq"] == 8
    assert listening.listener.heard == [7]
    assert not listening.epoch.note(first)
