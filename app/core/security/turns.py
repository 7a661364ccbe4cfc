"""A bounded queue in which origins take turns: a client that sends many requests delays only itself."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator


class QueueFull(Exception):
    """There is no place left, and no other origin has more than this one."""


class TurnQueue:
    """Lets `slots` holders in at a time; of those that wait, one of each origin in turn.

    At most `length` wait (0: no limit). Above it, the origin with the most waiting loses the one that came last.
    """

    def __init__(self, slots: int, length: int) -> None:
        self._free = slots
        self._length = length
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By origin, in the order of their turns."""

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @contextlib.asynccontextmanager
    async def slot(self, origin: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raises QueueFull, at once or when an origin that has fewer needs the place."""
        if self._free:
            self._free -= 1
        else:
            await self._turn(origin)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, origin: str) -> None:
        if self._length and self.waiting >= self._length:
            self._make_room(origin)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(origin, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(origin, turn)
            elif turn.exception() is None:
                self._pass_on()  # it was this one's turn
            raise

    def _make_room(self, origin: str) -> None:
        most = max(self._waiting, key=lambda one: len(self._waiting[one]))
        if len(self._waiting[most]) <= len(self._waiting.get(origin, ())) + 1:
            raise QueueFull
        last = self._waiting[most][-1]
        self._leave(most, last)
        if not last.cancelled():
            last.set_exception(QueueFull())

    def _leave(self, origin: str, turn: asyncio.Future[None]) -> None:
        """Remove a turn, if it is still there: one that was cancelled may have been passed over."""
        turns = self._waiting.get(origin, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[origin]

    def _pass_on(self) -> None:
        """Give the slot to the next origin, which then goes to the end."""
        while self._waiting:
            origin, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[origin] = turns
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1
