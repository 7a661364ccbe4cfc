"""A turnstile: of a crowd that comes at once, a few go through each time the event loop turns.

So whoever is at work already waits for a few of them, not for all. And all of them wait for what is on its way to disk.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import islice

A_FEW = 16
EACH_SECONDS = 0.001
"""One goes through each time the loop turns, or as many as that took milliseconds, but a few at most: where turns are
long, because thousands are told something, a crowd would stand in line until it gives up."""
GIVE_WAY_SECONDS = 0.02
"""How long a line stands still at most while somebody's words are on their way to disk. A thread that writes lets go of
the interpreter's lock at every statement, and beside a busy event loop it gets it back when it is lucky: commits of
1 ms took 30 (CPython's `take_gil` begins to wait anew whenever the lock was free for a moment, and uvloop lets go of it
between any two sockets that it reads)."""
LONGEST_SECONDS = 1.0
"""And how long anybody gives way in all."""
POLL_SECONDS = 0.001

Go = Callable[[], None]


class AdmissionQueue:
    """For one event loop. An empty one stops nobody. A line stands still while `gives_way`, but not for long."""

    def __init__(self, gives_way: Callable[[], bool] = lambda: False) -> None:
        self._gives_way = gives_way
        self._waiting: dict[Go, float] = {}
        """In their order, with when they came."""
        self._is_turning = False
        self._turned_at = 0.0

    def enter(self, go: Go) -> None:
        """Call `go`: at once, or in its turn."""
        if self._is_turning:
            self._waiting[go] = time.monotonic()
        else:
            self._begin_to_turn()
            go()

    def leave(self, go: Go) -> None:
        """Give up one's place in line, if one has one."""
        self._waiting.pop(go, None)

    async def turn(self) -> None:
        """Return at once, or in one's turn."""
        if not self._is_turning:
            self._begin_to_turn()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        go = partial(_let_through, turn)
        self.enter(go)
        try:
            await turn
        finally:
            self.leave(go)

    def _begin_to_turn(self) -> None:
        self._is_turning = True
        self._turned_at = time.monotonic()
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._is_turning = False
            return
        now = time.monotonic()
        took = now - self._turned_at
        first = next(iter(self._waiting.values()))
        if took < GIVE_WAY_SECONDS and now - first < LONGEST_SECONDS and self._gives_way():
            asyncio.get_running_loop().call_later(POLL_SECONDS, self._next)
            return
        self._begin_to_turn()
        few = max(1, min(int(took / EACH_SECONDS), A_FEW, len(self._waiting)))
        for go in list(islice(self._waiting, few)):
            del self._waiting[go]
            asyncio.get_running_loop().call_soon(go)


def _let_through(turn: "asyncio.Future[None]") -> None:
    if not turn.done():  # it may have given up
        turn.set_result(None)
