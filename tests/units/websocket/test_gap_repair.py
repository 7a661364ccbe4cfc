"""A gap is repaired from the database, however long that was away, and whichever listeners came and left meanwhile."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import event, text

from app.core.database import Database
from app.services import epochs
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.epochs import CurrentEpoch
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.websocket.hub import gap_repair
from app.websocket.hub.channel import Subscription
from app.websocket.hub.hub import Hub
from tests.databases.people import member_of, room_of, say, user_named
from tests.support.fakes import RecordingListener, eventually, seq_of


class Room:
    """A room of Ann's, and a hub that is told of its events by hand, as if another process had stored them."""

    def __init__(self, database: Database, ann: Membership, epoch: str) -> None:
        self.database = database
        self.epoch = epoch
        self.hub = Hub(database, PresenceTracker(), CurrentEpoch(database))
        self.ann = ann
        self.statements: list[object] = []
        """The SQL that the database was asked to read."""
        self._ledger = Ledger(database)
        event.listen(database.reader, "before_cursor_execute", lambda *args: self.statements.append(args[2]))

    @property
    def repairs(self) -> int:
        """How many times a repair asked the database."""
        return sum("FROM rooms" in str(statement) for statement in self.statements)

    async def say(self, *words: str) -> int:
        """Store messages that the hub is not told of. Returns the number of the last."""
        return (await say(self._ledger, self.ann, *words))[-1].message["seq"]

    def listen(
        self, since: int, number_of: Callable[[bytes], int] = seq_of
    ) -> tuple[RecordingListener, Subscription]:
        listener = RecordingListener(number_of)
        subscription = self.hub.subscribe(listener, self.ann.room_id)
        self.hub.go_live(subscription, self.ann, since)
        return listener, subscription

    def report(self, seq: int) -> None:
        """Tell the hub of one event, without those before it."""
        body = b'{"type":"message","seq":%d}' % seq
        self.hub.deliver(DurableEvents(self.ann.room_id, seq, [body], self.epoch))

    async def rename(self, table: str, name: str) -> None:
        await self.database.write(lambda db: db.execute(text(f"ALTER TABLE {table} RENAME TO {name}")))


@pytest.fixture
async def room(database: Database) -> Room:
    ann = await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    return Room(database, member, await database.read(epochs.name))


async def test_unreported_events_are_read_from_the_database(room: Room) -> None:
    listener, _ = room.listen(since=1)
    last = await room.say("one", "two", "three")
    room.report(last)
    await eventually(lambda: listener.heard == [2, 3, 4])


async def test_a_gap_is_repaired_once_the_database_is_back(room: Room) -> None:
    """Without a later event and without a reconciliation: the gap alone is reason enough."""
    listener, _ = room.listen(since=1)
    last = await room.say("one", "two", "three")
    await room.rename("messages", "gone")
    room.report(last)
    await eventually(lambda: room.repairs > 1)
    assert listener.heard == []
    await room.rename("gone", "messages")
    await eventually(lambda: listener.heard == [2, 3, 4])


async def test_the_database_is_asked_again_for_an_event_that_it_does_not_show_yet(room: Room) -> None:
    listener, _ = room.listen(since=1)
    room.report(3)
    await eventually(lambda: room.repairs > 1)
    await room.say("one", "two")
    await eventually(lambda: listener.heard == [2, 3])


async def test_a_gap_that_opens_while_a_repair_ends_is_repaired_too(room: Room) -> None:
    def number_of(body: bytes) -> int:
        if seq_of(body) == 4:  # the last event of the repair: it ends within this iteration of the loop
            asyncio.get_running_loop().call_soon(room.report, 6)
        return seq_of(body)

    listener, _ = room.listen(1, number_of)
    room.report(await room.say("one", "two", "three"))
    await eventually(lambda: listener.heard == [2, 3, 4])
    await room.say("four", "five")
    await eventually(lambda: listener.heard == [2, 3, 4, 5, 6])


async def test_a_head_read_from_the_database_reveals_unreported_events(room: Room) -> None:
    listener, _ = room.listen(since=1)
    last = await room.say("one", "two", "three")
    room.hub.note_head(room.ann.room_id, last)
    await eventually(lambda: listener.heard == [2, 3, 4])


async def test_a_new_channel_of_a_room_waits_for_no_repair_of_the_old_one(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is in a long pause when the new one has a gap of its own."""
    monkeypatch.setattr(gap_repair, "REPAIR_AFTER_SECONDS", 30.0)
    _, subscription = room.listen(since=1)
    last = await room.say("one", "two", "three")
    room.report(last)
    await asyncio.sleep(0)
    room.hub.unsubscribe(subscription)
    monkeypatch.undo()
    listener, _ = room.listen(since=1)
    room.report(last)
    await eventually(lambda: listener.heard == [2, 3, 4])
