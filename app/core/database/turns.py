"""Turns: writes to the same row one after the other, so that a locked row holds one thread and not all of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Hashable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from app.core.database.deadlines import Deadlines, asked_at
from app.core.database.failures import DatabaseUnavailable


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

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the key's turn. Raises DatabaseUnavailable if it does not come in time."""
        place = self._places.setdefault(key, _Place())
        place.users += 1
        try:
            async with AsyncExitStack() as stack:
                await self._enter(stack, place)
                try:
                    yield
                except DatabaseUnavailable as error:
                    place.is_blocked = error.waited_for_lock
                    raise
                except BaseException:  # it read the row
                    place.is_blocked = False
                    raise
                place.is_blocked = False
        finally:
            place.users -= 1
            if not place.users and not place.is_blocked:
                del self._places[key]

    async def _enter(self, stack: AsyncExitStack, place: _Place) -> None:
        left = asked_at() + self._deadlines.answer - time.monotonic()
        try:
            async with asyncio.timeout(min(self._deadlines.begin, left)):
                await stack.enter_async_context(place.lock)
                if place.is_blocked:
                    await stack.enter_async_context(self._blocked)
        except TimeoutError:
            raise DatabaseUnavailable from None
