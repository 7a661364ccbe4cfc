"""A listener that takes every page of its catch-up just in time, but does not get to the end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.core import migrations
from app.core.config import Settings
from app.core.database import Database
from app.core.ratelimit import Limiter
from app.core.tokens import Tokens
from app.core.turnstile import Turnstile
from app.services import changes
from app.services.authority import Authority
from app.services.ledger import Ledger
from app.services.marks import Marks
from app.services.presence import Presences
from app.websocket import codes, listening
from app.websocket.commands import Commands
from app.websocket.connection import Connection, Context, TooSlow
from app.websocket.hub import Hub
from app.websocket.listening import Listening
from app.websocket.pages import Pages
from app.websocket.registry import Registry
from app.websocket.wire import Payload
from tests.databases.people import member_of, room_of, say, somebody

PATIENCE = 10.0
"""Far less than what one page may take."""
PAGES = 3


class Trickle:
    """A way out to a peer that takes all pages but the last."""

    direct = None

    def __init__(self) -> None:
        self.taken = 0
        self.code: int | None = None

    def send(self, payload: Payload) -> None:
        self.taken += len(payload.bodies)

    async def drained(self) -> None:
        if self.taken > (PAGES - 1) * changes.PAGE:
            await asyncio.get_running_loop().create_future()

    def close(self, code: int, _reason: str) -> None:
        self.code = code

    def buffered(self) -> int:
        return 0

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def abort(self) -> None: ...
    def ping(self) -> bool:
        return True


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(make_url(f"sqlite:///{tmp_path / 'chat.db'}"), pool_size=2)
    await asyncio.to_thread(migrations.upgrade, database.writer, lambda connection: None)
    yield database
    database.close()


async def test_it_is_closed_and_the_room_keeps_nothing_for_it_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "CATCH_UP_SECONDS", 0.5)
    settings, ledger, ann = Settings(), Ledger(database), await somebody(database, "ann")
    room = await room_of(database, ann)
    await say(ledger, await member_of(database, ann, room), *["what was missed"] * PAGES * changes.PAGE)
    authority = Authority(database, Tokens("k" * 32, 60))
    doors = Listening(database, Pages(database, settings.catch_up_limit))
    carry_out = Commands(database, ledger, Marks(database), authority, doors)
    registry = Registry(settings)
    hub = Hub(database, authority, Presences(), registry)
    context = Context(settings, hub, registry, Limiter(0, 1), carry_out, Turnstile())
    listener = Connection(context, ann, "", None)
    listener.wire = wire = Trickle()
    async with asyncio.timeout(PATIENCE):
        start = await doors.attach(listener, room, since=0)
        with pytest.raises(TooSlow):
            await doors.begin(listener, start, synced=True)
    assert wire.taken > (PAGES - 1) * changes.PAGE
    assert wire.code == codes.TOO_SLOW
    assert start.subscription.channel.is_empty
