"""Turns: writes to the same row one after the other, so that a locked row holds one thread and not all of them."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from app.core.database.deadlines import Deadlines, asked_at
from app.core.database.failures import DatabaseUnavailable

T = TypeVar("T")


@dataclass(slots=True)
class _Place:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    is_blocked: bool = False
    """Whether its last job waited in vain for a lock."""


class Turns:
    """One job at a time for each key. All keys that are blocked share one more turn: however many rows are locked, they
    hold one thread."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._places: dict[Hashable, _Place] = {}
        self._blocked = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work when it is the key's turn. Raises DatabaseUnavailable if that does not come in time.

        Work that has begun keeps its turn to its end, even if its caller leaves: it still holds a thread.
        """
        place = self._places.setdefault(key, _Place())
        place.users += 1
        held: list[asyncio.Lock] = []
        try:
            await self._enter(place, held)
        except BaseException:
            self._leave(key, place, held)
            raise
        task = asyncio.get_running_loop().create_task(work())
        self._running.add(task)
        task.add_done_callback(partial(self._end, key, place, held))
        return await asyncio.shield(task)

    async def _enter(self, place: _Place, held: list[asyncio.Lock]) -> None:
        left = asked_at() + self._deadlines.answer - time.monotonic()
        try:
            async with asyncio.timeout(min(self._deadlines.begin, left)):
                await place.lock.acquire()
                held.append(place.lock)
                if place.is_blocked:
                    await self._blocked.acquire()
                    held.append(self._blocked)
        except TimeoutError:
            raise DatabaseUnavailable from None

    def _end(self, key: Hashable, place: _Place, held: list[asyncio.Lock], task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        place.is_blocked = isinstance(error, DatabaseUnavailable) and error.waited_for_lock
        self._leave(key, place, held)

    def _leave(self, key: Hashable, place: _Place, held: list[asyncio.Lock]) -> None:
        for lock in held:
            lock.release()
        place.users -= 1
        if not place.users and not place.is_blocked:
            del self._places[key]
