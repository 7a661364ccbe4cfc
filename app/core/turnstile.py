"""A turnstile: of a crowd that comes at once, a few go through each time the event loop turns.

So whoever is at work already waits for a few of them, not for all.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

A_FEW = 4


class Turnstile:
    """For one event loop. An empty one stops nobody."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_turning = False

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
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._is_turning = False
            return
        self._begin_to_turn()
        for go in [self._waiting.popleft() for _ in range(min(A_FEW, len(self._waiting)))]:
            asyncio.get_running_loop().call_soon(go)


def _let_through(turn: "asyncio.Future[None]") -> None:
    if not turn.done():  # it may have given up
        turn.set_result(None)
