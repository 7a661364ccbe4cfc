"""A turnstile: of a crowd that comes at once, a few go through each time the event loop turns.

So whoever is at work already waits for a few of them, not for all. And all of them wait for what is on its way to disk.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial

A_FEW = 16
EACH_SECONDS = 0.001
"""One goes through each time the loop turns, or as many as that took milliseconds, but a few at most: where turns are
long, because thousands are told something, a crowd would stand in line until it gives up."""
GIVE_WAY_SECONDS = 0.02
"""How long a line stands still at most while somebody's words are on their way to disk. A thread that writes lets go of
the interpreter's lock at every statement, and beside a busy event loop it gets it back when it is lucky: commits of
1 ms took 30 (CPython's `take_gil` begins to wait anew whenever the lock was free for a moment, and uvloop lets go of it
between any two callbacks)."""
LOOK_AGAIN_SECONDS = 0.001


class Turnstile:
    """For one event loop. An empty one stops nobody. A line stands still while `gives_way`, but not for long."""

    def __init__(self, gives_way: Callable[[], bool] = lambda: False) -> None:
        self._gives_way = gives_way
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_turning = False
        self._turned_at = 0.0

    def enter(self, go: Callable[[], None]) -> None:
        """Call `go`: at once, or in its turn."""
        if self._is_turning:
            self._waiting.append(go)
        else:
            self._begin_to_turn()
            go()

    async def turn(self) -> None:
        """Return at once, or in one's turn."""
        if self._is_turning:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(partial(_let_through, turn))
            await turn
        else:
            self._begin_to_turn()

    def _begin_to_turn(self) -> None:
        self._is_turning = True
        self._turned_at = time.monotonic()
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._is_turning = False
            return
        took = time.monotonic() - self._turned_at
        if took < GIVE_WAY_SECONDS and self._gives_way():
            asyncio.get_running_loop().call_later(LOOK_AGAIN_SECONDS, self._next)
            return
        self._begin_to_turn()
        few = max(1, min(int(took / EACH_SECONDS), A_FEW, len(self._waiting)))
        for go in [self._waiting.popleft() for _ in range(few)]:
            asyncio.get_running_loop().call_soon(go)


def _let_through(turn: "asyncio.Future[None]") -> None:
    if not turn.done():  # it may have given up
        turn.set_result(None)
