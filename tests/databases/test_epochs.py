"""Histories that go backward: clients that hand back their epoch find out, and end up equal to the database."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, text, update

from app.core.clock import now_ms
from app.core.config import Settings
from app.core.database import Database, DatabaseUnavailable, UnitOfWork
from app.models import Epoch, Message, Room, RoomEpoch
from app.schemas import close_codes
from app.schemas.messages import MessageDraft
from app.services import changes, epochs, messages, reactions
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.ledger.numbering import Draft, record
from app.services.presence import PresenceTracker
from app.services.publishing import Publisher
from app.websocket.hub.hub import Hub
from app.websocket.hub.reconcile import Reconciler
from app.websocket.hub.registry import Registry
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingListener, RecordingPeer, eventually, seq_of


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


async def says(database: Database, ann: Caller, room_id: int, *texts: str) -> None:
    """Send messages as a member in the current epoch."""
    await say(Ledger(database), await member_of(database, ann, room_id), *texts)


async def begin_on_another_server(database: Database) -> None:
    """What a server sees behind an address that leads to two of them in turns."""

    def begin(db: UnitOfWork) -> None:
        number = db.query(Epoch).count() + 1
        db.add(Epoch(number=number, name=f"epoch {number}", server="other", began_at=now_ms(), is_void=False))

    await database.write(begin)


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


# Locks


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


# What a member of another history sends


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


# Processes


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


class Listening:
    """A hub with one listener in a room, as in a process that notices what happened."""

    def __init__(self, database: Database, member: Membership, head: int) -> None:
        self.epoch = CurrentEpoch(database)
        self.hub = Hub(database, PresenceTracker(), self.epoch)
        self.registry = Registry(Settings())
        self.peer = RecordingPeer(on_close=lambda _: self.hub.unsubscribe(self.subscription))
        self.registry.add(self.peer)
        publisher = Publisher([self.hub.deliver], [], [], [self.registry.start_anew], [])
        self.publish = publisher.publish
        self.epoch.on_change(self.publish)
        self.epoch.is_current(member.epoch)
        self.listener = RecordingListener(seq_of)
        self.subscription = self.hub.subscribe(self.listener, member.room_id)
        self.hub.go_live(self.subscription, member, head)
        self._reconciler = Reconciler(database, self.hub, self.registry, self.epoch, lambda _: None)

    async def reconciles(self) -> None:
        await self._reconciler.reconcile()
        await self.epoch.settled()

    @property
    def closes(self) -> int:
        return self.peer.closes.count(close_codes.PUT_BACK)


@pytest.fixture
async def listening(database: Database, member: Membership, first: str) -> Listening:
    return Listening(database, replace(member, epoch=first), 6)


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
