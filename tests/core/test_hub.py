"""A gap is closed from the database, however long that was away, and whoever has come and gone meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text

from app.core.config import Settings
from app.core.database import Database, migrations
from app.core.security.tokens import Tokens
from app.services.access import Membership
from app.services.announcements import DurableEvents
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.presence import PresenceTracker
from app.services.token_verifier import TokenVerifier
from app.websocket.hub import hub as hubs
from app.websocket.hub.channel import Subscription
from app.websocket.hub.hub import Hub
from app.websocket.hub.registry import Registry
from app.websocket.transport import Payload
from tests.databases.people import member_of, room_of, say, user_named

PATIENCE = 10.0


class Ear:
    """A listener that remembers the numbers it heard."""

    user_id = 0
    is_behind = False
    write: Callable[[bytes], None] | None = None

    def __init__(self) -> None:
        self.heard: list[int] = []

    def send(self, payload: Payload) -> None:
        self.heard += [json.loads(body)["seq"] for body in payload.bodies]


class Room:
    """A room of Ann's, and a hub that hears only what it is told by hand, as of another process."""

    def __init__(self, database: Database, hub: Hub, ann: Membership) -> None:
        self.database = database
        self.hub = hub
        self.ann = ann
        self.asked: list[object] = []
        """What the database was asked to read."""
        self._ledger = Ledger(database)
        event.listen(database.reader, "before_cursor_execute", lambda *asked: self.asked.append(asked[2]))

    @property
    def times_asked(self) -> int:
        return sum("FROM rooms" in str(statement) for statement in self.asked)

    async def say(self, *words: str) -> int:
        """Returns the number of the last."""
        return int((await say(self._ledger, self.ann, *words))[-1].message["seq"])

    def listen(self, since: int) -> tuple[Ear, Subscription]:
        ear = Ear()
        subscription = self.hub.attach(ear, self.ann.room_id)
        self.hub.go_live(subscription, self.ann, since)
        return ear, subscription

    def hint(self, seq: int) -> None:
        """A report of one number, without those before it."""
        body = b'{"type":"message","seq":%d}' % seq
        self.hub.publish([DurableEvents(self.ann.room_id, seq, [body])])

    async def rename(self, table: str, name: str) -> None:
        await self.database.write(lambda db: db.execute(text(f"ALTER TABLE {table} RENAME TO {name}")))


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    authority = TokenVerifier(database, Tokens("k" * 32, 60))
    hub = Hub(database, authority, PresenceTracker(), Registry(Settings()))
    ann: Caller = await user_named(database, "ann")
    yield Room(database, hub, await member_of(database, ann, await room_of(database, ann)))
    database.close()


async def comes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_was_not_heard_of_is_read_from_the_database(room: Room) -> None:
    ear, _ = room.listen(since=1)
    last = await room.say("one", "two", "three")
    room.hint(last)
    await comes(lambda: ear.heard == [2, 3, 4])


async def test_a_gap_is_closed_once_the_database_is_back(room: Room) -> None:
    """Nobody says anything more, and nobody looks around: the gap alone is reason enough."""
    ear, _ = room.listen(since=1)
    last = await room.say("one", "two", "three")
    await room.rename("messages", "gone")
    room.hint(last)
    await comes(lambda: room.times_asked > 1)
    assert ear.heard == []
    await room.rename("gone", "messages")
    await comes(lambda: ear.heard == [2, 3, 4])


async def test_what_is_told_before_the_database_shows_it_is_asked_for_again(room: Room) -> None:
    ear, _ = room.listen(since=1)
    room.hint(3)
    await comes(lambda: room.times_asked > 1)
    await room.say("one", "two")
    await comes(lambda: ear.heard == [2, 3])


async def test_who_comes_after_the_last_one_has_left_waits_for_no_repair_of_the_old_channel(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is in a long pause when the new one has a gap of its own."""
    monkeypatch.setattr(hubs, "REPAIR_AFTER", 30.0)
    _, subscription = room.listen(since=1)
    last = await room.say("one", "two", "three")
    room.hint(last)
    await asyncio.sleep(0)
    room.hub.detach(subscription)
    monkeypatch.undo()
    ear, _ = room.listen(since=1)
    room.hint(last)
    await comes(lambda: ear.heard == [2, 3, 4])
