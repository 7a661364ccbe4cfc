"""A write that takes as long as a test wants."""

import asyncio
import threading

from app.core.database import Database, UnitOfWork


class HeldWrite:
    """A transaction that takes until it is released."""

    def __init__(self, database: Database) -> None:
        self._may_go_on = threading.Event()
        self.task = asyncio.create_task(database.write(self._work))

    def _work(self, _db: UnitOfWork) -> None:
        assert self._may_go_on.wait(60)

    async def release(self) -> None:
        self._may_go_on.set()
        await self.task
