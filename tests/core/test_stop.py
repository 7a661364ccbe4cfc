"""A stop waits for what was taken to be on disk, also if somebody has used up the time for answers."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from app import main
from app.core.config import Settings
from app.core.database import Database
from app.schemas.close_codes import Close
from app.schemas.frames import Event
from app.services.callers import Caller
from app.services.ledger import Ledger
from app.services.receipts import Receipts
from app.websocket.hub.registry import Registry
from app.websocket.transport import Transport
from tests.databases.people import member_of, room_of, say, user_named

SECONDS = 8.0
QUIET = 0.2
"""After which a server that asks every 10 ms has given up asking."""


class Tardy:
    """A connection that is never done."""

    address, serial, expires_at, is_behind = "", 0, 0, False
    wire: Transport

    def __init__(self, caller: Caller, words: "asyncio.Task[object]") -> None:
        self.caller = caller
        self._words = words
        self.asked = 0.0
        """When it was last asked whether it is busy."""
        self.were_on_disk: bool | None = None
        """Whether the words were, when it was closed."""
        self.registry: Registry

    @property
    def is_busy(self) -> bool:
        self.asked = time.monotonic()
        return True

    def tell(self, event: Event) -> None: ...
    def stop_reading(self) -> None: ...
    def leave(self) -> None: ...
    def close(self, why: Close) -> None:
        self.were_on_disk = self._words.done()
        self.registry.remove(self)


async def test_words_are_on_disk_before_the_connections_are_closed(
    database: Database, tmp_path: Path
) -> None:
    ledger, ann = Ledger(database), await user_named(database, "ann")
    member = await member_of(database, ann, await room_of(database, ann))
    with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        words = asyncio.create_task(say(ledger, member, "taken"))
        tardy = Tardy(ann, words)
        tardy.registry = registry = Registry(Settings())
        registry.add(tardy)
        stop = asyncio.create_task(main._stop(registry, ledger, Receipts(database), SECONDS))
        while not tardy.asked or time.monotonic() - tardy.asked < QUIET:
            await asyncio.sleep(0.01)
        somebody_else.execute("ROLLBACK")
    async with asyncio.timeout(SECONDS):
        await stop
    assert tardy.were_on_disk
    assert (await words)[0].message["id"] == 1
